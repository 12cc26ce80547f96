import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { decodeJwt } from 'jose'
import { type Courier, type DeliveryPorts, openDelivery, pauses } from '#jobs/deliver.ts'
import { openLogoutCourier } from '#jobs/deliver-logout.ts'
import type { Outcome } from '#lib/delivery.ts'
import { openLog } from '#lib/log.ts'
import { openGuardedFetch } from '#outside/fetch.ts'
import type { Store } from '#store/store.ts'
import { allowingCallsTo } from '../helpers/allowing-calls.ts'
import { buildStore, engines } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { isOverBefore } from '../helpers/overtaking.ts'
import { signIn } from '../helpers/sign-in.ts'
import { beginWhenTold } from '../helpers/when-told.ts'
import { buildWorld } from '../helpers/world.ts'

const silent = openLog('silent')

const ports = (store: Store, more: Partial<DeliveryPorts> = {}): DeliveryPorts => ({
  store,
  log: silent,
  now: Date.now,
  random: () => 0.5,
  ...more,
})

const seconds = () => Math.floor(Date.now() / 1000)

const put = (store: Store, target: string, payload = {}) =>
  store.outbox.put({ kind: 'mail', target, payload, createdAt: seconds() })

/** A courier of mails that does as it is told. */
const courier = (deliver: Courier['deliver'], more: Partial<Courier> = {}): Courier => ({
  kind: 'mail',
  atOnce: 4,
  patienceSeconds: 20,
  deliver,
  ...more,
})

const delivered: Outcome = { kind: 'delivered' }
const isEmpty = (list: unknown[]) => list.length === 0

/** An app that answers logouts with `status`, or not at all. */
async function openApp(t: ExecutionContext, status?: number) {
  const heard: Record<string, unknown>[] = []
  const given: string[] = []
  const server: Server = createServer(async (request, response) => {
    response.once('close', () => response.writableEnded || given.push('up'))
    const token = new URLSearchParams(await text(request)).get('logout_token') ?? ''
    heard.push({ ...decodeJwt(token), type: request.headers['content-type'] })
    if (status) response.writeHead(status, { location: 'http://localhost:1/' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const uri = `http://localhost:${port}/logout`
  return { heard, given, uri }
}

const tokens = async ({ clientId }: { clientId: string }, jti: string) => ({
  uri: clientId,
  token: `e30.${Buffer.from(JSON.stringify({ jti })).toString('base64url')}.`,
})

/** Many tests share this process: an app's answer may take its time to be read. */
const unhurried = { connectMs: 60_000, totalMs: 60_000 }

async function tellApp(t: ExecutionContext, status: number): Promise<Outcome> {
  const app = await openApp(t, status)
  const fetch = openGuardedFetch({ allow: [new URL(app.uri).origin], ...unhurried })
  const { deliver } = openLogoutCourier({ tokens, fetch })
  const payload = { clientId: app.uri, accountId: 'a' }
  return deliver({ id: 'one', payload }, AbortSignal.timeout(60_000))
}

test('an app that hangs delays neither the person nor another app, which hears at once', async (t) => {
  const [dead, live] = [await openApp(t), await openApp(t, 200)]
  const origins = [dead, live].map(({ uri }) => new URL(uri).origin)
  const world = await buildWorld(t, { env: allowingCallsTo(t, ...origins) })
  const dying = await world.buildApp({ backchannelLogoutUri: dead.uri })
  const living = await world.buildApp({ backchannelLogoutUri: live.uri })
  const { browser, person } = await signIn(world, dying)
  await living.begin(browser)

  const page = await browser.open(`${world.issuer}/session/end`)
  const out = await browser.submit(page, 'sign-out-form', { logout: 'yes' })
  t.is(out.status, 200)
  t.deepEqual(dead.given, [], 'the page does not wait for the apps')
  await eventually(
    async () => [live, dead],
    (apps) => apps.every(({ heard }) => heard.length > 0),
  )
  t.deepEqual(dead.given, [], 'nor does the app that lives')
  t.like(live.heard[0], {
    aud: living.clientId,
    iss: world.issuer,
    sub: person.sub,
    type: 'application/x-www-form-urlencoded',
  })
  const { store } = world.house
  const [waiting] = await eventually(
    () => store.outbox.list(),
    ([one, two]) => one?.lastError !== undefined && !two,
  )
  t.like(waiting, {
    target: dying.clientId,
    state: 'waiting',
    attempts: 1,
    lastError: 'it did not answer in time',
    id: String(dead.heard[0]?.jti),
  })
})

test('an app that is gone by then, or has no address any more, is not waited for', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ backchannelLogoutUri: 'https://app.invalid/logout' })
  const { store } = world.house
  await store.clients.remove(rp.clientId)
  await store.outbox.put({
    kind: 'backchannel-logout',
    target: rp.clientId,
    payload: { clientId: rp.clientId, accountId: 'a' },
    createdAt: seconds(),
  })
  t.deepEqual(await eventually(() => store.outbox.list(), isEmpty), [])
})

for (const [status, kind] of [
  [200, 'delivered'],
  [204, 'delivered'],
  [400, 'refused'],
  [302, 'failed'],
  [404, 'failed'],
  [500, 'failed'],
] as const) {
  test(`an app that answers ${status} counts as ${kind}`, async (t) => {
    const outcome = await tellApp(t, status)
    t.is(outcome.kind, kind)
    if (outcome.kind !== 'delivered') t.is(outcome.why, `it answered ${status}`)
  })
}

test('an app nobody listens at, and one inside our network, fail in words without an address', async (t) => {
  const ask = (clientId: string, allow: string[]) =>
    openLogoutCourier({ tokens, fetch: openGuardedFetch({ allow, ...unhurried }) }).deliver(
      { id: 'one', payload: { clientId, accountId: 'a' } },
      AbortSignal.timeout(60_000),
    )
  const nobody = await ask('http://localhost:9/logout', ['http://localhost:9'])
  t.deepEqual(nobody, { kind: 'failed', why: 'it could not be reached' })
  const inside = await ask('https://169.254.169.254/logout', [])
  t.deepEqual(inside, { kind: 'failed', why: 'its address leads into our own network' })
})

for (const engine of engines) {
  test(`${engine}: two deliverers at once deliver each message once, a target’s in order`, async (t) => {
    const store = await buildStore(t, engine)
    const heard = new Map<string, number[]>()
    const speaking = new Set<string>()
    let overlaps = 0
    const deliver: Courier['deliver'] = async ({ payload }) => {
      const { target, i } = payload as { target: string; i: number }
      if (speaking.has(target)) overlaps++
      speaking.add(target)
      await sleep(2)
      heard.set(target, [...(heard.get(target) ?? []), i])
      speaking.delete(target)
      return delivered
    }
    for (let i = 0; i < 60; i++) {
      const target = `${i % 6}.example`
      await put(store, target, { target, i })
    }
    const two = [1, 2].map(() => openDelivery([courier(deliver)], ports(store)))
    for (const one of two) one.begin()
    t.deepEqual(await eventually(() => store.outbox.list(), isEmpty), [])
    await Promise.all(two.map((one) => one.close()))
    t.is(overlaps, 0)
    for (let k = 0; k < 6; k++) {
      t.deepEqual(
        heard.get(`${k}.example`),
        Array.from({ length: 10 }, (_, i) => k + 6 * i),
      )
    }
  })
}

test('one dead target with a heap of messages takes one place of four', async (t) => {
  const store = await buildStore(t)
  for (let i = 0; i < 50; i++) await put(store, 'dead.example', { dead: true })
  for (let i = 0; i < 20; i++) await put(store, `live-${i}.example`)
  let heard = 0
  let asked = 0
  const deliver: Courier['deliver'] = async ({ payload }, signal) => {
    if ('dead' in (payload as object)) {
      asked++
      await sleep(60_000, undefined, { signal })
    }
    heard++
    return delivered
  }
  const delivery = openDelivery([courier(deliver)], ports(store))
  t.teardown(() => delivery.close(0))
  // Whose place is free looks for the next: nobody waits for the look of every few seconds.
  beginWhenTold(delivery)
  t.is(
    await eventually(
      async () => heard,
      (all) => all === 20,
    ),
    20,
  )
  t.is(asked, 1, 'meanwhile the dead one is still being tried')
  t.true(await isOverBefore(delivery.close(100), sleep(1_000)))
  const [first] = await store.outbox.list()
  t.like(first, { attempts: 1, lastError: 'the process was stopped', state: 'waiting' })
  t.true((first?.dueAt ?? Infinity) <= seconds(), 'another process may have it at once')
})

test('tries come after 5 seconds, 30, 2 minutes, 10, an hour …, twelve in a day; then it is dead', async (t) => {
  const store = await buildStore(t)
  let at = 1_000_000_000
  const lines: string[] = []
  const delivery = openDelivery(
    [courier(async () => ({ kind: 'failed', why: 'it answered 503' }))],
    ports(store, {
      now: () => at * 1000,
      log: openLog('info', { write: (line) => lines.push(line) }),
    }),
  )
  const began = at
  const id = await store.outbox.put({ kind: 'mail', target: 'a', payload: {}, createdAt: at })
  const waits: number[] = []
  for (;;) {
    t.like(await delivery.deliverNow(id), { kind: 'failed' })
    const [row] = await store.outbox.list()
    if (!row || row.state === 'dead') break
    waits.push(row.dueAt - at)
    t.deepEqual(await store.outbox.claim('mail', { at: row.dueAt - 1, until: 0, limit: 1 }), [])
    at = row.dueAt
  }
  t.deepEqual(waits, pauses)
  t.deepEqual(waits.slice(0, 5), [5, 30, 120, 600, 3600])
  const hours = (at - began) / 3600
  t.true(hours > 20 && hours < 26, `${hours}`)
  t.like((await store.outbox.list('dead'))[0], { id, attempts: 12, lastError: 'it answered 503' })
  t.is(lines.length, 12)
  t.like(JSON.parse(lines.at(-1) ?? ''), { level: 'error', outbox: id, why: 'it answered 503' })
  t.is(await delivery.deliverNow(id), undefined)
})

test('pauses differ by a fifth either way: what failed together is not tried together', async (t) => {
  const store = await buildStore(t)
  const waits = await Promise.all(
    [0, 0.999].map(async (chance, i) => {
      const fails = courier(async () => ({ kind: 'failed', why: 'no' }))
      const delivery = openDelivery(
        [fails],
        ports(store, { now: () => 1e12, random: () => chance }),
      )
      const target = `${i}.example`
      const id = await store.outbox.put({ kind: 'mail', target, payload: {}, createdAt: 1e9 })
      await delivery.deliverNow(id)
      return (await store.outbox.list()).find((row) => row.id === id)?.dueAt
    }),
  )
  t.deepEqual(waits, [1e9 + 4, 1e9 + 6])
})

test('who refuses is asked three times', async (t) => {
  const store = await buildStore(t)
  const refuses = courier(async () => ({ kind: 'refused', why: 'it answered 400' }))
  const delivery = openDelivery([refuses], ports(store))
  const id = await put(store, 'a.example')
  for (let i = 0; i < 3; i++) await delivery.deliverNow(id)
  t.like((await store.outbox.list())[0], { state: 'dead', attempts: 3 })
})

test('a message whose deliverer was killed is delivered again under the same id', async (t) => {
  const store = await buildStore(t)
  let at = 1e9
  const id = await store.outbox.put({ kind: 'mail', target: 'a', payload: {}, createdAt: at })
  // Taken by a process that was killed before it could say how it ended.
  await store.outbox.claim('mail', { at, until: at + 30, limit: 1 })
  const heard: string[] = []
  const delivery = openDelivery(
    [
      courier(async (message) => {
        heard.push(message.id)
        return delivered
      }),
    ],
    ports(store, { now: () => at * 1000 }),
  )
  beginWhenTold(delivery)
  t.teardown(() => delivery.close())
  await sleep(100)
  t.deepEqual(heard, [])
  at += 30
  delivery.nudge()
  t.deepEqual(
    await eventually(
      async () => heard,
      (all) => all.length > 0,
    ),
    [id],
  )
})

for (const engine of engines) {
  test(`${engine}: a try whose time ran out says nothing of the one staff ordered after it`, async (t) => {
    const store = await buildStore(t, engine)
    let at = 1e9
    const id = await store.outbox.put({ kind: 'mail', target: 'a', payload: {}, createdAt: at })
    /** What a receiver who takes his time will have answered. */
    const openSlow = () => {
      let answer = (_: Outcome) => {}
      const answered = new Promise<Outcome>((resolve) => (answer = resolve))
      const slow = courier(() => answered)
      const ended = openDelivery([slow], ports(store, { now: () => at * 1000 })).deliverNow(id)
      return { answer, ended }
    }
    const attempts = async () => (await store.outbox.find(id))?.attempts ?? 0
    const first = openSlow()
    await eventually(attempts, (n) => n === 1)
    at += 31
    t.true(await store.outbox.retry(id, at))
    const second = openSlow()
    await eventually(attempts, (n) => n === 1)
    first.answer({ kind: 'failed', why: 'it answered 500' })
    await first.ended
    t.is(await store.outbox.take(id, { at, until: at + 30 }), undefined, 'the second has it')
    t.is((await store.outbox.find(id))?.lastError, undefined)
    second.answer({ kind: 'failed', why: 'it answered 503' })
    await second.ended
    t.like(await store.outbox.find(id), { attempts: 1, lastError: 'it answered 503' })
  })
}

test('a message that ends the process at every try is given up, not tried for ever', async (t) => {
  const store = await buildStore(t)
  let at = 1e9
  const id = await store.outbox.put({ kind: 'mail', target: 'a', payload: {}, createdAt: at })
  for (let i = 0; i < 12; i++, at += 31) {
    t.is((await store.outbox.claim('mail', { at, until: at + 30, limit: 1 })).length, 1)
  }
  const delivery = openDelivery(
    [courier(async () => t.fail('it was handed out again') as never)],
    ports(store, { now: () => at * 1000 }),
  )
  t.like(await delivery.deliverNow(id), { kind: 'refused' })
  t.like((await store.outbox.list())[0], { state: 'dead', attempts: 13 })
})

test('a courier that throws, or takes too long, costs a try and tells no secret', async (t) => {
  const store = await buildStore(t)
  const throws = courier(async () => {
    throw new Error('https://id.example/reset/secret')
  })
  const id = await put(store, 'a.example')
  await openDelivery([throws], ports(store)).deliverNow(id)
  t.like((await store.outbox.list())[0], { lastError: 'an error of our own: see the log' })
  const sleeps = courier(async (_, signal) => sleep(9_000, delivered, { signal }), {
    patienceSeconds: 0.1,
  })
  await openDelivery([sleeps], ports(store)).deliverNow(id)
  t.like((await store.outbox.list())[0], { lastError: 'it took too long', attempts: 2 })
})

test('what was sealed under another key is given up, and said so', async (t) => {
  const store = await buildStore(t)
  const id = await put(store, 'a.example')
  store.beginOutbox(Buffer.alloc(32, 9))
  const delivery = openDelivery([courier(async () => delivered)], ports(store))
  for (let i = 0; i < 3; i++) await delivery.deliverNow(id)
  t.like((await store.outbox.list('dead'))[0], {
    lastError: 'it does not open: it was sealed under another key',
  })
})

test('a world that stops with messages in hand stops at once, and its log has no words of them', async (t) => {
  const dead = await openApp(t)
  const world = await buildWorld(t, { env: allowingCallsTo(t, new URL(dead.uri).origin) })
  const rp = await world.buildApp({ backchannelLogoutUri: dead.uri })
  const { browser } = await signIn(world, rp)
  const page = await browser.open(`${world.issuer}/session/end`)
  await browser.submit(page, 'sign-out-form', { logout: 'yes' })
  await eventually(
    async () => dead.heard,
    (heard) => heard.length > 0,
  )
  await world.close()
  // Its own time was not up yet, and nothing else held the end up.
  t.regex(world.log.join(''), /"why":"the process was stopped"/)
  t.notRegex(world.log.join(''), /did not end in time/)
})
