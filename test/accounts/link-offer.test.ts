/** Somebody new brings the address of an account: she is asked, and nothing is linked by itself. */
import test from 'ava'
import { acceptOffer } from '#account/link-offer.ts'
import { type FederatedSignIn, signInFederated } from '#accounts/federated.ts'
import type { Linking } from '#accounts/link-offer.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import {
  findOffer,
  keepOffer,
  keepShown,
  stillStands,
  takeOffer,
} from '#interaction/link-offers.ts'
import { openDatabase } from '#store/database.ts'
import type { Store, Tables } from '#store/store.ts'
import { buildMember, type Her } from '../account/member.ts'
import { engines } from '../helpers/database.ts'
import { buildIdentity } from '../helpers/people.ts'

const where = { clientId: 'app', address: '127.0.0.1', ref: 'R' }
const ask: Linking = { policy: 'ask', domain: 'mail.edu.tw' }
const word: Linking = { policy: 'verified-email', domain: 'mail.edu.tw' }

const bringing = (email: string, emailVerified = false, more: Partial<UpstreamIdentity> = {}) =>
  buildIdentity({ profile: { name: '某人', email, emailVerified }, ...more })

const come = (store: Store, identity: UpstreamIdentity, linking?: Linking) =>
  signInFederated(store, identity, () => 1_000_000_000, where, {
    newcomers: 'tell',
    ...(linking ? { linking } : {}),
  })

const told = (came: FederatedSignIn) =>
  came.kind === 'offer' ? `offer by ${came.offer.proof}` : came.kind

test('an address is an account’s when it is shown to be, or given out by us, as people write it', async (t) => {
  const her = await buildMember(t, { account: 'wang@apps.ntpc.edu.tw' })
  const { store } = her
  const named = await buildMember(t, { store, account: 'lin@mail.edu.tw' })
  const at = 1
  await store.identifiers.take({ type: 'username', value: 'chen', accountId: named.id })
  const unproven = { type: 'email' as const, value: 'not-proven@example.tw', accountId: her.id }
  await store.identifiers.take(unproven)
  const cases: [address: string, whose: string | undefined][] = [
    ['wang@apps.ntpc.edu.tw', her.id],
    ['  WANG@Apps.NTPC.edu.tw ', her.id],
    ['ｗａｎｇ@apps.ntpc.edu.tw', her.id],
    ['lin@mail.edu.tw', named.id],
    ['Chen@MAIL.edu.tw', named.id],
    ['chen@apps.ntpc.edu.tw', undefined],
    ['chen@evil-mail.edu.tw', undefined],
    ['not-proven@example.tw', undefined],
    ['nobody@example.tw', undefined],
    ['NA', undefined],
    ['@mail.edu.tw', undefined],
    ['chen', undefined],
    ['', undefined],
  ]
  for (const [address, whose] of cases) {
    const came = await come(store, bringing(address), ask)
    t.is(came.kind === 'offer' ? came.offer.accountId : undefined, whose, address)
  }
  await store.accounts.close(her.id, at)
  t.is((await come(store, bringing('wang@apps.ntpc.edu.tw'), ask)).kind, 'unknown', 'closed')
})

test('her own word is enough only where both sides verified the address, letter by letter', async (t) => {
  const her = await buildMember(t, { account: 'wang@example.tw' })
  const { store } = her
  await store.identifiers.take({
    type: 'username',
    value: 'wang',
    accountId: her.id,
    verifiedAt: 1,
  })
  const cases: [UpstreamIdentity, Linking, string][] = [
    [bringing('wang@example.tw', true), word, 'offer by word'],
    [bringing(' Wang@Example.TW', true), word, 'offer by word'],
    [bringing('wang@example.tw', false), word, 'offer by sign-in'],
    [bringing('wang@example.tw', true), ask, 'offer by sign-in'],
    // Other mailboxes, which look the same once they are compared as people mean them.
    [bringing('ｗang@example.tw', true), word, 'offer by sign-in'],
    [bringing('wan\u{1D420}@example.tw', true), word, 'offer by sign-in'],
    // A name that would be this address is not an address she has shown to be hers.
    [bringing('wang@mail.edu.tw', true), word, 'offer by sign-in'],
    [bringing('wang@example.tw', true), { policy: 'never' }, 'unknown'],
  ]
  for (const [identity, linking, expected] of cases) {
    const { email } = identity.profile
    t.is(told(await come(store, identity, linking)), expected, `${email} ${linking.policy}`)
  }
  t.is(told(await come(store, bringing('wang@example.tw', true))), 'unknown', 'nobody asks')
})

test('who is known is not asked, and a newcomer costs one look-up', async (t) => {
  const her = await buildMember(t, { account: 'wang@example.tw' })
  const { store } = her
  const identity = bringing('wang@example.tw')
  const costs = async (linking?: Linking) => {
    const before = store.statements()
    const came = await come(store, identity, linking)
    return { kind: came.kind, statements: store.statements() - before }
  }
  t.deepEqual(await costs(), { kind: 'unknown', statements: 1 })
  t.deepEqual(await costs(ask), { kind: 'offer', statements: 2 })
  await signInFederated(store, identity, () => 1_000_000_000, where)
  await come(store, identity)
  const { statements } = await costs()
  t.deepEqual(await costs(ask), { kind: 'signed-in', statements })
})

const dataKey = Buffer.alloc(32, 4)
const place = { uid: 'question-1', device: 'device-1' }
const circumstances = { address: '127.0.0.1', ref: 'R' }

const connectors = new Map([['ntpc', {}]])
const portsOf = ({ store, clock }: Her) => ({
  store,
  dataKey,
  connectors,
  now: () => clock.at * 1000,
})

async function offered(her: Her, identity = bringing('wang@mail.edu.tw')) {
  const offer = { accountId: her.id, address: 'wang@mail.edu.tw', proof: 'sign-in' as const }
  await keepOffer(portsOf(her), place, offer, { identity, remember: true, circumstances })
  const open = await findOffer(portsOf(her), place)
  if (!open) throw new Error('no offer')
  return open
}

test('who came waits for one question in one browser for ten minutes, sealed', async (t) => {
  const her = await buildMember(t)
  const open = await offered(her)
  t.like(open, { accountId: her.id, proof: 'sign-in', remember: true, arrivedAt: her.clock.at })
  t.is(open.identity.profile.name, '某人')
  const elsewhere = [
    { ...place, uid: 'question-2' },
    { ...place, device: 'device-2' },
  ]
  for (const other of elsewhere) {
    t.is(await findOffer(portsOf(her), other), undefined)
    t.false(await takeOffer(her.store, other, open, her.clock.at))
  }
  const knex = openDatabase(her.store.where)
  t.teardown(() => knex.destroy())
  const rows = JSON.stringify(await knex('link_offer').select())
  t.notRegex(rows, /某人|wang|teacher1|ntpc|question-1/)
  t.like(await her.store.auditReads.list({ limit: 1 }), [
    { action: 'identity.link', outcome: 'offered', actor: 'unknown', target: her.id },
  ])
  her.clock.at += 10 * 60
  t.is(await findOffer(portsOf(her), place), undefined)
  t.false(await takeOffer(her.store, place, open, her.clock.at))
})

const accept = (her: Her, open: Awaited<ReturnType<typeof offered>>, stands = true) =>
  acceptOffer(her.store, her.acting(), open.identity, {
    ...her.ports,
    take: (tables: Tables) => takeOffer(tables, place, open, her.clock.at),
    stands: async () => stands,
  })

test('accepted, it is linked in one go with the offer’s end, and she is told by mail', async (t) => {
  const her = await buildMember(t)
  const open = await offered(her)
  const all = await Promise.all(Array.from({ length: 5 }, () => accept(her, open)))
  t.deepEqual(all.map(({ kind }) => kind).sort(), ['linked', 'over', 'over', 'over', 'over'])
  t.is((await her.store.identities.ofAccount(her.id)).length, 1)
  const [event] = await her.store.auditReads.list({ limit: 1, actor: her.id })
  t.like(event, { action: 'identity.link', outcome: 'ok', details: { how: 'offer' } })
  const mails = await her.mails()
  t.is(mails.length, 1)
  t.regex(mails[0]?.subject ?? '', /連結了新北市帳號/)
  t.is(await findOffer(portsOf(her), place), undefined)
})

test('what it stood on holds no more: nothing is linked, and the offer stays', async (t) => {
  const her = await buildMember(t)
  const open = await offered(her)
  t.deepEqual(await accept(her, open, false), { kind: 'over' })
  t.truthy(await findOffer(portsOf(her), place))
  await her.store.accounts.close(her.id, her.clock.at)
  t.deepEqual(await accept(her, open), { kind: 'over' })
  t.deepEqual(await her.store.identities.ofAccount(her.id), [])
})

test('a later arrival takes the place of an earlier one, which counts no more', async (t) => {
  const her = await buildMember(t)
  const first = await offered(her)
  const second = await offered(her, bringing('wang@mail.edu.tw', false, { subject: 'second' }))
  t.not(first.mark, second.mark)
  t.deepEqual(await accept(her, first), { kind: 'over' })
  t.deepEqual(await accept(her, second), { kind: 'linked', connector: 'ntpc' })
  const subjects = (await her.store.identities.ofAccount(her.id)).map(({ subject }) => subject)
  t.deepEqual(subjects, ['second'])
})

test('somebody linked it meanwhile: it is never taken from her', async (t) => {
  const her = await buildMember(t)
  const open = await offered(her)
  const made = await signInFederated(her.store, open.identity, her.ports.now, where)
  t.is(made.kind, 'signed-in')
  t.deepEqual(await accept(her, open), { kind: 'taken' })
  t.deepEqual(await her.store.identities.ofAccount(her.id), [])
})

for (const engine of engines) {
  test(`${engine}: what she has shown waits for her second factor, and revives no offer that is over`, async (t) => {
    const her = await buildMember(t, {}, engine)
    const open = await offered(her)
    const { store } = her
    const login = { accountId: her.id, acr: 'x', amr: ['pwd'], remember: false, ts: her.clock.at }
    const show = (seen = open, stands = true) =>
      keepShown(portsOf(her), place, seen, { login, stands: async () => stands })
    await show(open, false)
    t.is((await findOffer(portsOf(her), place))?.shown, undefined, 'a password of just before')
    await Promise.all([show(), show()])
    const waiting = await findOffer(portsOf(her), place)
    t.like(waiting, { mark: open.mark, accountId: her.id, shown: { login } })
    const shown = waiting?.shown
    if (!waiting || !shown) return t.fail()
    t.true(await stillStands(store, shown))
    const credential = await store.credentials.findPassword(her.id)
    await store.credentials.setSecret(credential?.id ?? '', 'another hash', her.clock.at)
    t.false(await stillStands(store, shown))

    t.deepEqual(await accept(her, waiting), { kind: 'linked', connector: 'ntpc' })
    await show(waiting)
    t.is(await findOffer(portsOf(her), place), undefined)
    const late = await offered(her, bringing('wang@mail.edu.tw', false, { subject: 'late' }))
    her.clock.at += 10 * 60
    await show(late)
    t.is(await findOffer(portsOf(her), place), undefined)
  })

  test(`${engine}: more than a password guards it: nothing is linked until that was shown`, async (t) => {
    const her = await buildMember(t, {}, engine)
    const open = await offered(her)
    const role = { holder: her.id, role: 'support', reach: '' }
    await her.store.staffRoles.grant({ ...role, grantedAt: 1, grantedBy: 'operator:t' })
    t.deepEqual(await accept(her, open), { kind: 'guarded' })
    t.deepEqual(await her.store.identities.ofAccount(her.id), [])
    t.truthy(await findOffer(portsOf(her), place))
    await her.store.staffRoles.revoke(role)
    t.deepEqual(await accept(her, open), { kind: 'linked', connector: 'ntpc' })
  })
}
