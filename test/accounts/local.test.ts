import test from 'ava'
import { signInLocally } from '#accounts/local.ts'
import { openPasswords } from '#accounts/passwords.ts'
import { BusyError } from '#errors.ts'
import { costOfAll } from '../helpers/computing.ts'
import { buildStore } from '../helpers/database.ts'
import { makeLocalAccount } from '../helpers/local-account.ts'

const passwords = openPasswords()
const ports = {
  now: () => 1_700_000_000_000,
  passwords,
  domain: 'mail.edu.tw',
}
const teacher = {
  account: 'Wang@mail.edu.tw',
  password: '正確的密碼 with spaces',
  name: '王老師',
}

test('a local account signs in by its address, in any case, width and with the domain left out', async (t) => {
  const store = await buildStore(t)
  await makeLocalAccount({ store, ...ports }, teacher)
  for (const account of ['wang@mail.edu.tw', ' WANG@MAIL.EDU.TW ', 'wang', 'ｗａｎｇ']) {
    const signIn = await signInLocally(store, { account, password: teacher.password }, ports)
    t.is(signIn.kind, 'signed-in', account)
  }
})

test('a wrong password and an unknown name are one answer', async (t) => {
  const store = await buildStore(t)
  await makeLocalAccount({ store, ...ports }, teacher)
  for (const account of ['wang', 'nobody']) {
    const signIn = await signInLocally(store, { account, password: 'wrong' }, ports)
    t.is(signIn.kind, 'wrong')
  }
})

test.serial('an unknown name costs as much time as a wrong password', async (t) => {
  const store = await buildStore(t)
  await makeLocalAccount({ store, ...ports }, teacher)
  const time = (account: string) =>
    costOfAll(() => signInLocally(store, { account, password: 'wrong' }, ports))
  await time('wang')
  const known: number[] = []
  const unknown: number[] = []
  for (let i = 0; i < 15; i++) {
    known.push(await time('wang'))
    unknown.push(await time('nobody'))
  }
  const median = (list: number[]) => list.sort((a, b) => a - b)[7] ?? 0
  const [a, b] = [median(known), median(unknown)]
  // Without the dummy hash the unknown name answers in under a millisecond.
  t.true(b > a / 2 && b < a * 2, `known ${a.toFixed(1)} ms, unknown ${b.toFixed(1)} ms`)
})

test('a name is given once; the second account is not half made', async (t) => {
  const store = await buildStore(t)
  await makeLocalAccount({ store, ...ports }, teacher)
  const second = makeLocalAccount({ store, ...ports }, { ...teacher, account: 'WANG@mail.edu.tw' })
  await t.throwsAsync(second, { message: /is taken/ })
  const written = await store.auditReads.list({ limit: 9, action: 'account.create' })
  t.is(written.length, 1)
})

test('passwords are never cut off and the same letters typed otherwise are the same', async (t) => {
  const long = 'a'.repeat(72)
  const hash = await passwords.hash(`${long}b`)
  t.false(await passwords.verify(hash, long))
  t.false(await passwords.verify(hash, `${long}c`))
  const accented = await passwords.hash('é'.normalize('NFC'))
  t.true(await passwords.verify(accented, 'é'.normalize('NFD')))
  t.regex(hash, /^\$argon2id\$v=19\$m=65536,t=3,p=1\$/)
})

test('when the queue is full the next one is turned away, and those inside are served', async (t) => {
  const small = openPasswords({ depth: 2 })
  const hash = await small.hash('x')
  const tries = Array.from({ length: 8 }, () => small.verify(hash, 'x'))
  const settled = await Promise.allSettled(tries)
  const busy = settled.filter((s) => s.status === 'rejected' && s.reason instanceof BusyError)
  const served = settled.filter((s) => s.status === 'fulfilled' && s.value)
  t.true(busy.length > 0)
  t.true(served.length > 0)
  t.is(busy.length + served.length, 8)
})
