import test from 'ava'
import { deriveKey, equalInConstantTime, seal, sha256, unseal } from '#lib/crypto.ts'

const key = Buffer.alloc(32, 1)

test('what is sealed opens with the same key and context only', (t) => {
  const sealed = seal(key, '機密', 'table.column.1')
  t.is(unseal(key, sealed, 'table.column.1'), '機密')
  t.throws(() => unseal(key, sealed, 'table.column.2'))
  t.throws(() => unseal(Buffer.alloc(32, 2), sealed, 'table.column.1'))
  t.false(sealed.includes('機密'))
})

test('a sealed value with one bit changed, cut or of another version does not open', (t) => {
  const sealed = seal(key, 'text', 'c')
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (const i of [0, 13, bytes.length - 1]) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(i) ^ 1, i)
    t.throws(() => unseal(key, `v1.${changed.toString('base64url')}`, 'c'), undefined, `byte ${i}`)
  }
  t.throws(() => unseal(key, sealed.slice(0, -4), 'c'))
  t.throws(() => unseal(key, sealed.replace('v1', 'v2'), 'c'))
})

test('keys for two purposes differ', (t) => {
  t.notDeepEqual(deriveKey(key, 'a'), deriveKey(key, 'b'))
})

test('values of different length are unequal, not an error', (t) => {
  t.true(equalInConstantTime('abc', 'abc'))
  t.false(equalInConstantTime('abc', 'abd'))
  t.false(equalInConstantTime('abc', 'abcd'))
  t.is(sha256('').length, 43)
})
