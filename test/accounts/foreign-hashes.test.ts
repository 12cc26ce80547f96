/** Passwords that were hashed elsewhere: taken over as they are, bounded, and replaced when their owner first comes. */
import { execFileSync } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { hashSync as argon2 } from '@node-rs/argon2'
import test from 'ava'
import { genSaltSync, hashSync } from 'bcryptjs'
import { readForeignHash } from '#accounts/foreign-hashes.ts'
import { signInLocally } from '#accounts/local.ts'
import { openPasswords } from '#accounts/passwords.ts'
import { buildStore } from '../helpers/database.ts'

const password = '天地玄黃 Ünïcode 1'
const salt = Buffer.from('a.salt.of.ours!!')

const bcrypt = (prefix: string, cost = 4) =>
  hashSync(password, genSaltSync(cost).replace('$2b$', prefix))
const pbkdf2 = (digest: string, iterations: number, length = 32) =>
  pbkdf2Sync(password, salt, iterations, length, digest).toString('base64')
const bare = (base64: string) => base64.replace(/=+$/, '')
const django = (digest: string, iterations: number) =>
  `pbkdf2_${digest}$${iterations}$${salt}$${pbkdf2(digest, iterations)}`

const salt64 = bare(salt.toString('base64'))
const good: Record<string, string> = {
  'argon2id of lower cost': argon2(password, { algorithm: 2, memoryCost: 512, timeCost: 2 }),
  argon2i: argon2(password, { algorithm: 1, memoryCost: 256, timeCost: 3, parallelism: 2 }),
  'bcrypt $2b$': bcrypt('$2b$'),
  'bcrypt $2y$ of PHP': bcrypt('$2y$'),
  'bcrypt $2a$': bcrypt('$2a$'),
  'pbkdf2-sha256 PHC': `$pbkdf2-sha256$i=1000,l=32$${salt64}$${bare(pbkdf2('sha256', 1000))}`,
  'pbkdf2-sha512 of passlib': `$pbkdf2-sha512$1000$${salt64.replaceAll('+', '.')}$${bare(pbkdf2('sha512', 1000, 64)).replaceAll('+', '.')}`,
  'pbkdf2_sha256 of Django': django('sha256', 1000),
}

const body = 'uO51hSBBPVBb5VKD5SDaO.1JelWaCMUB5cNC2q6LW0.bgTgBQI.HK'
const argon = (parameters: string) => `$argon2id$v=19$${parameters}$${salt64}$${salt64}`
const bad: [text: string, because: string][] = [
  ['{SSHA}0c3rPzvIwQ7Wb1Ck5d8l2Kb2o5dzYWx0', 'weak'],
  ['5f4dcc3b5aa765d61d8327deb882cf99', 'weak'],
  ['5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8', 'weak'],
  ['$1$abcdefgh$7VJr2wrzfwnZ0Tw8wHZ1e.', 'weak'],
  [`$2x$10$${body}`, 'weak'],
  [django('sha256', 999), 'weak'],
  ['$6$rounds=5000$salt$hash', 'unknown'],
  ['correct horse battery staple', 'unknown'],
  ['plain', 'unknown'],
  ['pbkdf2_sha1$1000$saltsalt$aGFzaA==', 'unknown'],
  ['x'.repeat(401), 'unknown'],
  [`$2b$14$${body}`, 'costly'],
  [`$2b$31$${body}`, 'costly'],
  [argon('m=4194304,t=3,p=1'), 'costly'],
  [argon('m=131073,t=1,p=1'), 'costly'],
  [argon('m=65536,t=17,p=1'), 'costly'],
  [argon('m=131072,t=9,p=1'), 'costly'],
  [argon('m=1024,t=1,p=9'), 'costly'],
  [django('sha256', 1000).replace('$1000$', '$999999999$'), 'costly'],
  [`$2b$03$${body}`, 'broken'],
  [`$2b$10$${body.slice(1)}`, 'broken'],
  [`$2b$+4$${body}`, 'broken'],
  [argon('m=99999999,t=1,p=1'), 'broken'],
  [argon('m=1024,t=0,p=1'), 'broken'],
  [argon('m=1024,t=1,p=1').replace('v=19', 'v=16'), 'broken'],
  ['$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHQ$AAAA', 'broken'],
  ['$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$AAAA', 'broken'],
  [`$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$${'A'.repeat(300)}`, 'broken'],
]

test('what is refused is told from what is broken, weak or too costly, before anything is computed', (t) => {
  for (const [text, because] of bad)
    t.deepEqual(readForeignHash(text), { kind: 'refused', because } as never, text.slice(0, 60))
})

test('each kind opens its account once, and is a hash of ours from then on', async (t) => {
  const store = await buildStore(t)
  const passwords = openPasswords({ cost: { memoryCost: 1_024, timeCost: 1 } })
  t.teardown(() => passwords.close())
  const ports = { now: Date.now, passwords }
  for (const [i, [kind, text]] of Object.entries(good).entries()) {
    const read = readForeignHash(text)
    if (read.kind !== 'good') return t.fail(`${kind}: ${read.because}`)
    const id = `${i}`
    const at = { createdAt: 1, updatedAt: 1 }
    await store.accounts.create({ id, kind: 'person', status: 'active', profile: {}, ...at })
    await store.identifiers.take({ type: 'username', value: `u${i}`, accountId: id })
    const credential = { id: `c${i}`, accountId: id, type: 'password' as const, ...at }
    await store.credentials.create({ ...credential, secret: read.secret })
    const sign = (typed: string) =>
      signInLocally(store, { account: `u${i}`, password: typed }, ports)

    t.is((await sign('wrong')).kind, 'wrong', kind)
    t.is((await store.credentials.findPassword(id))?.secret, read.secret, kind)
    // In two tabs at once, too.
    const both = await Promise.all([sign(password), sign(password.normalize('NFD'))])
    const kinds = both.map((one) => one.kind)
    t.true(kinds.includes('signed-in'), kind)
    const [first] = both
    t.true(first?.kind === 'signed-in' && (await first.stands()), kind)
    const kept = (await store.credentials.findPassword(id))?.secret ?? ''
    t.regex(kept, /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/, kind)
    t.is((await sign(password)).kind, 'signed-in', kind)
    t.is((await store.credentials.findPassword(id))?.secret, kept, 'it is not made anew again')
    t.is((await sign('wrong')).kind, 'wrong', kind)
  }
})

test('a hash of Python’s own hashlib in Django’s form is understood', (t) => {
  const script = `import hashlib,base64;print(base64.b64encode(hashlib.pbkdf2_hmac('sha256','王 pw'.encode(),b'saltsalt',2000)).decode())`
  let hash: string
  try {
    hash = execFileSync('python3', ['-c', script], { encoding: 'utf8' }).trim()
  } catch {
    return t.pass('there is no Python here')
  }
  const read = readForeignHash(`pbkdf2_sha256$2000$saltsalt$${hash}`)
  t.is(read.kind, 'good')
  const [, , , , ours] = read.kind === 'good' ? read.secret.split('$') : []
  t.is(ours, bare(pbkdf2Sync('王 pw', 'saltsalt', 2000, 32, 'sha256').toString('base64')))
})

test('whether a name exists is not to be told by the time of a costly hash', async (t) => {
  const passwords = openPasswords({ cost: { memoryCost: 1_024, timeCost: 1 } })
  t.teardown(() => passwords.close())
  const costly = bcrypt('$2b$', 10)
  await passwords.verify(costly, 'wrong')
  const took = async (stored: string | undefined) => {
    const started = performance.now()
    t.false(await passwords.verify(stored, 'wrong'))
    return performance.now() - started
  }
  const times = { known: [] as number[], nobody: [] as number[] }
  for (let i = 0; i < 5; i++) {
    times.known.push(await took(costly))
    times.nobody.push(await took(undefined))
  }
  // The quickest of each: what a busy machine adds to the others says nothing of us.
  const [known, nobody] = [Math.min(...times.known), Math.min(...times.nobody)]
  t.log(`a bcrypt hash ${known.toFixed(0)} ms, nobody ${nobody.toFixed(0)} ms`)
  t.true(nobody > 0.6 * known)
})
