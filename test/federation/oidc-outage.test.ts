/** A county whose documents cannot be read: what it said before carries sign-ins on, for a week and not longer. */
import test from 'ava'
import {
  fails,
  generateKeys,
  html,
  issuer,
  json as jsonAnswer,
  openUpstream,
  start,
} from './canned-upstream.ts'
import { lendFederation } from './lend.ts'

const discovery = '/.well-known/openid-configuration'
const away = () => {
  throw new TypeError('fetch failed', {
    cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
  })
}
const hour = 3_600_000
const week = 7 * 24 * hour

/** A shelf that outlives processes, and counts what is written on it. */
function openShelves(clock: { now: number }) {
  const { documents } = lendFederation({ now: () => clock.now })
  const writes: string[] = []
  return {
    writes,
    documents: {
      find: documents.find,
      async keep(key: string, text: string) {
        writes.push(key)
        await documents.keep(key, text)
      },
    },
  }
}

/** A process that signed somebody in while all was well; then another one, which begins so much later. */
async function restart(laterMs: number, canned: Parameters<typeof openUpstream>[0] = {}) {
  const clock = { now: start }
  const { documents, writes } = openShelves(clock)
  await openUpstream({ documents }).signIn()
  const upstream = openUpstream({ documents, now: start + laterMs, ...canned })
  return { ...upstream, writes }
}

test('after a restart of ours people sign in at a county whose documents cannot be read', async (t) => {
  const { signIn, countOf } = await restart(hour, { at: { [discovery]: away, '/jwks': away } })
  t.is((await signIn()).subject, 'teacher1')
  t.is((await signIn()).subject, 'teacher1')
  t.is(countOf(discovery), 1, 'nobody else waits for it within a minute')
  t.is(countOf('/jwks'), 1)
})

test('a token that none of the kept keys signed is forged all the same, and the new key is asked for', async (t) => {
  const next = await generateKeys('k2')
  const header = { alg: 'RS256', kid: 'k2' }
  const canned = { at: { '/jwks': away }, signWith: next.privateKey, header }
  const { signIn, canned: upstream, countOf, clock } = await restart(hour, canned)
  await fails(t, 'forged', signIn())
  upstream.at = {}
  upstream.jwks = [next.jwk]
  clock.now += 61_000
  t.is((await signIn()).subject, 'teacher1')
  t.is(countOf('/jwks'), 2)
})

test('a key that was taken back counts no more as soon as the keys can be read', async (t) => {
  const { signIn, clock, canned } = await restart(hour)
  const next = await generateKeys('k2')
  await signIn()
  canned.jwks = [next.jwk]
  clock.now += 10 * 60_000
  await fails(t, 'forged', signIn())
})

test('what was said a week ago is nobody’s word any more', async (t) => {
  for (const path of [discovery, '/jwks']) {
    const at = { [path]: away }
    t.is((await (await restart(week - 1_000, { at })).signIn()).subject, 'teacher1')
    await fails(t, 'unreachable', (await restart(week, { at })).signIn())
  }
})

test('nor is it in a process that has run all the while', async (t) => {
  const { signIn, canned, clock } = openUpstream()
  await signIn()
  canned.at = { [discovery]: away, '/jwks': away }
  clock.now += week - 1_000
  await signIn()
  clock.now += 1_000
  await fails(t, 'unreachable', signIn(), /discovery/)
})

test('kept documents of another issuer, or with addresses we no longer take, are not used', async (t) => {
  const settings = { issuer: 'https://moved.example' }
  await fails(
    t,
    'unreachable',
    (await restart(hour, { settings, at: { [discovery]: away } })).begin(),
  )
})

test('what another process read wrong once does not stay in place of what is right', async (t) => {
  const clock = { now: start }
  const { documents } = openShelves(clock)
  const well = openUpstream({ documents })
  await well.signIn()
  const stray = await generateKeys('k1')
  const other = openUpstream({ documents, jwks: [stray.jwk] })
  await other.connector.probe()
  for (let minutes = 0; minutes <= 60; minutes += 10) {
    await well.connector.probe()
    clock.now += 10 * 60_000
    well.clock.now = clock.now
  }
  const at = { '/jwks': away }
  t.is((await openUpstream({ documents, at, now: clock.now }).signIn()).subject, 'teacher1')
})

test('a clock that was put back makes nothing last longer, and what was read tomorrow is not believed', async (t) => {
  const { signIn, clock, canned } = openUpstream()
  const next = await generateKeys('k2')
  await signIn()
  clock.now -= hour
  canned.jwks = [next.jwk]
  await fails(t, 'forged', signIn())

  const shelves = openShelves({ now: start + 48 * hour })
  await openUpstream({ documents: shelves.documents }).signIn()
  const { documents } = shelves
  const early = openUpstream({ documents, at: { [discovery]: away } })
  await fails(t, 'unreachable', early.begin())
})

test('keys are used only for the address they were read at', async (t) => {
  const metadata = { jwks_uri: `${issuer}/other-keys` }
  const { signIn } = await restart(hour, { metadata, at: { '/other-keys': away } })
  await fails(t, 'unreachable', signIn(), /ID token/)
})

test('they are written when they change, not each time they are read', async (t) => {
  const clock = { now: start }
  const { documents, writes } = openShelves(clock)
  const { connector, canned, clock: theirs } = openUpstream({ documents })
  for (let minute = 0; minute < 50; minute++) {
    await connector.probe()
    theirs.now += 60_000
  }
  t.is(writes.length, 2)
  canned.metadata = { authorization_endpoint: `${issuer}/new` }
  await connector.probe()
  t.is(writes.length, 3)
  theirs.now += hour
  await connector.probe()
  t.is(writes.length, 5, 'and now and then')
})

test('a shelf that cannot be written on, or read, holds no sign-in up', async (t) => {
  const broken = async () => {
    throw new Error('the database is away')
  }
  const { signIn, canned } = openUpstream({ documents: { find: broken, keep: broken } })
  t.is((await signIn()).subject, 'teacher1')
  canned.at = { [discovery]: away }
  t.is((await signIn()).subject, 'teacher1')
})

test('a probe reads both anew, and finds that people can sign in although they cannot be read', async (t) => {
  const { connector, canned, signIn, countOf } = openUpstream()
  await connector.probe()
  await connector.probe()
  t.is(countOf(discovery), 2)
  t.is(countOf('/jwks'), 2)
  canned.at = { [discovery]: away, '/jwks': () => html(503) }
  await t.notThrowsAsync(connector.probe())
  t.is((await signIn()).subject, 'teacher1')
  canned.at = { [discovery]: away, '/token': away }
  await fails(t, 'unreachable', connector.probe(), /token endpoint/)
})

test('a probe that finds nonsense, another issuer, or nothing where nothing is kept, fails', async (t) => {
  const { connector, canned } = openUpstream()
  await connector.probe()
  canned.at = { [discovery]: () => html() }
  await fails(t, 'nonsense', connector.probe())
  canned.at = { '/jwks': () => jsonAnswer({ keys: 'none' }) }
  await fails(t, 'nonsense', connector.probe())
  canned.at = {}
  canned.metadata = { issuer: 'https://evil.example' }
  await fails(t, 'forged', connector.probe())
  await fails(t, 'unreachable', openUpstream({ at: { [discovery]: away } }).connector.probe())
})
