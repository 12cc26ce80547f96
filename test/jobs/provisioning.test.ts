import { createHmac, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { queueProvisioning } from '#accounts/provisioning.ts'
import { openDelivery } from '#jobs/deliver.ts'
import { openProvisioningCourier } from '#jobs/deliver-provisioning.ts'
import { openLog } from '#lib/log.ts'
import { openGuardedFetch } from '#outside/fetch.ts'
import { buildStore } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { buildWorld } from '../helpers/world.ts'

const key = randomBytes(32)
const secret = `whsec_${key.toString('base64')}`
const event = {
  receiver: 'mailbox',
  type: 'mailbox.create',
  data: { account: 'wang@mail.edu.tw', name: '王小明' },
}

type Heard = { path: string; headers: Record<string, unknown>; body: string }

/** A receiver that answers these, one after another, then the last one again. */
async function openReceiver(t: ExecutionContext, ...statuses: number[]) {
  const heard: Heard[] = []
  const server = createServer(async (request, response) => {
    heard.push({
      path: request.url ?? '',
      headers: request.headers,
      body: await text(request),
    })
    const status = statuses[Math.min(heard.length, statuses.length) - 1] ?? 200
    response.writeHead(status, { location: '/elsewhere' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { heard, url: `http://127.0.0.1:${port}/hooks/mailbox?from=citygate` }
}

/** As the specification has it: Standard Webhooks 1.0, symmetric signatures. */
function isSigned({ headers, body }: Heard): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const right = createHmac('sha256', key).update(signed, 'utf8').digest('base64')
  return headers['webhook-signature'] === `v1,${right}`
}

const env = (url: string) => ({ MAILBOX_URL: url, MAILBOX_SECRET: secret })
const at = () => Math.floor(Date.now() / 1000)

test('an event written in a transaction reaches the receiver, signed so that it can be checked', async (t) => {
  const receiver = await openReceiver(t, 200)
  const world = await buildWorld(t, { env: env(receiver.url) })
  const { store } = world.house
  const now = at()
  const id = await store.transaction((tables) => queueProvisioning(tables, event, { at: now }))
  const [heard] = await eventually(
    async () => receiver.heard,
    (all) => all.length > 0,
  )
  if (!heard) return t.fail('nobody heard of it')
  t.is(heard.path, '/hooks/mailbox?from=citygate')
  t.true(isSigned(heard))
  t.like(heard.headers, { 'webhook-id': id, 'content-type': 'application/json' })
  t.true(Math.abs(Number(heard.headers['webhook-timestamp']) - at()) < 30)
  t.deepEqual(JSON.parse(heard.body), {
    type: 'mailbox.create',
    timestamp: new Date(now * 1000).toISOString(),
    data: event.data,
  })
  t.deepEqual(
    await eventually(
      () => store.outbox.list(),
      (rows) => rows.length === 0,
    ),
    [],
  )
  t.notRegex(world.log.join(''), /wang@mail|王小明/)
})

test('what a transaction takes back, nobody hears of', async (t) => {
  const receiver = await openReceiver(t, 200)
  const world = await buildWorld(t, { env: env(receiver.url) })
  const { store } = world.house
  await t.throwsAsync(
    store.transaction(async (tables) => {
      await queueProvisioning(tables, event, { at: at() })
      throw new Error('no')
    }),
  )
  t.deepEqual(await store.outbox.list(), [])
  t.deepEqual(receiver.heard, [])
})

/** A courier over a store, at a clock of its own. */
async function openPost(t: ExecutionContext, url: string) {
  const store = await buildStore(t)
  const clock = { at: 1_800_000_000 }
  const now = () => clock.at * 1000
  const endpoint = { url, secret: key }
  const courier = openProvisioningCourier({
    receivers: { mailbox: { urlVariable: 'MAILBOX_URL', endpoint } },
    fetch: openGuardedFetch({ allow: [url] }),
    now,
  })
  const log = openLog('silent')
  const delivery = openDelivery([courier], { store, log, now, random: () => 0.5 })
  const id = await queueProvisioning(store, event, { at: clock.at })
  return { store, clock, delivery, id }
}

test('a receiver that is not well is asked again, with the same id and words and a new signature', async (t) => {
  const receiver = await openReceiver(t, 503, 200)
  const { store, clock, delivery, id } = await openPost(t, receiver.url)
  t.deepEqual(await delivery.deliverNow(id), { kind: 'failed', why: 'it answered 503' })
  t.like((await store.outbox.list())[0], { state: 'waiting', dueAt: clock.at + 5 })
  clock.at += 400
  t.deepEqual(await delivery.deliverNow(id), { kind: 'delivered' })
  t.deepEqual(await store.outbox.list(), [])
  const [first, second] = receiver.heard
  t.is(first?.body, second?.body)
  t.is(first?.headers['webhook-id'], second?.headers['webhook-id'])
  t.is(Number(second?.headers['webhook-timestamp']), clock.at)
  t.not(first?.headers['webhook-signature'], second?.headers['webhook-signature'])
  t.true(receiver.heard.every(isSigned))
})

for (const [status, kind] of [
  [201, 'delivered'],
  [204, 'delivered'],
  [302, 'failed'],
  [307, 'failed'],
  [400, 'refused'],
  [401, 'refused'],
  [408, 'failed'],
  [410, 'refused'],
  [425, 'failed'],
  [429, 'failed'],
  [500, 'failed'],
] as const) {
  test(`a receiver that answers ${status} counts as ${kind}, and is asked once at a time`, async (t) => {
    const receiver = await openReceiver(t, status)
    const { delivery, id } = await openPost(t, receiver.url)
    const outcome = await delivery.deliverNow(id)
    t.is(outcome?.kind, kind)
    if (outcome?.kind !== 'delivered') t.is(outcome?.why, `it answered ${status}`)
    // No redirect is followed: the event goes nowhere else.
    t.is(receiver.heard.length, 1)
  })
}

test('who refuses is asked three times, then it lies until staff look', async (t) => {
  const receiver = await openReceiver(t, 400)
  const { store, delivery, id } = await openPost(t, receiver.url)
  for (let i = 0; i < 3; i++) await delivery.deliverNow(id)
  t.like((await store.outbox.list('dead'))[0], { attempts: 3, lastError: 'it answered 400' })
})

test('nobody there, no address set, and a receiver the rules no longer name are failures in words', async (t) => {
  const { delivery, id } = await openPost(t, 'http://127.0.0.1:9/')
  t.deepEqual(await delivery.deliverNow(id), { kind: 'failed', why: 'it could not be reached' })

  const world = await buildWorld(t)
  const { store } = world.house
  for (const receiver of ['mailbox', 'gone', 'constructor']) {
    await queueProvisioning(store, { ...event, receiver }, { at: at() })
  }
  const rows = await eventually(
    () => store.outbox.list(),
    (all) => all.every(({ lastError }) => lastError),
  )
  t.deepEqual(
    rows.map(({ target, state, lastError }) => [target, state, lastError]),
    [
      ['mailbox', 'waiting', 'MAILBOX_URL is not set'],
      ['gone', 'waiting', 'site.yaml has no provisioning.gone'],
      ['constructor', 'waiting', 'site.yaml has no provisioning.constructor'],
    ],
  )
})

test('naming a receiver inside our network opens its address to nobody else', async (t) => {
  const receiver = await openReceiver(t, 200)
  const world = await buildWorld(t, { env: env(receiver.url) })
  const rp = await world.buildApp({ backchannelLogoutUri: 'https://app.example/logout' })
  const { store } = world.house
  const row = await store.clients.find(rp.clientId)
  if (!row) return t.fail('the app is not there')
  const metadata = { ...row.metadata, backchannel_logout_uri: receiver.url }
  await store.clients.put({ ...row, metadata })
  const payload = { clientId: rp.clientId, accountId: 'a' }
  const message = { target: rp.clientId, payload, createdAt: at() }
  await store.outbox.put({ kind: 'backchannel-logout', ...message })
  const [left] = await eventually(
    () => store.outbox.list(),
    ([one]) => one?.lastError !== undefined,
  )
  t.is(left?.lastError, 'its address leads into our own network')
  t.deepEqual(receiver.heard, [])
})
