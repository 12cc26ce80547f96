import test from 'ava'
import { affiliationsToward, mustChooseAffiliation } from '#accounts/affiliations.ts'
import { signInFederated } from '#accounts/federated.ts'
import { openSchoolYear } from '#accounts/school-year.ts'
import { openDatabase } from '#store/database.ts'
import { buildStore } from '../helpers/database.ts'
import { buildIdentity } from '../helpers/people.ts'

const now = () => 1_700_000_000_000
const later = () => 1_800_000_000_000

const noYears = openSchoolYear(undefined, now)

const where = { clientId: 'app', address: '127.0.0.1', ref: 'R' }

test('the first sign-in makes account, identity and affiliations; the next one finds them', async (t) => {
  const store = await buildStore(t)
  const first = await signInFederated(store, buildIdentity(), now, where)
  t.like(first, { kind: 'signed-in', created: true })
  const again = await signInFederated(store, buildIdentity(), now, where)
  t.deepEqual(again, { ...first, created: false })
})

test('twenty first sign-ins of one person at once make one account', async (t) => {
  const store = await buildStore(t)
  const all = await Promise.all(
    Array.from({ length: 20 }, () => signInFederated(store, buildIdentity(), now, where)),
  )
  const ids = new Set(all.map((one) => one.kind === 'signed-in' && one.accountId))
  t.is(ids.size, 1)
  t.is(all.filter((one) => one.kind === 'signed-in' && one.created).length, 1)
  const [id] = ids
  t.is((await store.identities.ofAccount(String(id))).length, 1)
  t.is((await store.affiliations.ofAccount(String(id))).length, 1)
})

test('the same e-mail, name and guid at two counties stay two accounts', async (t) => {
  const store = await buildStore(t)
  const here = await signInFederated(store, buildIdentity(), now, where)
  const there = await signInFederated(
    store,
    buildIdentity({ connector: 'tc', issuer: 'https://tc.sso.edu.tw' }),
    now,
    where,
  )
  t.true(here.kind === 'signed-in' && there.kind === 'signed-in')
  t.notDeepEqual(here, there)
})

test('each sign-in replaces the snapshot of affiliations and dates it', async (t) => {
  const store = await buildStore(t)
  const first = await signInFederated(store, buildIdentity(), now, where)
  if (first.kind !== 'signed-in') return t.fail()
  const moved = { schoolCode: '014570', role: 'staff', titles: ['組長'], classes: [] } as const
  await signInFederated(
    store,
    buildIdentity({ affiliations: [{ ...moved, titles: ['組長'], classes: [] }] }),
    later,
    where,
  )
  t.like(await store.affiliations.ofAccount(first.accountId), [
    { schoolCode: '014570', role: 'staff', readAt: 1_800_000_000 },
  ])
})

test('an upstream changes only what it said itself', async (t) => {
  const store = await buildStore(t)
  const first = await signInFederated(store, buildIdentity(), now, where)
  if (first.kind !== 'signed-in') return t.fail()
  const account = await store.accounts.find(first.accountId)
  const nickname = { value: '小明老師', by: 'self', at: 1 }
  await store.accounts.setProfile(first.accountId, { ...account?.profile, nickname }, 1)
  await signInFederated(
    store,
    buildIdentity({ profile: { name: '王大明', nickname: '由縣市給的' } }),
    later,
    where,
  )
  const profile = (await store.accounts.find(first.accountId))?.profile
  t.is(profile?.name?.value, '王大明')
  t.is(profile?.nickname?.value, '小明老師')
  t.is(profile?.email, undefined, 'what the county no longer says is no longer kept')
})

test('a suspended account does not come in through its county', async (t) => {
  const store = await buildStore(t)
  await store.accounts.create({
    id: 'a',
    kind: 'person',
    status: 'suspended',
    profile: {},
    createdAt: 1,
    updatedAt: 1,
  })
  const { issuer, subject, connector } = buildIdentity()
  await store.identities.link({
    id: 'i',
    accountId: 'a',
    connector,
    issuer,
    subject,
    openid2Ids: [],
    raw: {},
    createdAt: 1,
    readAt: 1,
  })
  const signIn = await signInFederated(store, buildIdentity(), now, where)
  t.like(signIn, { kind: 'barred', status: 'suspended' })
})

test('with two schools a person chooses, and the chosen one comes first for that app only', async (t) => {
  const store = await buildStore(t)
  const two = [
    { schoolCode: '014569', role: 'teacher', titles: ['教師'], classes: [] },
    { schoolCode: '014570', role: 'teacher', titles: ['教師'], classes: [] },
  ] as const
  const identity = buildIdentity({
    affiliations: two.map((one) => ({ ...one, titles: [...one.titles], classes: [] })),
  })
  const signIn = await signInFederated(store, identity, now, where)
  if (signIn.kind !== 'signed-in') return t.fail()
  const { accountId } = signIn
  t.true(await mustChooseAffiliation(store, accountId, 'app', noYears))
  await store.affiliationChoices.choose(accountId, 'app', '014570:teacher', 1)
  t.false(await mustChooseAffiliation(store, accountId, 'app', noYears))
  t.true(await mustChooseAffiliation(store, accountId, 'other-app', noYears))
  t.like(await affiliationsToward(store, accountId, 'app', noYears), [
    { schoolCode: '014570' },
    { schoolCode: '014569' },
  ])
  // The county reorders its list and drops the chosen school: she is asked again.
  await signInFederated(store, buildIdentity(), later, where)
  t.false(
    await mustChooseAffiliation(store, accountId, 'app', noYears),
    'one is left: nothing to choose',
  )
})

test('what a release that keeps no digest read meanwhile is not taken for what we read before', async (t) => {
  const store = await buildStore(t)
  const first = await signInFederated(store, buildIdentity(), now, where)
  if (first.kind !== 'signed-in') return t.fail()
  const [known] = await store.identities.ofAccount(first.accountId)
  if (!known) return t.fail()
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  await knex('identity').where({ id: known.id }).update({ raw: '{}', read_at: 1_750_000_000 })
  await knex('affiliation').where({ identity_id: known.id }).update({ role: 'student' })
  for (const [title, at] of [
    ['read again', later],
    ['then confirmed', () => later() + 60_000],
  ] as const) {
    await signInFederated(store, buildIdentity(), at, where)
    t.like(await store.affiliations.ofAccount(first.accountId), [{ role: 'teacher' }], title)
  }
  const [after] = await store.identities.ofAccount(first.accountId)
  t.is(after?.readAt, 1_800_000_060)
  const account = await store.accounts.find(first.accountId)
  t.is(account?.updatedAt, 1_800_000_000, 'the second time nothing was new')
})
