/** People without a staff role ask for an app; staff approve or refuse. */
import test from 'ava'
import { perform } from '#admin/operation.ts'
import { createClient } from '#admin/operations/clients.ts'
import {
  approveRequest,
  getRequest,
  listRequests,
  refuseRequest,
} from '#admin/operations/requests.ts'
import { ask, mostWaiting, withdraw } from '#admin/requests/ask.ts'
import { type By, operatorBy } from '#admin/staff.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { buildWorld, type World } from '../helpers/world.ts'

let world: World
test.before(async () => {
  world = await openSharedWorld()
})

const by = operatorBy('operator:test')
const reviewer = (name: string): By => ({ ...operatorBy(name) })
let people = 0
const buildOwner = async () => {
  const { sub } = await world.buildPerson({ account: `owner${++people}@mail.edu.tw` })
  return { accountId: sub, at: Math.floor(Date.now() / 1000), where: { address: '192.0.2.7' } }
}
const wanted = {
  kind: 'web',
  name: '校務行政',
  redirectUris: ['https://school.example/callback'],
  scopes: ['openid', 'profile', 'eduinfo'],
  purposes: { eduinfo: { 'zh-TW': '顯示學校', en: 'To show the school' } },
}
const purpose = '讓老師用教育雲帳號登入校務系統'

async function asked(owner: Awaited<ReturnType<typeof buildOwner>>, more: object = {}) {
  const outcome = await ask(world.house, owner, { wanted, purpose, ...more })
  if (outcome.kind !== 'asked') throw new Error(JSON.stringify(outcome))
  return outcome.id
}
const doneOf = <T>(outcome: { kind: string; value?: T }): T => {
  if (outcome.value === undefined) throw new Error(JSON.stringify(outcome))
  return outcome.value
}
const approve = (id: string, more: object = {}, who = by) =>
  perform(world.house, who, approveRequest, { id, ...more })

test('what is approved is registered as it was asked for, hers, and she is told', async (t) => {
  const owner = await buildOwner()
  const id = await asked(owner)
  t.is((await approve(id, {}, { ...by, fresh: false })).kind, 'not-fresh')
  const { clientId } = doneOf(await approve(id))
  const row = await world.house.store.clients.find(clientId)
  t.like(row, { name: '校務行政', kind: 'web', version: 1 })
  t.like(row?.metadata, {
    redirect_uris: wanted.redirectUris,
    scope: 'openid profile eduinfo',
    resource_scopes: [],
    first_party: false,
  })
  t.true(await world.house.store.clientOwners.has(clientId, owner.accountId))
  t.like(await world.house.store.clientRequests.find(id), { state: 'approved', clientId })
  const [event] = await world.house.store.auditReads.list({ limit: 1, target: `request:${id}` })
  t.like(event, { action: 'request.approve', actor: 'operator:test' })
  const outbox = await world.house.store.outbox.list()
  t.true(outbox.some(({ kind, target }) => kind === 'mail' && target === 'mail.edu.tw'))
})

test('of reviewers who decide at the same moment exactly one does', async (t) => {
  const id = await asked(await buildOwner())
  const outcomes = await Promise.all([
    approve(id, {}, reviewer('operator:a')),
    perform(world.house, reviewer('operator:b'), refuseRequest, { id, reason: '請補充說明' }),
    approve(id, {}, reviewer('operator:c')),
    perform(world.house, reviewer('operator:d'), refuseRequest, { id, reason: '重複' }),
  ])
  t.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['conflict', 'conflict', 'conflict', 'done'])
  const row = await world.house.store.clientRequests.find(id)
  const apps = await world.house.store.clientOwners.clientsOf(row?.accountId ?? '')
  t.is(apps.length, row?.state === 'approved' ? 1 : 0)
})

test('a refusal says why, and what was withdrawn is not decided any more', async (t) => {
  const owner = await buildOwner()
  const [refused, withdrawn] = [await asked(owner), await asked(owner)]
  const nothing = await perform(world.house, by, refuseRequest, { id: refused, reason: '  ' })
  t.is(nothing.kind, 'rejected')
  doneOf(await perform(world.house, by, refuseRequest, { id: refused, reason: '請先簽約' }))
  const shown = doneOf(await perform(world.house, by, getRequest, { id: refused }))
  t.like(shown, { state: 'refused', reason: '請先簽約', decidedBy: 'operator:test', about: 'new' })
  const somebodyElse = await buildOwner()
  t.false(await withdraw(world.house, somebodyElse, withdrawn))
  t.true(await withdraw(world.house, owner, withdrawn))
  t.false(await withdraw(world.house, owner, withdrawn))
  t.is((await approve(withdrawn)).kind, 'conflict')
  t.is((await approve('no-such-request')).kind, 'unknown')
})

test('a change of hers is shown against what is there, and made as asked or with fewer scopes', async (t) => {
  const owner = await buildOwner()
  const { clientId } = doneOf(await approve(await asked(owner)))
  const change = { ...wanted, name: '校務行政 2', scopes: ['openid', 'profile', 'email'] }
  t.is((await ask(world.house, owner, { clientId, wanted, purpose })).kind, 'nothing-changed')
  const id = await asked(owner, { clientId, wanted: change })
  t.is((await ask(world.house, owner, { clientId, wanted: change, purpose })).kind, 'waits')
  const shown = doneOf(await perform(world.house, by, getRequest, { id }))
  t.is(shown.about, 'change')
  t.deepEqual(
    shown.differences.map(({ field, from, to }) => [field, from, to]),
    [
      ['name', '校務行政', '校務行政 2'],
      ['scopes', 'openid\nprofile\neduinfo', 'openid\nprofile\nemail'],
    ],
  )
  doneOf(await approve(id, { scopes: ['openid', 'profile'] }))
  const row = await world.house.store.clients.find(clientId)
  t.like(row, { name: '校務行政 2', version: 2 })
  t.is(row?.metadata.scope, 'openid profile')
  t.is((await world.house.store.clientVersions.list(clientId, 9, 9))[0]?.because, 'request')
})

test('nobody asks for a change of another’s app, or for more than there is to ask for', async (t) => {
  const [owner, other] = [await buildOwner(), await buildOwner()]
  const { clientId } = doneOf(await approve(await asked(owner)))
  t.is((await ask(world.house, other, { clientId, wanted, purpose })).kind, 'not-hers')
  const { id: staffs } = doneOf(
    await perform(world.house, by, createClient, { kind: 'machine', name: '別人的' }),
  )
  t.is((await ask(world.house, other, { clientId: staffs, wanted, purpose })).kind, 'not-hers')
  for (const [what, more] of Object.entries({
    'our own API': { scopes: ['openid', 'admin:clients.write'] },
    'one of our own apps': { firstParty: true },
    'no PKCE': { pkce: false },
    'its own secret': { secretHash: 'x' },
    'a wildcard': { redirectUris: ['https://*.example/'] },
    'a script': { redirectUris: ['javascript:alert(1)'] },
    'a link that runs': { clientUri: 'javascript:alert(1)' },
    'no name': { name: '' },
  })) {
    const outcome = await ask(world.house, other, { wanted: { ...wanted, ...more }, purpose })
    t.is(outcome.kind, 'rejected', what)
  }
  t.is((await ask(world.house, other, { wanted, purpose: ' ' })).kind, 'rejected')
})

test('what she lost meanwhile is not changed on her behalf', async (t) => {
  const owner = await buildOwner()
  const { clientId } = doneOf(await approve(await asked(owner)))
  const id = await asked(owner, { clientId, wanted: { ...wanted, name: '要改' } })
  await world.house.store.clientOwners.remove(clientId, owner.accountId)
  t.deepEqual(await approve(id), { kind: 'refused', why: 'requests.not-owner' })
  t.is((await world.house.store.clientRequests.find(id))?.state, 'waiting')
})

test('five requests of one person wait at a time, however many she sends at once', async (t) => {
  const owner = await buildOwner()
  const outcomes = await Promise.all(
    Array.from({ length: mostWaiting + 3 }, () => ask(world.house, owner, { wanted, purpose })),
  )
  t.is(outcomes.filter(({ kind }) => kind === 'asked').length, mostWaiting)
  t.is(outcomes.filter(({ kind }) => kind === 'too-many').length, 3)
})

test('the queue begins with who waits longest, a page at a time', async (t) => {
  const own = await buildWorld(t)
  const { house } = own
  const { sub } = await own.buildPerson()
  for (const [i, name] of ['一', '二', '三'].entries()) {
    const owner = { accountId: sub, at: 1000 + i, where: {} }
    await ask(house, owner, { wanted: { ...wanted, name }, purpose })
  }
  const first = doneOf(await perform(house, by, listRequests, { limit: 2 }))
  t.deepEqual(
    first.items.map(({ name }) => name),
    ['一', '二'],
  )
  const rest = doneOf(await perform(house, by, listRequests, { limit: 2, cursor: first.next }))
  t.deepEqual(
    rest.items.map(({ name }) => name),
    ['三'],
  )
  t.is(rest.next, undefined)
  const order = 'newest'
  const newest = doneOf(await perform(house, by, listRequests, { order, limit: 2 }))
  t.deepEqual(
    newest.items.map(({ name }) => name),
    ['三', '二'],
  )
  const last = { order, cursor: newest.next }
  t.deepEqual(
    doneOf(await perform(house, by, listRequests, last)).items.map(({ name }) => name),
    ['一'],
  )
  const other = await perform(house, by, listRequests, { cursor: newest.next })
  t.like(other, { kind: 'rejected', problems: [{ field: 'cursor' }] })
  t.is(await house.store.clientRequests.countWaiting(), 3)
  const narrow: By = { ...by, actor: sub, grants: [{ role: 'client-admin', reach: 'own' }] }
  t.is((await perform(house, narrow, listRequests, {})).kind, 'forbidden')
})
