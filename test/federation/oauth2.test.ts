import test from 'ava'
import { OutboundError } from '#outside/fetch.ts'
import { base, type CannedOAuth2, openCity } from './canned-oauth2.ts'
import { callback, fails, html, json } from './canned-upstream.ts'

const user = '/api/user'
const profile = '/api/profile'
const school = '/api/v2/school/zhps'
const token = '/oauth/token'
const listed = ['county.example', 'api.county.example']

/** The sign-in fails like that, and nobody but the listed hosts was asked. */
async function failsWith(
  t: Parameters<typeof fails>[0],
  failure: Parameters<typeof fails>[1],
  canned: CannedOAuth2,
  hint?: RegExp,
) {
  const city = openCity(canned)
  await fails(t, failure, city.signIn(), hint)
  t.true(city.hosts().every((host) => listed.includes(host)))
  return city
}

test('she leaves with state and PKCE; a fresh sign-in has no word here', async (t) => {
  const { begin, calls } = openCity()
  const { url, memo } = await begin()
  const asked = new URL(url)
  t.is(asked.origin + asked.pathname, `${base}/oauth/authorize`)
  const { code_challenge: challenge, ...rest } = Object.fromEntries(asked.searchParams)
  t.deepEqual(rest, {
    lang: 'zh',
    response_type: 'code',
    client_id: 'city gate',
    redirect_uri: callback,
    scope: 'user profile',
    state: 'st1',
    code_challenge_method: 'S256',
  })
  t.regex(challenge ?? '', /^[\w-]{43}$/)
  t.regex(memo.codeVerifier ?? '', /^[\w-]{43}$/)
  t.false(url.includes(memo.codeVerifier ?? ''))
  t.is(calls.length, 0)
})

test('she comes back: one code, one token, each call with it and in order', async (t) => {
  const { signIn, calls, sources, connector } = openCity({ fingerprint: 'idno' })
  const identity = await signIn()
  const claims = {
    user: { uuid: 'u-1', name: '王小明', role: '教師', email: 'w@county.example' },
    profile: { o: 'zhps', gender: '1' },
    school: { o: 'zhps', tpUniformNumbers: ['353698'] },
  }
  t.deepEqual(identity, {
    connector: 'county',
    issuer: base,
    subject: 'u-1',
    profile: {},
    affiliations: [],
    openid2Ids: [],
    fingerprint: 'a123456789',
    raw: claims,
  })
  t.deepEqual(sources, [
    { idToken: {}, extra: { ...claims, profile: { ...claims.profile, idno: 'A123456789' } } },
  ])
  t.deepEqual(
    calls.map(({ method, url, redirect }) => `${method} ${url} ${redirect}`),
    [
      'POST https://county.example/oauth/token manual',
      'GET https://api.county.example/api/user manual',
      'GET https://api.county.example/api/profile manual',
      'GET https://api.county.example/api/v2/school/zhps manual',
    ],
  )
  const [redeemed, ...asked] = calls
  const { code_verifier: verifier, ...sent } = Object.fromEntries(redeemed?.body ?? [])
  t.regex(verifier ?? '', /^[\w-]{43}$/)
  t.deepEqual(sent, {
    grant_type: 'authorization_code',
    code: 'code-secret',
    redirect_uri: callback,
    client_id: 'city gate',
    client_secret: 's:e c+rét',
  })
  t.is(redeemed?.headers.get('authorization'), null)
  for (const { headers } of asked) t.is(headers.get('authorization'), 'Bearer at-secret')
  t.deepEqual(connector.origins, [base])
  t.deepEqual(connector.servers, ['county.example:443', 'api.county.example:443'])
})

test('without PKCE, comma scopes, parameters in the query, Basic: as the file says', async (t) => {
  const { begin, complete, calls } = openCity({
    settings: { pkce: false, scope_separator: ',', token_parameters: 'query' },
  })
  const { url, memo } = await begin()
  t.is(new URL(url).searchParams.get('scope'), 'user,profile')
  t.false(new URL(url).searchParams.has('code_challenge'))
  t.is((await complete(memo, { code: 'code-secret', state: 'st1' })).subject, 'u-1')
  const sent = new URL(calls[0]?.url ?? '').searchParams
  t.deepEqual(
    [...sent.keys()],
    ['grant_type', 'code', 'redirect_uri', 'client_id', 'client_secret'],
  )
  t.is(calls[0]?.body.size, 0)

  const basic = openCity({ settings: { token_auth: 'client_secret_basic' } })
  await basic.signIn()
  const credentials = Buffer.from('city+gate:s%3Ae+c%2Br%C3%A9t').toString('base64')
  t.is(basic.calls[0]?.headers.get('authorization'), `Basic ${credentials}`)
  t.false(basic.calls[0]?.body.has('client_secret'))
})

test('a call that may fail leaves less known, and says which', async (t) => {
  const city = openCity({ at: { [school]: () => html(503) } })
  const { unread, raw, subject } = await city.signIn()
  t.deepEqual(unread, ['school'])
  t.deepEqual(Object.keys(raw), ['user', 'profile'])
  t.is(subject, 'u-1')
  for (const path of [user, profile])
    await t.throwsAsync(openCity({ at: { [path]: () => html(503) } }).signIn())
})

test('the answer is to our own question, and only once in each parameter', async (t) => {
  const good = { code: 'code-secret', state: 'st1' }
  t.is((await openCity().signIn({ ...good, iss: base })).subject, 'u-1')
  const wrong = [
    ['forged', { ...good, state: 'st2' }],
    ['forged', { code: 'code-secret' }],
    ['forged', { ...good, iss: 'https://other.example' }],
    ['forged', 'code=code-secret&code=x&state=st1'],
    ['forged', 'code=code-secret&state=st1&state=st1'],
    ['refused', { error: 'access_denied', error_description: '王小明', state: 'st1' }],
    ['nonsense', { state: 'st1' }],
  ] as const
  for (const [failure, query] of wrong) {
    const city = openCity()
    await fails(t, failure, city.signIn(query), /authorization response/)
    t.is(city.calls.length, 0, 'no code was redeemed')
  }
})

test('a code of another trip is not redeemed with our verifier', async (t) => {
  const city = openCity()
  await city.begin('code-of-her', 'st-of-her')
  const { memo } = await city.begin('code-of-him', 'st1')
  const injected = { code: 'code-of-her', state: 'st1' }
  await fails(t, 'nonsense', city.complete(memo, injected), /token endpoint: error=invalid_grant/)
  t.is(city.calls.length, 1)
})

const answers = [
  ['nonsense', () => html(), /not a JSON object/],
  ['nonsense', () => html(404), /answered HTTP 404/],
  ['unreachable', () => html(502), /answered HTTP 502/],
  ['nonsense', () => json([]), /not a JSON object/],
  ['nonsense', () => json({ access_token: 'at-secret' }), /token_type/],
  ['nonsense', () => json({ access_token: 'at-secret', token_type: 'mac' }), /token_type/],
  ['nonsense', () => json({ token_type: 'bearer' }), /no access token/],
  ['nonsense', () => json({ token_type: 'bearer', access_token: 'a\r\nb' }), /no access token/],
  ['nonsense', () => json({ token_type: 'bearer', access_token: ['x'] }), /no access token/],
  ['refused', () => json({ error: 'access_denied' }, 400), /error=access_denied/],
  ['unreachable', () => json({ error: 'temporarily_unavailable' }, 400), /temporarily/],
  ['nonsense', () => json({ error: 'at-secret!' }, 400), /not an OAuth error code/],
  ['slow', () => Promise.reject(new OutboundError('timeout')), /time limit/],
  ['nonsense', () => Promise.reject(new OutboundError('too-large')), /more than we read/],
] as const

test('what the token endpoint may not answer ends the sign-in there', async (t) => {
  for (const [failure, answer, hint] of answers) {
    const { calls } = await failsWith(t, failure, { at: { [token]: answer } }, hint)
    t.is(calls.length, 1)
  }
})

test('what a call may not answer ends it too', async (t) => {
  const broken = [
    ['nonsense', () => html()],
    ['nonsense', () => json('u-1')],
    ['nonsense', () => json({}, 403)],
    ['unreachable', () => html(500)],
    ['nonsense', () => Promise.reject(new OutboundError('too-large'))],
  ] as const
  for (const [failure, answer] of broken)
    await failsWith(t, failure, { at: { [profile]: answer } }, /profile: /)
})

test('a redirect is not followed: the token goes nowhere else', async (t) => {
  const away = () =>
    new Response(null, { status: 302, headers: { location: 'https://evil.example/' } })
  for (const path of [token, user, profile])
    await failsWith(t, 'nonsense', { at: { [path]: away } }, /answered HTTP 302/)
})

test('who she is, is one short text or whole number, or nobody', async (t) => {
  const nobodies = [undefined, null, '', ' ', ['u-1'], { id: 'u-1' }, true, 1.5, 2 ** 53]
  for (const uuid of [...nobodies, 'x'.repeat(256)])
    await failsWith(
      t,
      'nonsense',
      { at: { [user]: () => json({ uuid }) } },
      /user\.uuid names nobody/,
    )
  const numbered = openCity({ at: { [user]: () => json({ uuid: 1234 }) } })
  t.is((await numbered.signIn()).subject, '1234')
  for (const subject of ['user.constructor.name', 'user.__proto__', 'nothing.at.all'])
    await failsWith(t, 'nonsense', { settings: { subject } }, /names nobody/)
})

test('two calls that name another person are no person', async (t) => {
  const other = () => json({ uuid: 'u-2', o: 'zhps' })
  await failsWith(t, 'forged', { at: { [profile]: other } }, /two calls have another uuid/)
  const schools = openCity({ at: { [school]: () => json({ uuid: 'of the school' }) } })
  t.is((await schools.signIn()).unread, undefined, 'a school is not the person')
})

test('what stands in an address cannot lead elsewhere', async (t) => {
  const values = [
    '../admin',
    '..',
    '.',
    '',
    'a/b',
    'a\\b',
    'a?b',
    'a#b',
    '%2e%2e',
    'a b',
    {},
    'x\n',
  ]
  for (const o of values) {
    const at = { [profile]: () => json({ o }) }
    const city = openCity({ at })
    t.deepEqual((await city.signIn()).unread, ['school'])
    t.is(city.calls.length, 3, 'the call was not made')
  }
  const calls = [
    { claim: 'user', url: 'https://api.county.example/api/user', required: true },
    { claim: 'own', url: 'https://api{user.name}.example/x', required: true },
  ]
  const at = { [user]: () => json({ uuid: 'u-1', name: '.evil' }) }
  await failsWith(t, 'nonsense', { settings: { calls }, at }, /another host/)
  const several = openCity({
    at: {
      [profile]: () => json({ o: ['學校', 'zhps'] }),
      '/api/v2/school/%E5%AD%B8%E6%A0%A1': () => json({ tpUniformNumbers: ['333598'] }),
    },
  })
  t.is((await several.signIn()).unread, undefined, 'of several the first, percent-encoded')
})

test('it answers, or not; signing out there is an address of the file', async (t) => {
  const { connector, calls } = openCity()
  await connector.probe()
  t.deepEqual(
    calls.map(({ method, url }) => `${method} ${url}`),
    [`HEAD ${base}/`],
  )
  const ailing = openCity({ at: { '/': () => html(503) } })
  await fails(t, 'unreachable', ailing.connector.probe(), /authorization endpoint/)
  const back = { returnTo: 'https://id.example/out', state: 'so1' }
  t.is(await connector.signOut?.(back), undefined)
  const settings = { end_session_endpoint: 'https://out.county.example/logout?x=1' }
  const city = openCity({ settings })
  t.deepEqual((await city.signIn()).session, { signsOut: true })
  t.deepEqual(city.connector.origins, [base, 'https://out.county.example'])
  const url = new URL((await city.connector.signOut?.(back)) ?? '')
  t.deepEqual(Object.fromEntries(url.searchParams), {
    x: '1',
    client_id: 'city gate',
    post_logout_redirect_uri: 'https://id.example/out',
    state: 'so1',
  })
})
