import test, { type ExecutionContext } from 'ava'
import { createRemoteJWKSet, decodeProtectedHeader } from 'jose'
import { siteFile } from '#config/schema.ts'
import { openLog } from '#lib/log.ts'
import { followKeys } from '#oidc/follow-keys.ts'
import { openKeyEncryption } from '#oidc/key-encryption.ts'
import {
  addSuccessor,
  changeKeyEncryption,
  replaceNow,
  revokeKey,
  rotateDueKeys,
} from '#oidc/key-rotation.ts'
import { type KeyLine, keyRules, scheduleOf } from '#oidc/key-schedule.ts'
import { type Keys, openKeys } from '#oidc/keys.ts'
import { openRing } from '#oidc/ring.ts'
import { openStore, type Store } from '#store/store.ts'
import { buildStore } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { signIn } from '../helpers/sign-in.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const rules = keyRules(siteFile.parse({ id: 'site', title: { 'zh-TW': '站', en: 'Site' } }))
const kek = openKeyEncryption(Buffer.alloc(32, 3))
const actor = 'operator:test'
const day = 24 * 60 * 60
const rs256: KeyLine = { purpose: 'signing', alg: 'RS256' }
const es256: KeyLine = { purpose: 'signing', alg: 'ES256' }
const cookie: KeyLine = { purpose: 'cookie' }

/** A clock that stands where it is put. In seconds. */
function openClock(at = 1_700_000_000) {
  const clock = { at, now: () => clock.at * 1000 }
  return clock
}

const signingKids = (keys: Keys) => keys.signing.map(({ kid }) => String(kid))
const newestOf = (keys: Keys, wanted: string) => keys.signing.find(({ alg }) => alg === wanted)?.kid

test('over two years no key signs that was not published a day before, and none leaves before its last token', async (t) => {
  const store = await buildStore(t)
  const clock = openClock()
  const keys = await openKeys(store, kek, clock.now, rules)
  const firsts = new Set(signingKids(keys))
  const publishedAt = new Map<string, number>()
  const lastSigned = new Map<string, number>()
  const left = new Map<string, number>()
  const start = clock.at
  for (; clock.at < start + 730 * day; clock.at += 6 * 60 * 60) {
    await rotateDueKeys(store, kek, clock.now, rules)
    const { signing } = await openKeys(store, kek, clock.now, rules)
    const kids = signing.map(({ kid }) => String(kid))
    for (const kid of kids) if (!publishedAt.has(kid)) publishedAt.set(kid, clock.at)
    for (const kid of publishedAt.keys()) {
      if (!kids.includes(kid) && !left.has(kid)) left.set(kid, clock.at)
    }
    for (const alg of ['RS256', 'ES256']) {
      const kid = String(signing.find((key) => key.alg === alg)?.kid)
      t.false(left.has(kid))
      lastSigned.set(kid, clock.at)
      const known = clock.at - (publishedAt.get(kid) ?? clock.at)
      t.true(firsts.has(kid) || known >= rules.publishAhead, `published ${known} s before`)
      t.true(signing.filter((key) => key.alg === alg).length <= 3)
    }
  }
  // Every ninety days another one, and the first has long left.
  t.is(lastSigned.size, 2 * Math.ceil(730 / 90))
  t.is(left.size, lastSigned.size - 2)
  for (const [kid, at] of left) {
    const kept = at - (lastSigned.get(kid) ?? 0)
    t.true(kept >= 60 * 60 + day, `kept ${kept} s`)
    t.true(kept < 3 * day, `kept ${kept} s`)
  }
})

test('to the second: next until its time, then it signs, the old one verifies until it leaves', async (t) => {
  const store = await buildStore(t)
  const clock = openClock()
  await openKeys(store, kek, clock.now, rules)
  const made = clock.at
  const states = async () => {
    const ring = openRing(await store.keyRing.list(), kek)
    const all = scheduleOf(ring, clock.at, rules)
    return all.filter(({ alg }) => alg === 'ES256').map(({ name, state }) => `${name} ${state}`)
  }
  const rotate = async (at: number) => {
    clock.at = at
    await rotateDueKeys(store, kek, clock.now, rules)
    return states()
  }
  const [old, next] = ['signing-es256-1', 'signing-es256-2']
  const takesOver = made + rules.used.signing
  t.deepEqual(await rotate(takesOver - day - 1), [`${old} signing`])
  t.deepEqual(await rotate(takesOver - day), [`${old} signing`, `${next} next`])
  t.deepEqual(await rotate(takesOver - 1), [`${old} signing`, `${next} next`])
  t.deepEqual(await rotate(takesOver), [`${next} signing`, `${old} retired`])
  const leaves = takesOver + rules.kept.signing
  t.deepEqual(await rotate(leaves - 1), [`${next} signing`, `${old} retired`])
  t.deepEqual(await rotate(leaves), [`${next} signing`])
})

test('a job that was away for months still announces before it lets sign', async (t) => {
  const store = await buildStore(t)
  const clock = openClock()
  const before = await openKeys(store, kek, clock.now, rules)
  clock.at += 400 * day
  await rotateDueKeys(store, kek, clock.now, rules)
  clock.at += rules.publishAhead - 1
  const announced = await openKeys(store, kek, clock.now, rules)
  t.is(newestOf(announced, 'RS256'), newestOf(before, 'RS256'))
  t.is(announced.signing.length, 4)
  clock.at += 1
  t.not(newestOf(await openKeys(store, kek, clock.now, rules), 'RS256'), newestOf(before, 'RS256'))
})

test('several processes rotate at the same moment: each key is made once', async (t) => {
  const first = await buildStore(t)
  const clock = openClock()
  await openKeys(first, kek, clock.now, rules)
  const others = [openStore(first.where), openStore(first.where)]
  for (const store of others) store.beginAudit(Buffer.alloc(32, 7))
  t.teardown(() => Promise.all(others.map((store) => store.close())))
  clock.at += rules.used.signing
  const stores: Store[] = [first, ...others, first, first]
  const results = await Promise.all(
    stores.map((store) => rotateDueKeys(store, kek, clock.now, rules)),
  )
  const made = results.flatMap((one) => one.made).sort()
  t.deepEqual(made, ['cookie-2', 'signing-es256-2', 'signing-rs256-2'])
  t.deepEqual(
    (await first.keyRing.list()).map(({ name }) => name).sort(),
    [
      'audit-1',
      'cookie-1',
      'data-1',
      'pairwise-1',
      'signing-es256-1',
      'signing-rs256-1',
      ...made,
    ].sort(),
  )
  t.deepEqual(await rotateDueKeys(first, kek, clock.now, rules), { made: [], removed: [] })
})

test('after a theft the new key signs at once, waiting successors go, and the stolen key is revoked', async (t) => {
  const store = await buildStore(t)
  const clock = openClock()
  const ports = { store, kek, now: clock.now, rules, actor }
  const before = await openKeys(store, kek, clock.now, rules)
  const stolen = String(newestOf(before, 'RS256'))
  clock.at += 60
  const { key: waiting, isNew } = await addSuccessor(ports, rs256)
  t.true(isNew)
  t.like(await addSuccessor(ports, rs256), { key: { kid: waiting.kid }, isNew: false })

  t.is(await revokeKey(ports, stolen), 'signing')
  t.is(await revokeKey(ports, 'audit-1'), 'permanent')
  t.is(await revokeKey(ports, 'nobody'), 'unknown')
  const fresh = await replaceNow(ports, rs256)
  const during = await openKeys(store, kek, clock.now, rules)
  t.is(newestOf(during, 'RS256'), fresh.kid)
  t.true(signingKids(during).includes(stolen))
  t.false(signingKids(during).includes(waiting.kid))

  t.is(await revokeKey(ports, stolen), 'revoked')
  t.is(await revokeKey(ports, stolen), 'unknown')
  const trail = await store.auditReads.list({ limit: 9, actor })
  t.deepEqual(trail.map(({ action, target }) => `${action} ${target}`).reverse(), [
    `key.publish key:${waiting.kid}`,
    `key.remove key:${waiting.kid}`,
    `key.replace key:${fresh.kid}`,
    `key.revoke key:${stolen}`,
  ])
  const after = await openKeys(store, kek, clock.now, rules)
  t.deepEqual(signingKids(after), [fresh.kid, String(newestOf(before, 'ES256'))])
  // The clock of another host may be behind: nobody there falls back to making or resurrecting a key.
  const behind = () => clock.now() - 30_000
  t.is(newestOf(await openKeys(store, kek, behind, rules), 'RS256'), fresh.kid)
})

/** Two processes of one installation, on one database, with one clock. */
async function buildTwo(t: ExecutionContext) {
  const clock = openClock(Math.floor(Date.now() / 1000))
  const first = await buildWorld(t, { now: clock.now })
  const ports = [await freePort(), await freePort(), await freePort()] as World['ports']
  const second = await buildWorld(t, { now: clock.now, dataDir: first.dataDir, ports })
  const both = [first, second]
  const look = () => Promise.all(both.map((world) => world.lookAtKeys()))
  const { store, keyEncryption, config } = first.house
  const site = keyRules(config.site)
  return {
    clock,
    first,
    second,
    both,
    look,
    rotation: { store, kek: keyEncryption, now: clock.now, rules: site, actor },
  }
}

const published = async (world: World) => {
  const answer = await fetch(`${world.issuer}/jwks`)
  const { keys } = (await answer.json()) as { keys: Record<string, string>[] }
  return { kids: keys.map(({ kid }) => kid), keys, cache: answer.headers.get('cache-control') }
}

/** The algorithm's key that signs an access token there. */
async function signsWith(app: RelyingParty) {
  const { body } = await app.token({
    grant_type: 'client_credentials',
    resource: 'https://api.cloud.edu.tw/learning',
    scope: 'learning:read',
  })
  const { kid } = decodeProtectedHeader(body.access_token)
  return kid
}

test('two processes follow a rotation without a restart; an ID token of the retired key still says who signs out', async (t) => {
  const { clock, first, second, both, look, rotation } = await buildTwo(t)
  const machines = await Promise.all(both.map((world) => world.buildApp({ type: 'machine' })))
  const signingNow = () => Promise.all(machines.map(signsWith))
  const app = await first.buildApp({ postLogoutRedirectUris: ['https://app.example/bye'] })
  const { browser, back } = await signIn(first, app)
  const { body: tokens } = await app.redeem(back.url)
  const old = (await app.verify(tokens.id_token)).header.kid

  const provider = first.house.provider
  const { key } = await addSuccessor(rotation, rs256)
  t.false((await published(second)).kids.includes(key.kid))
  await look()
  t.not(first.house.provider, provider)
  for (const world of both) {
    const { kids, keys, cache } = await published(world)
    t.deepEqual(kids.slice(0, 2), [String(old), key.kid])
    t.is(cache, 'public, max-age=600')
    t.true(keys.every((one) => !('d' in one)))
  }
  t.deepEqual(await signingNow(), [String(old), String(old)])

  clock.at += rotation.rules.publishAhead
  await look()
  t.deepEqual(await signingNow(), [key.kid, key.kid])
  for (const world of both) t.true((await published(world)).kids.includes(String(old)))
  const verified = await app.verify(tokens.id_token)
  t.is(verified.header.kid, old)
  const signOut = `${first.issuer}/session/end?${new URLSearchParams({
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: 'https://app.example/bye',
  })}`
  t.is((await browser.open(signOut)).status, 200)

  clock.at += rotation.rules.kept.signing
  t.deepEqual(
    (await rotateDueKeys(rotation.store, rotation.kek, clock.now, rotation.rules)).removed,
    ['signing-rs256-1'],
  )
  await look()
  for (const world of both) t.false((await published(world)).kids.includes(String(old)))
  // Now it cannot be told from a forgery.
  t.is((await browser.open(signOut)).status, 400)
})

test('a revoked key leaves both processes’ JWKS, and nothing it signed verifies', async (t) => {
  const { first, both, look, rotation } = await buildTwo(t)
  const app = await first.buildApp({ type: 'machine' })
  const stolen = await signsWith(app)
  await replaceNow(rotation, rs256)
  t.is(await revokeKey(rotation, String(stolen)), 'revoked')
  await look()
  for (const world of both) t.false((await published(world)).kids.includes(stolen))
  t.not(await signsWith(app), stolen)
})

test('cookie keys rotate and nobody is signed out; a revoked one ends what it signed', async (t) => {
  const { clock, first, second, look, rotation } = await buildTwo(t)
  const app = await first.buildApp()
  const { browser } = await signIn(first, app)
  const silently = async () => {
    const page = await app.begin(browser, { prompt: 'none' })
    t.true(arrivedAt(app, page))
    return page.url.searchParams.get('error') ?? 'signed in'
  }
  t.is(await silently(), 'signed in')

  const { key } = await addSuccessor(rotation, cookie)
  await look()
  t.is(first.house.keys.cookie.length, 2)
  t.is(await silently(), 'signed in')
  clock.at += rotation.rules.publishAhead
  // What one process signs with the new key, one that has not looked yet verifies: it knew it for a day.
  await first.lookAtKeys()
  t.deepEqual(first.house.keys.cookie[0], second.house.keys.cookie[1])
  t.is(await silently(), 'signed in')
  await look()

  const cookiesSet = async () => (await browser.request(`${first.issuer}/`)).headers.getSetCookie()
  t.deepEqual(await cookiesSet(), [], 'the browser’s own cookie is not signed anew')
  t.is(await silently(), 'signed in')

  t.is(key.kid, 'cookie-2')
  t.is(await revokeKey(rotation, 'cookie-1'), 'revoked')
  await look()
  t.regex((await cookiesSet()).join(), /_device=/, 'a stranger now')
})

test('a running process goes on when the key-encryption key is changed under it, and still hears of a revocation', async (t) => {
  const store = await buildStore(t)
  const clock = openClock()
  const other = openKeyEncryption(Buffer.alloc(32, 4))
  const keys = await openKeys(store, kek, clock.now, rules)
  const lines: string[] = []
  const follower = followKeys(keys, {
    store,
    kek,
    now: clock.now,
    rules,
    log: openLog('info', { write: (line) => lines.push(line) }),
    onSigningKeys: () => {},
  })
  t.teardown(() => follower.close())
  await follower.look()
  const before = signingKids(keys)
  await changeKeyEncryption({ store, kek, now: clock.now, actor }, other)
  await follower.look()
  t.deepEqual(signingKids(keys), before)

  // What is sealed under a key it was not given it cannot use; it says so.
  const moved = { store, kek: other, now: clock.now, rules, actor }
  await addSuccessor(moved, es256)
  await follower.look()
  t.deepEqual(signingKids(keys), before)
  t.true(lines.some((line) => /cannot be opened/.test(line)))
  await t.throwsAsync(rotateDueKeys(store, kek, clock.now, rules), { message: /CITYGATE_KEK/ })

  await replaceNow(moved, rs256)
  await revokeKey(moved, String(before[0]))
  await follower.look()
  t.false(signingKids(keys).includes(String(before[0])))
})

test('without a database a process changes keys at the appointed second all the same', async (t) => {
  const store = await buildStore(t)
  const clock = openClock()
  const keys = await openKeys(store, kek, clock.now, rules)
  const { key } = await addSuccessor({ store, kek, now: clock.now, rules, actor }, es256)
  let broken = false
  let changes = 0
  const follower = followKeys(keys, {
    store: {
      keyRing: {
        ...store.keyRing,
        list: () => (broken ? Promise.reject(new Error('no database')) : store.keyRing.list()),
      },
    },
    kek,
    now: clock.now,
    rules,
    log: openLog('silent'),
    onSigningKeys: () => changes++,
  })
  t.teardown(() => follower.close())
  await follower.look()
  t.is(changes, 1)
  t.not(newestOf(keys, 'ES256'), key.kid)
  broken = true
  await follower.look()
  t.is(changes, 1)
  clock.at += rules.publishAhead
  await follower.look()
  t.is(newestOf(keys, 'ES256'), key.kid)
  t.is(changes, 2)
})

test('who listened to the provider still hears after the keys changed', async (t) => {
  const { first, look, rotation } = await buildTwo(t)
  const heard: string[] = []
  first.house.provider.on('client_credentials.saved', () => heard.push('saved'))
  await addSuccessor(rotation, es256)
  await look()
  const app = await first.buildApp({ type: 'machine' })
  await app.token({ grant_type: 'client_credentials' })
  t.deepEqual(heard, ['saved'])
  const discovery = await fetch(`${first.issuer}/.well-known/openid-configuration`)
  t.is(discovery.headers.get('cache-control'), 'public, max-age=600')
  const jwks = createRemoteJWKSet(new URL(`${first.issuer}/jwks`))
  await jwks.reload()
  t.is(jwks.jwks()?.keys.length, 3)
})
