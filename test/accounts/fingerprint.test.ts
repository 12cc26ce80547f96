/** A county gives an old login to a new person: she is told apart by what never changes of a person. */
import test from 'ava'
import { type FederatedSignIn, signInFederated } from '#accounts/federated.ts'
import { openFingerprints } from '#accounts/fingerprint.ts'
import { acceptIdentity, listIdentities, releaseIdentity } from '#admin/identities.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { Mail } from '#lib/mail.ts'
import type { Store } from '#store/store.ts'
import { writeLetter } from '../account/member.ts'
import { buildStore } from '../helpers/database.ts'
import { buildIdentity } from '../helpers/people.ts'

const day = 24 * 60 * 60
const where = { clientId: 'app', address: '127.0.0.1', ref: 'R' }
const key = Buffer.alloc(32, 5)
const guid = openFingerprints(key, () => 'guid')
const hers = guid('ntpc', 'a-guid-of-hers')
const his = guid('ntpc', 'a-guid-of-his')
const by = { actor: 'operator:test', at: 3_000_000 }

const staff = {
  addresses: ['help@example.gov.tw', 'second@example.gov.tw'],
  language: 'zh-TW',
  writeLetter,
  labelOf: () => '新北市',
}

const come = (store: Store, more: Partial<UpstreamIdentity>, at = 1_000_000) =>
  signInFederated(store, buildIdentity(more), () => at * 1000, where, { staff })
const accountOf = (came: FederatedSignIn) => (came.kind === 'signed-in' ? came.accountId : '')
const linkOf = async (store: Store) =>
  (await store.identities.find('https://ntpc.sso.edu.tw', 'teacher1'))?.identity

async function mails(store: Store): Promise<Mail[]> {
  const waiting = await store.outbox.list()
  const all = waiting.map(async ({ id }) => {
    const taken = await store.outbox.take(id, { at: 9_000_000, until: 9_000_060 })
    return taken?.payload as Mail
  })
  return Promise.all(all)
}

test('a value is kept as a keyed hash that fits its column, and says of which claim it is', (t) => {
  t.is(hers.length, 43)
  t.notRegex(hers, /guid/)
  t.not(hers, his)
  t.is(hers, guid('kh', 'a-guid-of-hers'), 'at a county’s two connectors it is the same')
  t.not(hers, openFingerprints(Buffer.alloc(32, 6), () => 'guid')('ntpc', 'a-guid-of-hers'))
})

test('set at the first sign-in, or when the county first says it; the same one goes on', async (t) => {
  const store = await buildStore(t)
  const first = await come(store, {})
  t.is((await linkOf(store))?.fingerprint, undefined)
  t.deepEqual(await come(store, { fingerprint: hers }), { ...first, created: false } as never)
  t.is((await linkOf(store))?.fingerprint, hers)
  t.like(await come(store, { fingerprint: hers }), { kind: 'signed-in' })
  t.like(await come(store, {}), { kind: 'signed-in' }, 'left out once, it is kept')
  t.is((await linkOf(store))?.fingerprint, hers)
  await come(store, { subject: 'second', fingerprint: hers })
  const second = await store.identities.find('https://ntpc.sso.edu.tw', 'second')
  t.is(second?.identity.fingerprint, hers, 'from the first sign-in on')
})

test('another one stops the sign-in: nothing of the account is touched, staff are told once a day', async (t) => {
  const store = await buildStore(t)
  const accountId = accountOf(await come(store, { fingerprint: hers }))
  const before = {
    link: await linkOf(store),
    account: await store.accounts.find(accountId),
    schools: await store.affiliations.ofAccount(accountId),
  }
  const newOwner = { fingerprint: his, profile: { name: '陳大文' }, affiliations: [] }
  const stopped = await come(store, newOwner, 1_000_100)
  t.deepEqual(stopped, { kind: 'reused', identityId: before.link?.id ?? '' })
  await come(store, newOwner, 1_000_200)
  t.deepEqual(
    {
      link: await linkOf(store),
      account: await store.accounts.find(accountId),
      schools: await store.affiliations.ofAccount(accountId),
    },
    before,
  )
  const events = await store.auditReads.list({ limit: 10 })
  const reused = events.filter(({ action }) => action === 'identity.reused')
  t.is(reused.length, 2)
  t.like(reused[0], { actor: 'unknown', target: accountId, outcome: 'stopped', ref: 'R' })
  t.like(reused[0]?.details, { connector: 'ntpc', identity: before.link?.id })
  t.notRegex(JSON.stringify(events), new RegExp(`${hers}|${his}|陳大文`))

  const told = await mails(store)
  t.deepEqual(told.map(({ to }) => to).sort(), [...staff.addresses].sort())
  const [letter] = told
  t.true(letter?.text.includes(`citygate identity accept ${before.link?.id}`))
  t.notRegex(letter?.text ?? '', /王小明|陳大文|teacher1/)
  await come(store, newOwner, 1_000_100 + day)
  t.is((await store.outbox.list()).length, 4, 'the next day again')
})

test('without anybody to write to it is stopped all the same', async (t) => {
  const store = await buildStore(t)
  await come(store, { fingerprint: hers })
  const said = buildIdentity({ fingerprint: his })
  const came = await signInFederated(store, said, () => 2_000_000_000, where)
  t.is(came.kind, 'reused')
  t.deepEqual(await store.outbox.list(), [])
})

test('whoever has the login now learns nothing of how the account fares', async (t) => {
  const store = await buildStore(t)
  const accountId = accountOf(await come(store, { fingerprint: hers }))
  await store.accounts.close(accountId, 1_000_050)
  t.is((await come(store, { fingerprint: his })).kind, 'reused', 'not: closed, yours to reopen')
  t.is((await come(store, { fingerprint: hers })).kind, 'barred')
})

test('after an operator chose another claim nobody is stopped', async (t) => {
  const store = await buildStore(t)
  await come(store, { fingerprint: hers })
  const other = openFingerprints(key, () => 'personid')('ntpc', 'another-number')
  t.like(await come(store, { fingerprint: other }), { kind: 'signed-in', created: false })
  t.is((await linkOf(store))?.fingerprint, other)
})

test('of two people whose first fingerprints come at once one is let in', async (t) => {
  const store = await buildStore(t)
  await come(store, {})
  const both = await Promise.all([
    come(store, { fingerprint: hers }),
    come(store, { fingerprint: his }),
  ])
  t.deepEqual(both.map(({ kind }) => kind).sort(), ['reused', 'signed-in'])
})

test('staff let the same person in again, and what she is told by from then on counts', async (t) => {
  const store = await buildStore(t)
  const accountId = accountOf(await come(store, { fingerprint: hers }))
  const id = (await linkOf(store))?.id ?? ''
  t.false(await acceptIdentity(store, 'no-such-link', by))
  t.true(await acceptIdentity(store, id, by))
  t.is(accountOf(await come(store, { fingerprint: his })), accountId)
  t.is((await come(store, { fingerprint: hers })).kind, 'reused')
  const events = await store.auditReads.list({ limit: 10, actor: 'operator:test' })
  t.like(events, [{ action: 'identity.accept', target: accountId, outcome: 'ok' }])
})

test('staff take a login away that is somebody else’s: he gets an account of his own', async (t) => {
  const store = await buildStore(t)
  const accountId = accountOf(await come(store, { fingerprint: hers }))
  const id = (await linkOf(store))?.id ?? ''
  t.deepEqual(await releaseIdentity(store, 'no-such-link', by), { kind: 'unknown' })
  const released = await releaseIdentity(store, id, by)
  t.deepEqual(released, { kind: 'released', accountId, waysLeft: 0 })
  t.deepEqual(await store.affiliations.ofAccount(accountId), [])
  const came = await come(store, { fingerprint: his })
  t.like(came, { kind: 'signed-in', created: true })
  t.not(accountOf(came), accountId)
  const events = await store.auditReads.list({ limit: 10, actor: 'operator:test' })
  t.like(events, [{ action: 'identity.unlink', target: accountId, details: { identity: id } }])
})

test('what could not be read is noted for staff, and gone when it can be', async (t) => {
  const store = await buildStore(t)
  const accountId = accountOf(await come(store, { unread: ['eduinfo', 'titles'] }))
  await come(store, { subject: 'second' })
  const list = () => listIdentities(store, { unread: true, limit: 10 })
  t.like(await list(), [{ connector: 'ntpc', accountId, unread: ['eduinfo', 'titles'] }])
  t.is((await list()).length, 1)
  t.is((await listIdentities(store, { accountId })).length, 1)
  const sent = store.statements()
  await come(store, { unread: ['eduinfo', 'titles'] }, 1_000_100)
  const same = store.statements() - sent
  await come(store, {}, 1_000_200)
  t.deepEqual(await list(), [])
  const before = store.statements()
  await come(store, {}, 1_000_300)
  t.is(store.statements() - before, same, 'what has not changed is not written')
})

test('of what whoever had it began here nothing is good any more: no link in a mail of his either', async (t) => {
  const store = await buildStore(t)
  const accountId = accountOf(await come(store, { fingerprint: hers }))
  for (const purpose of ['reset', 'confirm-address'] as const) {
    const times = { createdAt: 1_000_000, expiresAt: 9_000_000 }
    const row = { id: purpose, purpose, subject: accountId, memo: '', ...times }
    await store.transaction(({ mailLinks }) => mailLinks.make(row))
  }
  await releaseIdentity(store, (await linkOf(store))?.id ?? '', by)
  for (const purpose of ['reset', 'confirm-address'] as const)
    t.is(await store.mailLinks.findOpen(accountId, purpose, by.at), undefined, purpose)
})
