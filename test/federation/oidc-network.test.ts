import test from 'ava'
import type { UpstreamFailure } from '#errors.ts'
import { OutboundError, openGuardedFetch } from '#outside/fetch.ts'
import {
  eduinfoCall,
  fails,
  failsWith,
  html,
  issuer,
  json,
  openUpstream,
} from './canned-upstream.ts'

const discovery = '/.well-known/openid-configuration'

test('discovery is read once for callers at the same time and again after an hour', async (t) => {
  const { begin, countOf, clock } = openUpstream()
  await Promise.all([begin(), begin(), begin()])
  await begin()
  clock.now += 3_599_999
  await begin()
  t.is(countOf(discovery), 1)
  clock.now += 1
  await Promise.all([begin(), begin()])
  t.is(countOf(discovery), 2)
})

test('a failed discovery is forgotten', async (t) => {
  const { begin, canned } = openUpstream({ at: { [discovery]: () => html(503) } })
  await fails(t, 'unreachable', begin(), /discovery.*503/)
  canned.at = { [discovery]: () => html() }
  await fails(t, 'nonsense', begin(), /discovery/)
  canned.at = {}
  t.regex((await begin()).url, /^https:\/\/county\.example\/auth/)
})

test('an old document serves on while a new one cannot be had, asked for once a minute', async (t) => {
  const { begin, canned, clock, countOf } = openUpstream()
  await begin()
  canned.at = { [discovery]: () => html(503) }
  clock.now += 3_600_000
  await begin()
  await begin()
  t.is(countOf(discovery), 2)
  clock.now += 60_000
  await begin()
  t.is(countOf(discovery), 3)
  canned.at = {}
  canned.metadata = { authorization_endpoint: `${issuer}/new` }
  clock.now += 60_000
  t.regex((await begin()).url, /\/new\?/)
})

test('a document of another issuer is forged, down to the slash', async (t) => {
  for (const claimed of ['https://evil.example', `${issuer}/`, 'HTTPS://county.example']) {
    await fails(t, 'forged', openUpstream({ metadata: { issuer: claimed } }).begin(), /discovery/)
  }
})

test('an issuer with a slash is taken as it is (Kaohsiung)', async (t) => {
  const { signIn, calls } = openUpstream({ settings: { issuer: `${issuer}/` } })
  t.is((await signIn()).issuer, `${issuer}/`)
  t.is(calls[0]?.url, `${issuer}${discovery}`)
  await fails(
    t,
    'forged',
    openUpstream({ settings: { issuer: `${issuer}/` }, metadata: { issuer } }).begin(),
  )
})

test('a document without the endpoints we need, or with plain http ones, is nonsense', async (t) => {
  for (const metadata of [
    { jwks_uri: undefined },
    { token_endpoint: 'http://county.example/token' },
    { authorization_endpoint: 'javascript:alert(1)' },
    { userinfo_endpoint: 7 },
    { issuer: undefined },
  ]) {
    await fails(t, 'nonsense', openUpstream({ metadata }).begin(), /discovery/)
  }
})

test('plain http is spoken only where the sandbox asks for it', async (t) => {
  const http = 'http://localhost:3002/ntpc'
  const settings = { issuer: http, userinfo: false }
  const at = {
    [`/ntpc${discovery}`]: () =>
      json({
        issuer: http,
        authorization_endpoint: `${http}/auth`,
        token_endpoint: `${http}/token`,
        jwks_uri: `${http}/jwks`,
      }),
  }
  await fails(t, 'nonsense', openUpstream({ settings, at }).begin())
  const sandbox = openUpstream({ settings, at, insecure: true })
  t.regex((await sandbox.begin()).url, /^http:\/\/localhost:3002\/ntpc\/auth/)
})

const broken: [string, UpstreamFailure, () => Response | Promise<Response>][] = [
  ['HTML with status 200', 'nonsense', () => html()],
  ['HTML with status 500', 'unreachable', () => html(500)],
  ['HTML with status 404', 'nonsense', () => html(404)],
  ['HTTP 429', 'unreachable', () => html(429)],
  [
    'a redirect',
    'nonsense',
    () => new Response(null, { status: 302, headers: { location: '/x' } }),
  ],
  [
    'broken JSON',
    'nonsense',
    () =>
      new Response('{"access_token":"at-secret', {
        headers: { 'content-type': 'application/json' },
      }),
  ],
  ['a list', 'nonsense', () => json([])],
  ['an empty object', 'nonsense', () => json({})],
  ['null', 'nonsense', () => json(null)],
  [
    'nothing, the connection was refused',
    'unreachable',
    () => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
      })
    },
  ],
  [
    'nothing in time',
    'slow',
    () => {
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError')
    },
  ],
  [
    'no connection in time',
    'slow',
    () => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('x'), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
      })
    },
  ],
]
for (const path of [discovery, '/token', '/jwks', '/userinfo']) {
  for (const [title, failure, answer] of broken) {
    test(`${path} answering ${title} is ${failure}`, (t) =>
      failsWith(t, failure, { at: { [path]: answer } }))
  }
}
for (const [title, failure, answer] of broken.filter(([name]) => name !== 'an empty object')) {
  test(`the claims call answering ${title} is ${failure}`, (t) =>
    failsWith(
      t,
      failure,
      { settings: { claims_call: eduinfoCall }, at: { '/eduinfo': answer } },
      /eduinfo/,
    ))
}

test('what the guarded fetch says is understood', async (t) => {
  const { code } = (await t.throwsAsync(openGuardedFetch()('https://127.0.0.1/'))) as Error & {
    code: string
  }
  t.is(code, 'blocked')
  for (const [said, failure] of [
    ['timeout', 'slow'],
    ['blocked', 'unreachable'],
    ['unreachable', 'unreachable'],
    ['too-large', 'nonsense'],
  ] as const) {
    const at = { [discovery]: () => Promise.reject(new OutboundError(said)) }
    await fails(t, failure, openUpstream({ at }).begin())
  }
})

test("the token endpoint's no is told from its not knowing us", async (t) => {
  const kinds: [string, UpstreamFailure][] = [
    ['access_denied', 'refused'],
    ['invalid_grant', 'nonsense'],
    ['invalid_client', 'nonsense'],
    ['temporarily_unavailable', 'unreachable'],
  ]
  for (const [error, failure] of kinds) {
    const answer = () => json({ error, error_description: '王小明 code-secret' }, 400)
    await failsWith(
      t,
      failure,
      { at: { '/token': answer } },
      new RegExp(`token endpoint: error=${error}$`),
    )
  }
  const challenge = () =>
    Response.json(
      { error: 'invalid_client' },
      { status: 401, headers: { 'www-authenticate': 'Basic' } },
    )
  await failsWith(t, 'nonsense', { at: { '/token': challenge } })
})
