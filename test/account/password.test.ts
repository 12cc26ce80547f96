import test from 'ava'
import { changePassword } from '#account/password.ts'
import { addSession, buildMember, type Her, password } from './member.ts'

const wanted = 'a quite different phrase 77'
const change = (her: Her, typed: Partial<Record<'current' | 'password' | 'again', string>> = {}) =>
  changePassword(
    her.store,
    her.acting(),
    { current: password, password: wanted, again: wanted, ...typed },
    her.ports,
  )

test('a changed password ends the other sessions and every refresh token, and she is told by mail', async (t) => {
  const her = await buildMember(t, { recovery: { value: 'w@example.com', confirmed: true } })
  const { store, id } = her
  await addSession(store, id, 'this-session')
  await addSession(store, id, 'other-session')
  await store.mailLinks.make({
    id: 'l',
    purpose: 'confirm-address',
    subject: id,
    memo: '',
    createdAt: 1,
    expiresAt: 9e9,
  })
  t.deepEqual(await change(her), { kind: 'changed', sessionsEnded: 1 })
  const left = await store.payloads.sessionsOf(id, her.clock.at)
  t.deepEqual(
    left.map(({ payload }) => payload.uid),
    ['this-session'],
  )
  t.deepEqual(await store.payloads.find(['token-this-session-app', 'token-other-session-app']), [])
  t.is(
    await store.mailLinks.findOpen(id, 'confirm-address', 2),
    undefined,
    'a waiting address dies',
  )
  const mails = await her.mails()
  t.deepEqual(mails.map(({ to }) => to).sort(), ['w@example.com', 'wang@mail.edu.tw'])
  t.false(mails.some(({ text }) => text.includes(wanted)))
  const known = await store.credentials.findPassword(id)
  t.true(await her.ports.passwords.verify(known?.secret, wanted))
  t.is((await her.trail())[0], 'password.change ok')
})

test('without the current password nothing changes, and guesses are counted with those at the sign-in page', async (t) => {
  const her = await buildMember(t)
  const before = await her.store.credentials.findPassword(her.id)
  t.deepEqual(await change(her, { current: 'wrong' }), { kind: 'wrong', waitSeconds: 0 })
  // As the sign-in page counts the same name from the same address.
  const begun = await her.ports.limits.begin({ name: 'wang@mail.edu.tw', ...her.ports.from() })
  if (begun.kind === 'begun') await begun.wrong()
  t.deepEqual(await change(her, { current: 'wrong' }), { kind: 'wrong', waitSeconds: 2 })
  t.like(await change(her), { kind: 'held', because: 'name' })
  t.is((await her.store.credentials.findPassword(her.id))?.secret, before?.secret)
  t.deepEqual(await her.mails(), [])
  t.true((await her.trail()).includes('password.change wrong'))
})

test('slips are all said, and none costs a guess', async (t) => {
  const her = await buildMember(t)
  t.deepEqual(await change(her, { current: '', password: 'short', again: 'short' }), {
    kind: 'again',
    problems: {
      current: 'account.password.current-empty',
      password: { key: 'password.too-short', params: { min: 10 } },
    },
  })
  t.like(await change(her, { again: 'else' }), {
    problems: { again: 'account.password.differs' },
  })
  t.like(await change(her, { password, again: password }), {
    problems: { password: 'account.password.same' },
  })
  t.like(await change(her, { password: 'wang@mail.edu.tw1', again: 'wang@mail.edu.tw1' }), {
    problems: { password: 'password.about-you' },
  })
  t.like(await change(her), { kind: 'changed' })
})

test('of two tabs that change the password at once one is told that it was changed meanwhile', async (t) => {
  const her = await buildMember(t)
  const other = 'another one altogether 88'
  const both = await Promise.all([change(her), change(her, { password: other, again: other })])
  t.deepEqual(both.map(({ kind }) => kind).sort(), ['changed', 'changed-meanwhile'])
})

test('who signs in with a county alone sets her first password, once, if she has a name for it', async (t) => {
  const her = await buildMember(t, { hasPassword: false })
  const both = await Promise.all([change(her, { current: '' }), change(her, { current: '' })])
  t.deepEqual(both.map(({ kind }) => kind).sort(), ['changed', 'changed-meanwhile'])
  t.is((await her.trail())[0], 'password.set ok')
  const nameless = await buildMember(t, { hasPassword: false, account: false })
  t.deepEqual(await change(nameless), { kind: 'no-name' })
})
