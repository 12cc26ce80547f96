/** What she can look up: apps, sessions, sign-ins, and all of it as a file. */
import test from 'ava'
import { forgetChoice, listApps, withdrawApp } from '#account/apps.ts'
import { exportAccount } from '#account/export.ts'
import { listSignIns } from '#account/history.ts'
import { linkIdentity } from '#account/identities.ts'
import { endOtherSessions, endSession } from '#account/sessions.ts'
import { numberContext } from '#accounts/personal-numbers.ts'
import { seal } from '#lib/crypto.ts'
import { buildIdentity } from '../helpers/people.ts'
import { addSession, buildMember, issuer } from './member.ts'

const granted = { scopes: ['openid', 'profile'], claims: [], resources: {} }

test('an app she withdraws from has no consent, no choice and no token; others keep theirs', async (t) => {
  const her = await buildMember(t)
  const { store, id, clock } = her
  await addSession(store, id, 's1', 'app')
  await addSession(store, id, 's2', 'other')
  await store.consents.put(id, 'app', granted, 5)
  await store.affiliationChoices.choose(id, 'app', 'key', 5)
  await store.affiliationChoices.choose(id, 'third', 'key', 5)
  t.deepEqual(await listApps(store, id, clock.at), [
    { clientId: 'app', active: true, consent: { granted, at: 5 }, choice: 'key' },
    { clientId: 'other', active: true },
    { clientId: 'third', active: false, choice: 'key' },
  ])
  await forgetChoice(store, her.acting(), 'app')
  t.is((await listApps(store, id, clock.at))[0]?.clientId, 'app', 'forgotten, and still listed')
  t.true(await withdrawApp(store, her.acting(), 'app'))
  t.false(await withdrawApp(store, her.acting(), 'app'))
  t.deepEqual(await store.payloads.find(['token-s1-app']), [])
  t.is((await store.payloads.find(['token-s2-other'])).length, 1)
  t.deepEqual(await her.trail(), ['consent.withdraw ok', 'affiliation.forget ok'])
})

test('sessions are ended one by one or all but this one, and only her own', async (t) => {
  const her = await buildMember(t)
  const his = await buildMember(t, { store: her.store, account: 'chen@mail.edu.tw' })
  const { store, id, clock } = her
  for (const uid of ['this-session', 'two', 'three']) await addSession(store, id, uid)
  await addSession(store, his.id, 'his')
  t.is(await endSession(store, her.acting(), 'his', her.ports), 0)
  t.is((await store.payloads.sessionsOf(his.id, clock.at)).length, 1)
  t.is(await endSession(store, her.acting(), 'two', her.ports), 1)
  t.is(await endOtherSessions(store, her.acting(), her.ports), 1)
  const left = await store.payloads.sessionsOf(id, clock.at)
  t.deepEqual(
    left.map(({ payload }) => payload.uid),
    ['this-session'],
  )
  t.is((await store.payloads.sessionsOf(his.id, clock.at)).length, 1)
})

test('her sign-ins are read page by page, with networks and no addresses', async (t) => {
  const her = await buildMember(t)
  const { store, id } = her
  const event = { actor: id, action: 'session.sign-in', target: 'client:app', outcome: 'ok' }
  for (let at = 1; at <= 5; at++) {
    const details = at % 2 ? { way: 'password' } : { way: 'upstream', connector: 'ntpc' }
    await store.audit.record({ ...event, at, address: '203.0.113.77', details })
  }
  await store.audit.record({ ...event, actor: 'somebody else', at: 9 })
  const one = await listSignIns(store, id, { limit: 3 })
  t.deepEqual(
    one.list.map(({ at }) => at),
    [5, 4, 3],
  )
  t.like(one.list[1], {
    way: 'upstream',
    connector: 'ntpc',
    network: '203.0.113.0',
    clientId: 'app',
  })
  const two = await listSignIns(store, id, { cursor: one.next, limit: 3 })
  t.deepEqual(
    two.list.map(({ at }) => at),
    [2, 1],
  )
  t.is(two.next, undefined)
  for (const cursor of ['', "1.x' OR 1=1.1", '5.%.1', '-1.a.1', '9'.repeat(400)]) {
    t.is((await listSignIns(store, id, { cursor, limit: 3 })).list[0]?.at, 5, cursor)
  }
})

test('the file has everything of her, and nothing that would let somebody be her', async (t) => {
  const her = await buildMember(t, { recovery: { value: 'w@example.com', confirmed: false } })
  const { store, id, ports, clock } = her
  const numberKey = Buffer.alloc(32, 4)
  await linkIdentity(
    store,
    her.acting(),
    buildIdentity({ raw: { sub: 'teacher1', school: 'x' } }),
    ports,
  )
  await addSession(store, id, 's1')
  await store.consents.put(id, 'app', granted, 5)
  await store.personalNumbers.put({
    accountId: id,
    type: 'national-id',
    digest: 'digest-of-it',
    sealed: seal(numberKey, 'A123456789', numberContext('national-id', id)),
    createdAt: clock.at,
  })
  await store.pictures.put({
    accountId: id,
    type: 'image/webp',
    bytes: Buffer.from('pic'),
    updatedAt: 1,
  })
  const all = await exportAccount(store, her.acting(), { issuer, numberKey })
  const text = JSON.stringify(all)
  t.like(all, {
    account: { sub: id },
    identifiers: [{ value: 'wang@mail.edu.tw' }],
    recoveryAddress: { address: 'w@example.com' },
    identities: [{ connector: 'ntpc', claims: { school: 'x' } }],
    affiliations: [{ schoolCode: '014569', vouchedBy: 'ntpc' }],
    personalNumbers: [{ type: 'national-id', number: 'A123456789' }],
    consents: [{ app: 'app', scopes: ['openid', 'profile'] }],
    picture: { base64: Buffer.from('pic').toString('base64') },
  })
  const secret = (await store.credentials.findPassword(id))?.secret ?? 'none'
  for (const never of [secret, 'argon2', 'digest-of-it', 'sid-s1', 'grant-s1']) {
    t.false(text.includes(never), never)
  }
  t.is((await her.trail())[0], 'account.export ok')
})
