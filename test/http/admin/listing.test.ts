/** What a page of the console asks of the database does not grow with what stands on it. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { signInFederated } from '#accounts/federated.ts'
import { forgetClient } from '#oidc/remembered-clients.ts'
import { buildIdentity } from '../../helpers/people.ts'
import { openStaff, type Staff } from '../../helpers/staff.ts'
import { buildWorld, type World } from '../../helpers/world.ts'

const rows = 12
const apps = Array.from({ length: rows + 1 }, (_, i) => `app${i}`)
const where = { address: '127.0.0.1', ref: 'R' }

/**
 * Statements of a page to whoever opens it first: a process remembers apps for a second. What runs in the background
 * meanwhile may only add to them.
 */
async function costOf(world: World, staff: Staff, path: string) {
  let least = Number.POSITIVE_INFINITY
  let shown = 0
  for (let round = 0; round < 3; round++) {
    for (const id of apps) forgetClient(world.house.provider, id)
    const before = world.house.store.statements()
    const page = await staff.open(path)
    least = Math.min(least, world.house.store.statements() - before)
    if (page.status !== 200)
      throw new Error(
        `${path} was answered ${page.status}: ${page.document.querySelector('main')?.textContent}`,
      )
    shown = page.document.querySelectorAll('main tbody tr, main li').length
  }
  return { least, shown }
}

test('a full page costs as many statements as one with a row', async (t) => {
  const world = await buildWorld(t)
  const { house } = world
  const { store } = house
  await house.upstreamHealth.close()
  const staff = await openStaff(world)
  const at = Math.floor(house.now() / 1000)
  const rp = await world.buildApp()
  const arrived = await signInFederated(store, buildIdentity(), house.now, {
    ...where,
    clientId: rp.clientId,
  })
  if (arrived.kind !== 'signed-in') throw new Error(arrived.kind)
  const her = arrived.accountId

  async function add(i: number) {
    const id = randomUUID()
    const metadata = {
      client_name: 'app',
      redirect_uris: ['https://app.example/back'],
      token_endpoint_auth_method: 'none',
    }
    const client = { name: `app ${i}`, kind: 'web' as const, createdAt: at, updatedAt: at }
    await store.clients.create({ ...client, id: `app${i}`, metadata, version: 1 })
    const version = { clientId: rp.clientId, metadata: { client_name: `was ${i}` }, at }
    await store.clientVersions.add({
      ...version,
      version: 100 + i,
      changedBy: staff.sub,
      because: 'change',
    })
    const subject = `subject-${i}`
    const identity = buildIdentity({ subject, openid2Ids: [] })
    const other = await signInFederated(store, identity, house.now, {
      ...where,
      clientId: rp.clientId,
    })
    if (other.kind !== 'signed-in') throw new Error(other.kind)
    const event = { at, outcome: 'ok', ...where, details: { way: 'local' } }
    await store.audit.record({
      ...event,
      actor: her,
      action: 'session.sign-in',
      target: `client:app${i}`,
    })
    await store.audit.record({
      ...event,
      actor: other.accountId,
      action: 'account.update',
      target: `client:app${i}`,
    })
    await store.consents.put(her, `app${i}`, { scopes: ['openid'], claims: [], resources: {} }, at)
    await store.payloads.save([
      {
        id: `grant ${i}`,
        model: 'Grant',
        payload: {},
        grantId: `g${i}`,
        accountId: her,
        clientId: `app${i}`,
        expiresAt: at + 900,
      },
      {
        id: `session ${i}`,
        model: 'Session',
        payload: { loginTs: at, authorizations: { [`app${i}`]: { sid: 's' } } },
        uid: `u${i}`,
        accountId: her,
        expiresAt: at + 900,
      },
    ])
    await store.outbox.put({
      kind: 'backchannel-logout',
      target: `app${i}`,
      payload: {},
      createdAt: at + 90_000,
    } as never)
    const file = { file: `${i}.csv`, rules: {}, createdBy: other.accountId }
    await store.peopleImports.begin({ id, ...file, createdAt: at, expiresAt: at + 900 })
    await store.registrations.makeToken({
      id,
      digest: `digest ${i}`,
      label: `token ${i}`,
      policy: {},
      usesLeft: 3,
      used: 0,
      createdAt: at,
      createdBy: other.accountId,
      expiresAt: at + 900,
    })
  }
  await add(0)
  await house.background.run('index-people')
  await house.background.run('count-sign-ins')
  const paths = [
    '/admin',
    '/admin/clients',
    `/admin/clients/${rp.clientId}`,
    `/admin/clients/${rp.clientId}/versions`,
    '/admin/people',
    '/admin/people?q=王',
    `/admin/people/${her}`,
    `/admin/people/${her}/sign-ins`,
    '/admin/imports',
    '/admin/outbox',
    '/admin/audit',
    '/admin/statistics',
    '/admin/system',
  ]
  const few = new Map<string, Awaited<ReturnType<typeof costOf>>>()
  for (const path of paths) few.set(path, await costOf(world, staff, path))
  for (let i = 1; i <= rows; i++) await add(i)
  await house.background.run('index-people')
  await house.background.run('count-sign-ins')
  for (const path of paths) {
    const before = few.get(path)
    const now = await costOf(world, staff, path)
    t.is(now.least, before?.least ?? 0, path)
  }
})
