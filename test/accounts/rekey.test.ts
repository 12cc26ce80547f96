/** A county moves to another protocol: its people are known by what it signs of their former identifiers. */
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { linkIdentity } from '#account/identities.ts'
import { signInFederated } from '#accounts/federated.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { openDatabase } from '#store/database.ts'
import { LinkedMeanwhileError, type Store } from '#store/store.ts'
import { buildMember } from '../account/member.ts'
import { openUpstream } from '../federation/canned-upstream.ts'
import { buildStore, testEngine } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { buildIdentity } from '../helpers/people.ts'

const now = () => 1_700_000_000_000
const later = () => 1_800_000_000_000
const where = { clientId: 'app', address: '127.0.0.1', ref: 'R' }

const formerKey = {
  issuer: 'https://openid.ntpc.edu.tw/',
  subject: 'https://openid.ntpc.edu.tw/user/teacher1',
}
/** As she came over OpenID 2.0. */
const before = (more: Partial<UpstreamIdentity> = {}) =>
  buildIdentity({
    connector: 'ntpc-openid',
    ...formerKey,
    openid2Ids: [formerKey.subject],
    ...more,
  })
/** As she comes over OpenID Connect: another key, and the county's word for the former one. */
const after = (more: Partial<UpstreamIdentity> = {}) =>
  buildIdentity({ subject: 'f3b1-uuid', former: [formerKey], ...more })

const come = async (store: Store, identity: UpstreamIdentity, at = later) => {
  const came = await signInFederated(store, identity, at, where)
  if (came.kind !== 'signed-in') throw new Error(`${came.kind}`)
  return came
}
const rekeys = async (store: Store) =>
  (await store.auditReads.list({ limit: 100 })).filter(({ action }) => action === 'identity.rekey')

test('who was known over OpenID 2.0 is known over OpenID Connect: one link, one account, one event', async (t) => {
  const store = await buildStore(t)
  const first = await come(store, before(), now)
  const [link] = await store.identities.ofAccount(first.accountId)
  const moved = { schoolCode: '014570', role: 'staff' as const, titles: ['組長'], classes: [] }
  const said = { profile: { name: '王大明' }, affiliations: [moved], raw: { sub: 'f3b1-uuid' } }
  const again = await come(store, after(said))
  t.deepEqual(again, { kind: 'signed-in', accountId: first.accountId, created: false })
  const links = await store.identities.ofAccount(first.accountId)
  t.is(links.length, 1)
  t.like(links[0], {
    id: link?.id,
    connector: 'ntpc',
    issuer: 'https://ntpc.sso.edu.tw',
    subject: 'f3b1-uuid',
    raw: { sub: 'f3b1-uuid' },
    createdAt: link?.createdAt,
    readAt: 1_800_000_000,
  })
  t.is(await store.identities.find(formerKey.issuer, formerKey.subject), undefined)
  const schools = await store.affiliations.ofAccount(first.accountId)
  t.deepEqual(
    schools.map(({ schoolCode }) => schoolCode),
    ['014570'],
  )
  const { profile } = (await store.accounts.find(first.accountId)) ?? {}
  t.like(profile?.name, { value: '王大明', by: 'ntpc' }, 'what the county says stays the county’s')
  t.is(profile?.email, undefined)

  const [event] = await rekeys(store)
  t.like(event, { outcome: 'ok', actor: first.accountId, address: '127.0.0.1', ref: 'R' })
  t.like(event?.details, { from: 'ntpc-openid', to: 'ntpc' })
  t.notRegex(JSON.stringify(event), /teacher1|uuid|openid\.ntpc/, 'no identifier in plain')
  t.deepEqual(await come(store, after(said)), again)
  t.is((await rekeys(store)).length, 1, 'once')
})

test('while both ways of her county are open, she is who she was on either of them', async (t) => {
  const store = await buildStore(t)
  const { accountId } = await come(store, before(), now)
  const known = await come(store, after())
  const [link] = await store.identities.ofAccount(accountId)
  for (const identity of [before(), after(), before()]) {
    t.deepEqual(await come(store, identity), known)
  }
  t.deepEqual(await store.identities.ofAccount(accountId), [link], 'nothing is re-keyed back')
  t.is((await rekeys(store)).length, 1)

  const stranger = await come(store, before({ subject: `${formerKey.subject}2` }))
  t.not(stranger.accountId, accountId)
  await store.accounts.suspend(accountId, 1)
  const barred = await signInFederated(store, before(), later, where)
  t.deepEqual(barred, { kind: 'barred', accountId, status: 'suspended' })
})

test('the way she had before is hers until she unlinks the one it became', async (t) => {
  const his = await buildMember(t)
  const { store } = his
  const { accountId } = await come(store, before(), now)
  await come(store, after())
  t.deepEqual(await linkIdentity(store, his.acting(), before(), his.ports), { kind: 'taken' })
  const [link] = await store.identities.ofAccount(accountId)
  t.true(await store.identities.unlink(link?.id ?? '', accountId))
  t.not((await come(store, before())).accountId, accountId, 'nobody knows her by it any more')
})

test('of ten that come at once one is re-keyed, and all sign in', async (t) => {
  const store = await buildStore(t)
  const { accountId } = await come(store, before(), now)
  const all = await Promise.all(Array.from({ length: 10 }, () => come(store, after())))
  t.deepEqual(new Set(all.map((one) => one.accountId)), new Set([accountId]))
  t.is((await rekeys(store)).length, 1)
})

test('who is known under the new key already is left alone: joining two accounts is for her to ask', async (t) => {
  const store = await buildStore(t)
  const old = await come(store, before(), now)
  const own = await come(store, after({ former: [] }), now)
  t.not(old.accountId, own.accountId)
  t.is((await come(store, after())).accountId, own.accountId)
  const still = await store.identities.find(formerKey.issuer, formerKey.subject)
  t.is(still?.account.id, old.accountId)
  t.deepEqual(await rekeys(store), [])
})

test('former links of two accounts mean nobody: staff can see it, and she is new', async (t) => {
  const store = await buildStore(t)
  const second = { ...formerKey, subject: `${formerKey.subject}-2` }
  const one = await come(store, before(), now)
  const two = await come(store, before(second), now)
  const warned: unknown[] = []
  const log = { warn: (...line: unknown[]) => void warned.push(line) }
  const both = after({ former: [formerKey, second] })
  const came = await signInFederated(store, both, later, where, { log: log as never })
  t.like(came, { kind: 'signed-in', created: true })
  t.false(came.kind === 'signed-in' && [one.accountId, two.accountId].includes(came.accountId))
  t.like((await rekeys(store))[0], { outcome: 'ambiguous', actor: 'unknown' })
  t.is((await rekeys(store)).length, 1)
  t.is(warned.length, 1)
  t.notRegex(JSON.stringify(warned), /teacher1|uuid/)
})

test('of two former links of one account the one used last is carried over', async (t) => {
  const her = await buildMember(t)
  const { store } = her
  const second = { ...formerKey, subject: `${formerKey.subject}-2` }
  await linkIdentity(store, her.acting(), before(), her.ports)
  her.clock.at += 60
  await linkIdentity(store, her.acting(), before(second), her.ports)
  const came = await come(store, after({ former: [formerKey, second] }))
  t.is(came.accountId, her.id)
  const subjects = (await store.identities.ofAccount(her.id)).map(({ subject }) => subject)
  t.deepEqual(subjects.sort(), ['f3b1-uuid', formerKey.subject])
})

test('nothing else ever re-keys: each of these is somebody new', async (t) => {
  const store = await buildStore(t)
  const email = 'wang@apps.ntpc.edu.tw'
  const { accountId } = await come(store, before({ fingerprint: 'the-same-print' }), now)
  const alike = buildIdentity().affiliations
  const others: Record<string, Partial<UpstreamIdentity>> = {
    'the same address': { subject: 'a', profile: { email, emailVerified: true } },
    'the same name and school': { subject: 'b', profile: { name: '王小明' }, affiliations: alike },
    'the same guid': { subject: 'c', fingerprint: 'the-same-print' },
    'the same subject at another issuer': { subject: formerKey.subject },
    'the identifier in openid2Ids alone': { subject: 'd', openid2Ids: [formerKey.subject] },
    'the identifier in what is kept raw': { subject: 'e', raw: { openid2_id: formerKey.subject } },
    'the same issuer, another subject': { subject: 'f', former: [{ ...formerKey, subject: 'x' }] },
    'the same subject, another issuer': { subject: 'g', former: [{ ...formerKey, issuer: 'x' }] },
  }
  for (const [what, more] of Object.entries(others)) {
    const came = await come(store, buildIdentity(more))
    t.true(came.created, what)
    t.not(came.accountId, accountId, what)
  }
  t.deepEqual(await rekeys(store), [])
  t.truthy(await store.identities.find(formerKey.issuer, formerKey.subject))
})

test('a county’s word counts signed, and for its own people only', async (t) => {
  const store = await buildStore(t)
  const own = 'https://openid.ntpc.edu.tw/user/teacher1'
  const { accountId } = await come(store, before(), now)
  const former = [
    {
      issuer: formerKey.issuer,
      hosts: ['openid.ntpc.edu.tw', 'old.ntpc.edu.tw'],
      claimed_id: '^https://openid\\.ntpc\\.edu\\.tw/user/[^/?#]+$',
    },
  ]
  const says = (canned: Parameters<typeof openUpstream>[0]) =>
    openUpstream({ file: { former }, ...canned }).signIn()
  const strangers = {
    'unsigned, in userinfo': await says({ userinfo: { openid2_id: [own] } }),
    'of another county’s host': await says({
      claims: { openid2_id: ['https://openid.kh.edu.tw/user/teacher1'] },
    }),
    'of a host below': await says({
      claims: { openid2_id: ['https://openid.ntpc.edu.tw.evil.example/user/teacher1'] },
    }),
    'with a password in it': await says({
      claims: { openid2_id: ['https://openid.ntpc.edu.tw@evil.example/user/teacher1'] },
    }),
  }
  for (const [what, identity] of Object.entries(strangers)) {
    const came = await come(store, { ...identity, subject: what })
    t.true(came.created, what)
  }
  const hers = await says({ claims: { openid2_id: ['http://old.ntpc.edu.tw/user/teacher1'] } })
  t.is((await come(store, hers)).accountId, accountId, 'its former host, over http: one spelling')
})

test('who may not come in does not get round it by the new way', async (t) => {
  const her = await buildMember(t)
  const { store } = her
  await linkIdentity(store, her.acting(), before(), her.ports)
  const valuesOf = async () =>
    Object.entries((await store.accounts.find(her.id))?.profile ?? {}).map(([name, one]) => [
      name,
      one.value,
    ])
  const values = await valuesOf()
  await store.accounts.close(her.id, 1_000_100)
  const came = await signInFederated(store, after(), later, where)
  t.like(came, { kind: 'barred', status: 'closed', accountId: her.id })
  t.deepEqual(await valuesOf(), values, 'nothing is added to it')
})

test('who has her account back has what the county says now, too', async (t) => {
  const her = await buildMember(t)
  const { store } = her
  await linkIdentity(store, her.acting(), before(), her.ports)
  await store.accounts.close(her.id, 1_000_100)
  const moved = { schoolCode: '014570', role: 'staff' as const, titles: ['組長'], classes: [] }
  const email = 'daming@apps.ntpc.edu.tw'
  const said = after({ profile: { nickname: '大明', email }, affiliations: [moved] })
  t.like(await signInFederated(store, said, later, where), { kind: 'barred', status: 'closed' })
  await store.accounts.reopen(her.id, 1_000_100, 1_000_200)
  await come(store, said)
  t.like(await store.affiliations.ofAccount(her.id), [{ schoolCode: '014570' }])
  const { profile } = (await store.accounts.find(her.id)) ?? {}
  t.is(profile?.nickname?.value, '大明')
  t.like(profile?.email, { value: email, by: 'ntpc' }, 'what the county said stays the county’s')
})

test('a login that is somebody else’s by the new way’s own word is not carried over', async (t) => {
  const store = await buildStore(t)
  await come(store, before({ fingerprint: 'claim-hers' }), now)
  const came = await signInFederated(store, after({ fingerprint: 'claim-his' }), later, where)
  t.like(came, { kind: 'reused' })
  t.deepEqual(await rekeys(store), [])
  const same = await come(store, after({ fingerprint: 'claim-hers' }))
  t.false(same.created)
})

test('a member who links her county anew has one link of it, not two', async (t) => {
  const her = await buildMember(t)
  const { store } = her
  await linkIdentity(store, her.acting(), before(), her.ports)
  await her.mails()
  const linked = await linkIdentity(store, her.acting(), after(), her.ports)
  t.deepEqual(linked, { kind: 'linked', connector: 'ntpc' })
  const links = await store.identities.ofAccount(her.id)
  t.deepEqual(
    links.map(({ subject }) => subject),
    ['f3b1-uuid'],
  )
  t.deepEqual(await her.trail(), ['identity.link ok', 'identity.rekey ok', 'identity.link ok'])
  t.is((await her.mails()).length, 1, 'she is told of it')
})

test('nor is her own former link, where the county’s own word says that it is somebody else’s by now', async (t) => {
  const her = await buildMember(t)
  const { store } = her
  await linkIdentity(store, her.acting(), before({ fingerprint: 'claim-hers' }), her.ports)
  const his = after({ fingerprint: 'claim-his' })
  t.deepEqual(await linkIdentity(store, her.acting(), his, her.ports), { kind: 'taken' })
  t.deepEqual(await rekeys(store), [])
  t.is(await store.identities.find(his.issuer, his.subject), undefined)
})

test('how her county knew somebody else is not hers to link', async (t) => {
  const his = await buildMember(t)
  const { store } = his
  await linkIdentity(store, his.acting(), before(), his.ports)
  const her = await buildMember(t, { store, account: 'chen@mail.edu.tw' })
  t.deepEqual(await linkIdentity(store, her.acting(), after(), her.ports), { kind: 'taken' })
  t.is((await her.trail())[0], 'identity.link taken')
  t.deepEqual(await store.identities.ofAccount(her.id), [])
  t.is((await store.identities.find(formerKey.issuer, formerKey.subject))?.account.id, his.id)
})

/** PostgreSQL says who waits for whom; SQLite has one writer after the other, whenever they come. */
async function untilSheWaits({ where }: Store) {
  if (where.engine === 'sqlite') return sleep(100)
  const knex = openDatabase(where)
  const blocked = () =>
    knex('pg_stat_activity').whereRaw(
      "datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'",
    )
  await eventually(blocked, ({ length }) => length > 0)
  await knex.destroy()
}

test('somebody who links the new key at the very same moment has it, and the former link stays', async (t) => {
  const her = await buildMember(t)
  const { store } = her
  await linkIdentity(store, her.acting(), before(), her.ports)
  const other = await buildMember(t, { store, account: 'chen@mail.edu.tw' })
  const found = await store.identities.find(formerKey.issuer, formerKey.subject)
  if (!found) return t.fail()
  let rekeying: Promise<boolean | 'lost'> | undefined
  // Inside his transaction, which is not through yet.
  await store.transaction(async (tables) => {
    const { connector, issuer, subject, openid2Ids, raw } = after()
    const row = { connector, issuer, subject, openid2Ids, raw, readAt: 1 }
    await tables.identities.link({ ...row, id: 'his', accountId: other.id, createdAt: 1 })
    rekeying = store
      .transaction((hers) => hers.identities.rekey(found.identity, row))
      .catch((error: unknown) => {
        if (error instanceof LinkedMeanwhileError) return 'lost' as const
        throw error
      })
    await untilSheWaits(store)
  })
  // PostgreSQL finds out at the index, SQLite has them one after the other.
  t.is(await rekeying, testEngine === 'postgres' ? 'lost' : false)
  t.is((await store.identities.find(formerKey.issuer, formerKey.subject))?.account.id, her.id)
  t.is((await come(store, after())).accountId, other.id)
})

test('who is known costs no statement more because her county names what was before', async (t) => {
  const store = await buildStore(t)
  const plain = after({ former: [] })
  await come(store, plain)
  const costs = async (identity: UpstreamIdentity) => {
    const sent = store.statements()
    await come(store, identity)
    return store.statements() - sent
  }
  const usual = await costs(plain)
  t.is(await costs(after()), usual)
})
