/** Two accounts of one person become one, and two again. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { exportAccount } from '#account/export.ts'
import { linkIdentity, unlinkIdentity } from '#account/identities.ts'
import { joinAccounts, listMerges } from '#account/merge.ts'
import {
  type ActingHere,
  findProposal,
  proveByIdentity,
  proveByPassword,
} from '#account/merge-proof.ts'
import { changeProfile, profileVersion } from '#account/profile.ts'
import { numberContext, openNumber } from '#accounts/personal-numbers.ts'
import { type Parting, undoMerge } from '#admin/merges.ts'
import { openErasing } from '#jobs/erase-closed.ts'
import { seal } from '#lib/crypto.ts'
import type { Store } from '#store/store.ts'
import { buildIdentity } from '../helpers/people.ts'
import { addSession, buildMember, type Her, issuer, password } from './member.ts'

const numberKey = Buffer.alloc(32, 4)
const granted = { scopes: ['openid'], claims: [], resources: {} }
const theirs = { account: 'chen@mail.edu.tw', password: 'her other phrase 9' }

const here = (her: Her, more: Partial<ActingHere> = {}): ActingHere => ({
  ...her.acting(),
  device: 'this-browser',
  ...more,
})
const prove = (her: Her, typed = theirs, acting = here(her)) =>
  proveByPassword(her.store, acting, typed, her.ports)
const proposalOf = async (her: Her, acting = here(her)) =>
  (await findProposal(her.store, acting, her.ports))?.id ?? 'none'
const join = async (her: Her, wanted?: string, acting = here(her)) =>
  joinAccounts(her.store, acting, wanted ?? (await proposalOf(her, acting)), {
    ...her.ports,
    numberKey,
  })
const undo = (her: Her, more: Partial<Parting> = {}) =>
  mergeOf(her).then((id) =>
    undoMerge(
      her.store,
      { id, reason: 'the help desk was asked to', force: false, ...more },
      { ...her.ports, numberKey, actor: 'operator:lin' },
    ),
  )
const mergeOf = async ({ store, id }: Her) => (await listMerges(store, id))[0]?.id ?? ''

/** Every row that leads to an account, so that nothing can be lost unseen. */
async function holdings(store: Store, id: string) {
  const account = await store.accounts.find(id)
  return {
    status: account?.status,
    profile: account?.profile,
    agreed: account?.agreed,
    names: await store.identifiers.ofAccount(id),
    password: (await store.credentials.findPassword(id))?.secret,
    // What was said is read anew after an undo: its digest is not kept.
    identities: (await store.identities.ofAccount(id)).map(({ digest: _, ...one }) => one),
    affiliations: await store.affiliations.ofAccount(id),
    recovery: await store.recoveryAddresses.find(id),
    agreements: await store.agreements.ofAccount(id),
    guardian: await store.guardians.find(id),
    consents: await store.consents.ofAccount(id),
    choices: [...(await store.affiliationChoices.ofAccount(id))].sort(),
    picture: await store.pictures.find(id),
    numbers: (await store.personalNumbers.ofAccount(id)).map(({ type, sealed }) => ({
      type,
      number: openNumber(numberKey, { type, accountId: id, sealed }),
    })),
  }
}

const number = (accountId: string, type: string, value: string) => ({
  accountId,
  type,
  digest: `digest of ${value}`,
  sealed: seal(numberKey, value, numberContext(type, accountId)),
  createdAt: 1,
})

/** Hers with little, and another one of hers with everything an account may have. */
async function buildTwo(t: Parameters<typeof buildMember>[0]) {
  const her = await buildMember(t)
  const { store } = her
  const other = await buildMember(t, {
    store,
    account: theirs.account,
    recovery: { value: 'old@example.com', confirmed: true },
  })
  await linkIdentity(
    store,
    other.acting(),
    buildIdentity({ profile: { nickname: '小明' } }),
    other.ports,
  )
  const known = await store.credentials.findPassword(other.id)
  const secret = await other.ports.passwords.hash(theirs.password)
  await store.credentials.setSecret(known?.id ?? '', secret, 1)
  const agreement = { language: 'zh-TW', hash: 'h', agreedAt: 5, address: '192.0.2.1' }
  const agree = (accountId: string, terms: string, version: string) =>
    store.transaction(({ agreements }) =>
      agreements.agree({ ...agreement, accountId, terms, version }),
    )
  await agree(her.id, 'terms', '2014-08-01')
  await agree(other.id, 'terms', '2014-08-01')
  await agree(other.id, 'privacy', '2020-01-01')
  await store.guardians.put({
    accountId: other.id,
    name: '王大明',
    email: 'g@example.com',
    agreedAt: 7,
    address: '',
  })
  for (const app of ['shared', 'theirs']) await store.consents.put(other.id, app, granted, 5)
  await store.consents.put(her.id, 'shared', { ...granted, scopes: ['profile'] }, 6)
  await store.affiliationChoices.choose(other.id, 'theirs', '014569:teacher', 5)
  await store.pictures.put({
    accountId: other.id,
    type: 'image/webp',
    bytes: Buffer.from('p'),
    updatedAt: 3,
  })
  await store.personalNumbers.put(number(her.id, 'tax-id', '04595257'))
  await store.personalNumbers.put(number(other.id, 'tax-id', '10458575'))
  await store.personalNumbers.put(number(other.id, 'national-id', 'A123456789'))
  await her.mails()
  return { her, other, store }
}

test('all the other account has is hers, what she has herself stays, and staff can put back every row', async (t) => {
  const { her, other, store } = await buildTwo(t)
  const before = { hers: await holdings(store, her.id), theirs: await holdings(store, other.id) }
  t.deepEqual(await prove(her), { kind: 'proved' })
  t.deepEqual(await join(her), { kind: 'joined' })

  const joined = await holdings(store, her.id)
  t.is(joined.password, before.hers.password, 'one password, hers')
  t.deepEqual(
    joined.names.map(({ value }) => value),
    ['chen@mail.edu.tw', 'wang@mail.edu.tw'],
  )
  t.deepEqual(
    joined.identities.map(({ connector }) => connector),
    ['ntpc'],
  )
  t.is(joined.affiliations.length, 1)
  t.like(joined, {
    recovery: { value: 'old@example.com' },
    guardian: { name: '王大明' },
    agreed: { terms: '2014-08-01', privacy: '2020-01-01' },
    profile: { name: { value: '王小明' }, nickname: { value: '小明', by: 'ntpc' } },
    picture: { type: 'image/webp' },
    choices: [['theirs', '014569:teacher']],
    numbers: [
      { type: 'national-id', number: 'A123456789' },
      { type: 'tax-id', number: '04595257' },
    ],
  })
  t.deepEqual(
    joined.consents.map(({ clientId, granted: { scopes } }) => [clientId, scopes]),
    [
      ['shared', ['profile']],
      ['theirs', ['openid']],
    ],
  )
  const left = await store.accounts.find(other.id)
  t.is(left?.status, 'suspended')
  t.is(left?.closedAt, undefined, 'the erasure of closed accounts does not take it')
  t.like(await prove(her), { kind: 'wrong' }, 'its password opens nothing')

  const all = await exportAccount(store, her.acting(), { issuer, numberKey })
  t.like(all, { merges: [{ role: 'kept', undoneAt: undefined }] })
  t.notRegex(JSON.stringify(all), /argon2/)

  t.like(await undo(her), { kind: 'undone', conflicts: [] })
  t.deepEqual(await holdings(store, her.id), before.hers)
  t.deepEqual(await holdings(store, other.id), before.theirs)
  t.deepEqual(await undo(her), {
    kind: 'refused',
    why: `it was undone already, at ${new Date(her.clock.at * 1000).toISOString()}`,
  })
})

test('where she has no password the other account’s goes with its name', async (t) => {
  const her = await buildMember(t, { account: false, hasPassword: false })
  const other = await buildMember(t, { store: her.store, account: theirs.account })
  const secret = (await her.store.credentials.findPassword(other.id))?.secret
  await prove(her, { ...theirs, password })
  await join(her)
  t.is((await her.store.credentials.findPassword(her.id))?.secret, secret)
  t.is(await her.store.credentials.findPassword(other.id), undefined)
})

test('everybody else is signed out of both, and every token of the other account is dead', async (t) => {
  const { her, other, store } = await buildTwo(t)
  for (const uid of ['this-session', 'elsewhere']) await addSession(store, her.id, uid)
  await addSession(store, other.id, 'there')
  await prove(her)
  await join(her)
  const open = await store.payloads.sessionsOf(her.id, her.clock.at)
  t.deepEqual(
    open.map(({ payload }) => payload.uid),
    ['this-session'],
  )
  t.deepEqual(await store.payloads.sessionsOf(other.id, her.clock.at), [])
  t.deepEqual(await store.payloads.find(['token-there-app']), [])
  t.is((await store.payloads.find(['token-this-session-app'])).length, 1)
})

test('both accounts hear of it at each of their addresses, in words that help to object', async (t) => {
  const { her, other } = await buildTwo(t)
  await prove(her)
  await join(her)
  const letters = await her.mails()
  t.deepEqual(letters.map(({ to }) => to).sort(), [
    'chen@mail.edu.tw',
    'old@example.com',
    'wang@mail.edu.tw',
  ])
  const merge = await mergeOf(her)
  for (const { text, to } of letters) {
    t.true(text.includes(merge), to)
    t.true(text.includes(to.startsWith('wang') ? 'c•••@mail.edu.tw' : 'w•••@mail.edu.tw'), to)
  }
  const trail = await her.store.auditReads.list({ limit: 9, action: 'account.merge' })
  t.deepEqual(
    trail.map(({ target, actor }) => [target, actor]).sort(),
    [
      [her.id, her.id],
      [other.id, her.id],
    ].sort(),
  )
  t.notRegex(JSON.stringify(trail), /@|argon2|A123456789/)

  await undo(her)
  const parted = await her.mails()
  t.deepEqual(parted.map(({ to }) => to).sort(), [
    'chen@mail.edu.tw',
    'old@example.com',
    'wang@mail.edu.tw',
  ])
  const [undone] = await her.store.auditReads.list({ limit: 1, action: 'account.merge-undo' })
  t.like(undone, {
    actor: 'operator:lin',
    details: { reason: 'the help desk was asked to', merge },
  })
})

test('two accounts joined both ways at once: one stays with everything, and nobody waits for ever', async (t) => {
  const { her, other, store } = await buildTwo(t)
  const mine = { account: 'wang@mail.edu.tw', password }
  t.deepEqual(await prove(her), { kind: 'proved' })
  t.deepEqual(await prove(other, mine), { kind: 'proved' })
  const wanted = [await proposalOf(her), await proposalOf(other)]
  const both = await Promise.allSettled([join(her, wanted[0]), join(other, wanted[1])])
  const won = both.filter((one) => one.status === 'fulfilled' && one.value.kind === 'joined')
  t.is(won.length, 1)
  const [a, b] = [await holdings(store, her.id), await holdings(store, other.id)]
  t.deepEqual([a.status, b.status].sort(), ['active', 'suspended'])
  const [kept, merged] = a.status === 'active' ? [a, b] : [b, a]
  t.is(kept.names.length, 2)
  t.is(kept.identities.length, 1)
  t.deepEqual(merged.names, [])
})

test('one proof joins once, in however many tabs', async (t) => {
  const { her, other } = await buildTwo(t)
  await prove(her)
  const wanted = await proposalOf(her)
  const both = await Promise.all([join(her, wanted), join(her, wanted)])
  t.deepEqual(both.map(({ kind }) => kind).sort(), ['joined', 'over'])
  t.is((await listMerges(her.store, other.id)).length, 1)
})

test('a merge that is cut off in the middle has not begun', async (t) => {
  const { her, other, store } = await buildTwo(t)
  const before = [await holdings(store, her.id), await holdings(store, other.id)]
  await prove(her)
  const wanted = await proposalOf(her)
  const cut = {
    ...her.ports,
    numberKey,
    writeLetter: () => {
      throw new Error('power cut')
    },
  }
  await t.throwsAsync(joinAccounts(store, here(her), wanted, cut), { message: 'power cut' })
  t.deepEqual([await holdings(store, her.id), await holdings(store, other.id)], before)
  t.deepEqual(await join(her, wanted), { kind: 'joined' }, 'and the proof is as good as before')
})

test('after the merge her county signs in to the account that stays, after the undo to the other again', async (t) => {
  const { her, other, store } = await buildTwo(t)
  await prove(her)
  await join(her)
  const whose = async () =>
    (await store.identities.find('https://ntpc.sso.edu.tw', 'teacher1'))?.account
  t.like(await whose(), { id: her.id, status: 'active' })
  await undo(her)
  t.like(await whose(), { id: other.id, status: 'active' })
  t.is((await store.affiliations.ofAccount(other.id)).length, 1)
})

test('what was changed since is named and not touched; staff may go on without it', async (t) => {
  const { her, other, store } = await buildTwo(t)
  await prove(her)
  await join(her)
  const [identity] = await store.identities.ofAccount(her.id)
  await unlinkIdentity(store, here(her), identity?.id ?? '', her.ports)
  await store.consents.put(her.id, 'theirs', { ...granted, scopes: ['email'] }, 9)
  await store.recoveryAddresses.put({ accountId: her.id, value: 'new@example.com', createdAt: 9 })
  const refused = await undo(her)
  if (refused.kind !== 'conflicts') return t.fail(refused.kind)
  t.deepEqual(
    refused.conflicts.map(({ row: { table, label }, why }) => [table, label, why]),
    [
      ['identity', 'ntpc', 'gone'],
      ['recovery_address', undefined, 'changed'],
      ['consent', undefined, 'changed'],
    ],
  )
  t.is((await store.accounts.find(other.id))?.status, 'suspended', 'nothing was changed')
  t.is((await store.identifiers.ofAccount(her.id)).length, 2)

  t.like(await undo(her, { force: true }), { kind: 'undone' })
  t.is((await store.recoveryAddresses.find(her.id))?.value, 'new@example.com')
  t.deepEqual(
    (await store.identifiers.ofAccount(other.id)).map(({ value }) => value),
    ['chen@mail.edu.tw'],
  )
})

test('what she wrote herself since stays hers; what was filled in goes back', async (t) => {
  const { her, other, store } = await buildTwo(t)
  const profile = { title: { value: '組長', by: 'self', at: 1 } }
  await store.accounts.setProfile(
    other.id,
    { ...(await store.accounts.find(other.id))?.profile, ...profile },
    1,
  )
  await prove(her)
  await join(her)
  const rules = { editable: ['title' as const], upstreams: new Set(['ntpc']) }
  const account = await store.accounts.find(her.id)
  const version = account ? profileVersion(account) : ''
  await changeProfile(store, her.acting(), { title: '主任' }, { ...rules, version })
  await undo(her)
  t.like(await store.accounts.find(her.id), {
    profile: { title: { value: '主任' }, nickname: undefined },
  })
  t.like(await store.accounts.find(other.id), {
    profile: { title: { value: '組長' }, nickname: { value: '小明' } },
  })
})

test('merges are undone from the last one back', async (t) => {
  const { her, other, store } = await buildTwo(t)
  const third = await buildMember(t, { store, account: 'lin@mail.edu.tw' })
  await prove(her)
  await join(her)
  await prove(third, { account: 'wang@mail.edu.tw', password })
  await join(third)
  t.is((await store.identities.ofAccount(third.id)).length, 1)
  const first = (await listMerges(store, other.id))[0]?.id ?? ''
  const last = await mergeOf(third)
  const refused = await undo(third, { id: first })
  t.is(refused.kind, 'refused')
  t.true(refused.kind === 'refused' && refused.why.includes(`undo ${last} first`))
  t.is((await undo(third)).kind, 'undone')
  t.is((await undo(third, { id: first })).kind, 'undone')
  t.is((await store.identities.ofAccount(other.id)).length, 1)
})

test('who closes the account that stays has all of both erased, and nothing to be put back', async (t) => {
  const { her, other, store } = await buildTwo(t)
  await prove(her)
  await join(her)
  await store.accounts.close(her.id, her.clock.at)
  her.clock.at += 31 * 24 * 60 * 60
  await openErasing(store, her.ports.now, 30 * 24 * 60 * 60).run(new AbortController().signal)
  for (const { id } of [her, other]) {
    const { agreements: _, ...rest } = await holdings(store, id)
    t.like(rest, { status: 'closed', profile: {}, password: undefined, numbers: [], consents: [] })
  }
  const row = await store.accountMerges.find(await mergeOf(her))
  t.is(row?.moved, '{}')
  t.regex(JSON.stringify(await undo(her)), /has been erased/)
  const trail = await store.auditReads.list({ limit: 9, action: 'account.erase' })
  t.deepEqual(trail.map(({ target }) => target).sort(), [her.id, other.id].sort(), 'of both')
})

test('a proof is kept sealed, and swept when nobody used it', async (t) => {
  const { her, store } = await buildTwo(t)
  await prove(her)
  const row = await store.accountMerges.findProposal(her.id, her.clock.at)
  t.notRegex(row?.proof ?? '', /this-session|this-browser|password/)
  const range = { from: 0, before: her.clock.at + 601, limit: 9 }
  t.is((await store.sweeps.remove('mergeProofs', range)).removed, 1)
  await prove(her)
  await join(her)
  t.is((await store.sweeps.remove('mergeProofs', { ...range, before: 9_000_000 })).removed, 0)
  t.is((await listMerges(store, her.id)).length, 1)
})

test('a county’s word proves the account its identity signs in to', async (t) => {
  const { her, other } = await buildTwo(t)
  const by = (subject: string) =>
    proveByIdentity(her.store, here(her), buildIdentity({ subject }), her.ports)
  t.deepEqual(await by(randomUUID()), { kind: 'nobody' })
  t.deepEqual(await by('teacher1'), { kind: 'proved' })
  t.like(await findProposal(her.store, here(her), her.ports), {
    other: { id: other.id },
    by: { way: 'upstream', connector: 'ntpc' },
  })
  const same = await proveByIdentity(other.store, here(other), buildIdentity(), other.ports)
  t.deepEqual(same, { kind: 'same' })
})
