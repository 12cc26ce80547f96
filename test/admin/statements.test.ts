/** Lists of many rows are read at once, not row by row. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { getClient } from '#admin/operations/clients.ts'
import { listRequests } from '#admin/operations/requests.ts'
import { listStaffMembers } from '#admin/operations/staff.ts'
import { openSecretReminders } from '#jobs/remind-secrets.ts'
import type { Tables } from '#store/store.ts'
import { acting, done, owner } from '../helpers/acting.ts'
import { buildStore } from '../helpers/database.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import type { World } from '../helpers/world.ts'

let world: World
test.before(async () => {
  world = await openSharedWorld()
  // It looks at how upstreams fare every few seconds, and has statements of its own.
  await world.house.upstreamHealth.close()
})

const at = 1_700_000_000

async function addPerson({ accounts, identifiers }: Tables = world.house.store): Promise<string> {
  const id = randomUUID()
  const name = { value: '王小明', by: 'self', at }
  const times = { createdAt: at, updatedAt: at }
  await accounts.create({ id, kind: 'teacher', status: 'active', profile: { name }, ...times })
  const address = { type: 'email', value: `${id}@mail.edu.tw`, accountId: id } as const
  await identifiers.take({ ...address, verifiedAt: at })
  return id
}

/** What it costs with two rows, and with ten. */
async function costsOf(add: () => Promise<unknown>, work: () => Promise<number>) {
  const { store } = world.house
  const costs: number[] = []
  for (const wanted of [2, 10]) {
    let rows = await work()
    for (; rows < wanted; rows++) await add()
    const before = store.statements()
    const worked = await work()
    if (worked !== wanted) throw new Error(`${worked} rows in place of ${wanted}`)
    costs.push(store.statements() - before)
  }
  return costs
}

test.serial('a page of requests costs the same however many wait', async (t) => {
  const { house } = world
  const settings = { kind: 'web', name: '校務行政', redirectUris: ['https://school.example/back'] }
  const [few, many] = await costsOf(
    async () =>
      house.store.clientRequests.make({
        id: randomUUID(),
        accountId: await addPerson(),
        wanted: { settings, change: false },
        purpose: '登入校務系統',
        state: 'waiting',
        createdAt: at,
      }),
    async () => {
      const { items } = await done(house, owner, listRequests, {})
      t.true(items.every(({ account, accountId }) => account === `${accountId}@mail.edu.tw`))
      return items.length
    },
  )
  t.is(many, few)
})

test.serial('so does a page of staff, people and programs', async (t) => {
  const { house } = world
  const grant = { role: 'auditor', reach: '', grantedAt: at, grantedBy: 'operator:test' }
  const program = { metadata: { client_name: '報表' }, createdAt: at, updatedAt: at }
  const addProgram = async (id: string) => {
    await house.store.clients.create({ id, name: '報表', kind: 'machine', ...program })
    return `client:${id}`
  }
  let added = 0
  const [few, many] = await costsOf(
    async () => {
      const isPerson = added++ % 2 === 0
      const holder = isPerson ? await addPerson() : await addProgram(randomUUID())
      await house.store.staffRoles.grant({ ...grant, holder })
      if (isPerson)
        await house.store.secondFactors.add({
          id: randomUUID(),
          accountId: holder,
          type: 'totp',
          label: '手機',
          secret: 'sealed',
          counter: 0,
          createdAt: at,
        })
    },
    async () => {
      const { items } = await done(house, owner, listStaffMembers, {})
      for (const one of items.filter(({ kind }) => kind === 'person'))
        t.like(one, { account: `${one.holder}@mail.edu.tw`, secondFactors: 1, status: 'active' })
      for (const one of items.filter(({ kind }) => kind === 'program'))
        t.like(one, { name: '報表', status: 'active' })
      return items.length
    },
  )
  t.is(many, few)
})

test.serial('so do the owners of an app, for whoever reaches all people or a county', async (t) => {
  const { house } = world
  const { store } = house
  const client = { metadata: {}, createdAt: at, updatedAt: at }
  await store.clients.create({ id: 'owned', name: '校務', kind: 'web', ...client })
  let added = 0
  const addOwner = async () => {
    const accountId = await addPerson()
    const called = `typed ${++added}`
    await store.clientOwners.add({ clientId: 'owned', accountId, createdAt: added, called })
  }
  const county = acting([
    { role: 'client-admin', reach: '' },
    { role: 'support', reach: 'county:ntpc' },
  ])
  const seenBy = async (by: typeof owner) =>
    (await done(house, by, getClient, { id: 'owned' })).owners
  const [few, many] = await costsOf(addOwner, async () => {
    t.regex((await seenBy(county))[0]?.account ?? 'typed', /^typed/)
    const all = await seenBy(owner)
    t.true(all.every(({ account }) => account.endsWith('@mail.edu.tw')))
    return all.length
  })
  t.is(many, few)
})

test.serial('a reminder to all owners of an app reads them at once', async (t) => {
  // One of its own: in a world the letters go out meanwhile.
  const store = await buildStore(t)
  const job = openSecretReminders({
    store,
    writeLetter: ({ kind, to }) => ({ to, subject: kind, text: '', html: '' }),
    now: () => at * 1000,
    issuer: 'https://id.example',
    language: 'zh-TW',
    alerts: [],
  })
  let apps = 0
  const costOf = async (owners: number) => {
    const clientId = `expiring${++apps}`
    const client = { metadata: {}, secretExpiresAt: at + 3600, createdAt: at, updatedAt: at }
    await store.clients.create({ id: clientId, name: '校務', kind: 'web', ...client })
    const sent = (await store.outbox.list()).length
    for (let left = owners; left > 0; left--)
      await store.clientOwners.add({ clientId, accountId: await addPerson(store), createdAt: left })
    const before = store.statements()
    await job.run(new AbortController().signal)
    const cost = store.statements() - before
    t.is((await store.outbox.list()).length - sent, owners)
    await store.clients.remove(clientId)
    return cost
  }
  const [few, many] = [await costOf(2), await costOf(10)]
  // A letter each.
  t.is(many - few, 8)
})
