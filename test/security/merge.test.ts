/** What others may try to get somebody's account by joining it to theirs. */
import test from 'ava'
import { linkIdentity, unlinkIdentity } from '#account/identities.ts'
import { joinAccounts, listMerges } from '#account/merge.ts'
import {
  type ActingHere,
  findProposal,
  proveByIdentity,
  proveByPassword,
} from '#account/merge-proof.ts'
import { changePassword } from '#account/password.ts'
import { signInFederated } from '#accounts/federated.ts'
import { undoMerge } from '#admin/merges.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { openDatabase } from '#store/database.ts'
import type { Store } from '#store/store.ts'
import { buildMember, type Her, password } from '../account/member.ts'
import { buildIdentity } from '../helpers/people.ts'

const theirs = { account: 'chen@mail.edu.tw', password }
const here = (her: Her, more: Partial<ActingHere> = {}): ActingHere => ({
  ...her.acting(),
  device: 'this-browser',
  ...more,
})

async function buildTwo(t: Parameters<typeof buildMember>[0]) {
  const her = await buildMember(t)
  const other = await buildMember(t, { store: her.store, account: theirs.account })
  const prove = (typed = theirs, acting = here(her)) =>
    proveByPassword(her.store, acting, typed, her.ports)
  const shown = async (acting = here(her)) => (await findProposal(her.store, acting, her.ports))?.id
  const join = (wanted: string, acting = here(her)) =>
    joinAccounts(her.store, acting, wanted, { ...her.ports, numberKey: Buffer.alloc(32, 4) })
  const nothing = async () => {
    t.deepEqual(await listMerges(her.store, other.id), [])
    t.is((await her.store.identifiers.ofAccount(other.id)).length, 1)
  }
  return { her, other, store: her.store, prove, shown, join, nothing }
}

test('nothing is joined without a proof, by a guessed id, or with a proof somebody else has', async (t) => {
  const { her, other, prove, shown, join, nothing } = await buildTwo(t)
  t.deepEqual(await join('none'), { kind: 'over' })
  t.deepEqual(await join(other.id), { kind: 'over' })
  await prove()
  const id = (await shown()) ?? ''
  const mallory = await buildMember(t, { store: her.store, account: 'mallory@mail.edu.tw' })
  t.deepEqual(await join(id, here(mallory)), { kind: 'over' })
  for (const elsewhere of [{ sessionUid: 'another' }, { device: 'another' }]) {
    t.is(await shown(here(her, elsewhere)), undefined)
    t.deepEqual(await join(id, here(her, elsewhere)), { kind: 'over' })
  }
  her.clock.at += 10 * 60
  t.deepEqual(await join(id), { kind: 'over' }, 'too late')
  await nothing()
})

test('a row somebody moves to another account in the database proves nothing there', async (t) => {
  const { her, other, store, prove, shown, join, nothing } = await buildTwo(t)
  const victim = await buildMember(t, { store, account: 'victim@mail.edu.tw' })
  await prove()
  const id = (await shown()) ?? ''
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  await knex('account_merge').where({ id }).update({ merged: victim.id })
  await t.throwsAsync(join(id))
  await nothing()
  t.is((await store.accounts.find(victim.id))?.status, 'active')
  t.is((await store.accounts.find(other.id))?.status, 'active')
  t.is((await store.accounts.find(her.id))?.status, 'active')
})

test('a proof ends when the other account gets another password, loses the link it was proved by, or is closed', async (t) => {
  const { her, other, store, prove, shown, join, nothing } = await buildTwo(t)
  await prove()
  const first = (await shown()) ?? ''
  const typed = {
    current: password,
    password: 'quite another phrase 7',
    again: 'quite another phrase 7',
  }
  t.like(await changePassword(store, other.acting(), typed, other.ports), { kind: 'changed' })
  t.is(await shown(), undefined)
  t.deepEqual(await join(first), { kind: 'over' })

  await linkIdentity(store, other.acting(), buildIdentity(), other.ports)
  await proveByIdentity(store, here(her), buildIdentity(), her.ports)
  const second = (await shown()) ?? ''
  const [link] = await store.identities.ofAccount(other.id)
  await unlinkIdentity(store, other.acting(), link?.id ?? '', other.ports)
  t.deepEqual(await join(second), { kind: 'over' })

  await prove({ ...theirs, password: typed.password })
  const third = (await shown()) ?? ''
  await store.accounts.close(other.id, her.clock.at)
  t.deepEqual(await join(third), { kind: 'over' })
  await nothing()
})

test('an account that is closed, suspended, joined already or one’s own is not to be proved', async (t) => {
  const { her, other, store, prove, shown, join } = await buildTwo(t)
  t.deepEqual(await prove({ account: 'wang@mail.edu.tw', password }), { kind: 'same' })
  await store.accounts.suspend(other.id, 1)
  t.deepEqual(await prove(), { kind: 'not-active' })
  await linkIdentity(store, her.acting(), buildIdentity(), her.ports)
  await store.accounts.reactivate(other.id, 1)
  await prove()
  t.deepEqual(await join((await shown()) ?? ''), { kind: 'joined' })
  t.is((await prove()).kind, 'same', 'its name is hers by now')
  const third = await buildMember(t, { store, account: 'lin@mail.edu.tw' })
  await store.accounts.close(third.id, 1)
  t.deepEqual(await prove({ account: 'lin@mail.edu.tw', password }), { kind: 'not-active' })
  t.is(await shown(), undefined)
})

test('guesses here and at the sign-in page are one sum, and each costs a hash', async (t) => {
  const { her, store, prove, shown } = await buildTwo(t)
  let hashes = 0
  const passwords: typeof her.ports.passwords = {
    ...her.ports.passwords,
    verify: (...args) => {
      hashes++
      return her.ports.passwords.verify(...args)
    },
  }
  const guess = (account: string) =>
    proveByPassword(store, here(her), { account, password: 'a guess' }, { ...her.ports, passwords })
  const waits: unknown[] = []
  for (let i = 0; i < 4; i++) {
    waits.push(await guess(theirs.account))
    her.clock.at += 10
  }
  t.deepEqual(
    waits.map((one) => (one as { waitSeconds: number }).waitSeconds),
    [0, 0, 2, 4],
  )
  t.like(await guess('nobody@mail.edu.tw'), { kind: 'wrong' })
  t.is(hashes, 5)
  t.like(await guess(theirs.account), { kind: 'wrong', waitSeconds: 900 })
  t.like(await prove(), { kind: 'held', because: 'name' }, 'the right one is not looked at either')
  t.is(await shown(), undefined)
  const trail = await store.auditReads.list({ limit: 20, action: 'account.prove' })
  t.is(trail.length, 6)
  t.notRegex(JSON.stringify(trail), /guess|chen@/)
})

test('a county login that is somebody else’s by now proves nothing', async (t) => {
  const { her, other, store, shown } = await buildTwo(t)
  const mark = (value: string) => `marked${value}`
  await linkIdentity(
    store,
    other.acting(),
    buildIdentity({ fingerprint: mark('one') }),
    other.ports,
  )
  const come = (fingerprint: string) =>
    proveByIdentity(store, here(her), buildIdentity({ fingerprint }), her.ports)
  t.deepEqual(await come(mark('two')), { kind: 'not-active' })
  t.is(await shown(), undefined)
  t.deepEqual(await come(mark('one')), { kind: 'proved' })
})

/** A store in which something happens right after a link was looked up, once. */
function meanwhile(store: Store, happens: () => Promise<unknown>): Store {
  let due = true
  const find: Store['identities']['find'] = async (...key) => {
    const found = await store.identities.find(...key)
    if (due) {
      due = false
      await happens()
    }
    return found
  }
  return { ...store, identities: { ...store.identities, find } }
}

test('who signs in while accounts are joined or parted comes into the one her county leads to by then', async (t) => {
  const said: Record<string, Partial<UpstreamIdentity>> = {
    'what it said before': {},
    'something new': { profile: { name: '王大明', nickname: '新的' } },
  }
  for (const [what, more] of Object.entries(said)) {
    const { her, other, store, prove, shown, join } = await buildTwo(t)
    await linkIdentity(store, other.acting(), buildIdentity(), other.ports)
    await prove()
    const wanted = (await shown()) ?? ''
    const come = (happens: () => Promise<unknown>, identity: UpstreamIdentity) =>
      signInFederated(meanwhile(store, happens), identity, her.ports.now, {
        clientId: 'app',
        address: '192.0.2.1',
        ref: 'R',
      })
    her.clock.at += 60
    const joined = await come(() => join(wanted), buildIdentity(more))
    t.deepEqual(joined, { kind: 'signed-in', accountId: her.id, created: false }, `joined, ${what}`)

    her.clock.at += 60
    const [merge] = await listMerges(store, her.id)
    const parting = { id: merge?.id ?? '', reason: 'it was not she', force: false }
    const ports = { ...her.ports, numberKey: Buffer.alloc(32, 4), actor: 'operator:lin' }
    const again = buildIdentity({ ...more, ...(more.profile ? { profile: { name: '王三' } } : {}) })
    const parted = await come(() => undoMerge(store, parting, ports), again)
    t.deepEqual(
      parted,
      { kind: 'signed-in', accountId: other.id, created: false },
      `parted, ${what}`,
    )
    t.deepEqual(await store.affiliations.ofAccount(her.id), [], what)
    t.not((await store.accounts.find(her.id))?.profile.name?.value, '王三', what)
  }
})

test('after the undo both are what their county says of them, however long it has said so', async (t) => {
  const { her, other, store, prove, shown, join } = await buildTwo(t)
  await linkIdentity(store, other.acting(), buildIdentity(), other.ports)
  await prove()
  await join((await shown()) ?? '')
  const where = { clientId: 'app', address: '192.0.2.1', ref: 'R' }
  const now = buildIdentity({ profile: { name: '王小明', nickname: '換了' } })
  await signInFederated(store, now, her.ports.now, where)
  t.is((await store.accounts.find(her.id))?.profile.nickname?.value, '換了')
  const [merge] = await listMerges(store, her.id)
  const parting = { id: merge?.id ?? '', reason: 'it was not she', force: false }
  const ports = { ...her.ports, numberKey: Buffer.alloc(32, 4), actor: 'operator:lin' }
  t.like(await undoMerge(store, parting, ports), { kind: 'undone' })
  t.like(await signInFederated(store, now, her.ports.now, where), { accountId: other.id })
  t.is((await store.accounts.find(other.id))?.profile.nickname?.value, '換了')
})

test('staff hear of a county login that is somebody else’s by now, and the trail of every proof that is none', async (t) => {
  const { her, other, store } = await buildTwo(t)
  const mark = (value: string) => `marked${value}`
  const hers = buildIdentity({ fingerprint: mark('one') })
  await linkIdentity(store, other.acting(), hers, other.ports)
  await her.mails()
  const staff = {
    addresses: ['help@example.gov.tw'],
    language: 'zh-TW',
    writeLetter: her.ports.writeLetter,
    labelOf: () => '新北市',
  }
  const come = (more: Partial<UpstreamIdentity>) =>
    proveByIdentity(store, here(her), buildIdentity(more), { ...her.ports, staff })
  t.deepEqual(await come({ fingerprint: mark('two') }), { kind: 'not-active' })
  t.deepEqual(
    (await her.mails()).map(({ to }) => to),
    ['help@example.gov.tw'],
  )
  t.deepEqual(await come({ subject: 'unknown here' }), { kind: 'nobody' })
  await store.accounts.suspend(other.id, 1)
  t.deepEqual(await come({ fingerprint: mark('one') }), { kind: 'not-active' })
  const trail = await store.auditReads.list({ limit: 9, action: 'account.prove' })
  t.deepEqual(
    trail.map(({ outcome, actor, details }) => [outcome, actor, details.connector]),
    [
      ['barred', her.id, 'ntpc'],
      ['nobody', her.id, 'ntpc'],
      ['reused', her.id, 'ntpc'],
    ],
  )
})
