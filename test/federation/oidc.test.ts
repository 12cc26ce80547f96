import { createHash, generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { decodeJwt, decodeProtectedHeader, exportPKCS8, importJWK, jwtVerify } from 'jose'
import type { UpstreamFailure } from '#errors.ts'
import { kaohsiung } from '#federation/profiles/kaohsiung.ts'
import {
  type Canned,
  callback,
  clientId,
  eduinfoCall,
  fails,
  failsWith,
  generateKeys,
  issuer,
  json,
  keys,
  openUpstream,
  start,
} from './canned-upstream.ts'

test('a teacher signs in and is who the signed ID token says', async (t) => {
  const { signIn } = openUpstream({
    settings: { claims_call: eduinfoCall },
    claims: {
      acr: 'level2',
      amr: ['pwd', 7],
      auth_time: 1_900_000_000,
      email: ' wang01@mail.edu.tw ',
      openid2_id: ['https://openid.tn.edu.tw/op/user.aspx/Wang'],
    },
    userinfo: { given_name: '小明', guid: 'a'.repeat(64), open2_id: 'https://not.signed.example/' },
    eduinfo: {
      sub: 'teacher1',
      schoolid: '014569',
      titles: [{ schoolid: '014569', titles: ['教師', '設備組長'], personid: 'A123456789' }],
    },
  })
  t.deepEqual(await signIn(), {
    connector: 'county',
    issuer,
    subject: 'teacher1',
    profile: { name: '王小明', givenName: '小明', email: 'wang01@mail.edu.tw' },
    affiliations: [
      { schoolCode: '014569', role: 'teacher', titles: ['教師', '設備組長'], classes: [] },
    ],
    openid2Ids: ['https://openid.tn.edu.tw/op/user.aspx/Wang'],
    acr: 'level2',
    amr: ['pwd'],
    authTime: 1_900_000_000,
    raw: {
      sub: 'teacher1',
      name: '王小明',
      given_name: '小明',
      email: ' wang01@mail.edu.tw ',
      openid2_id: ['https://openid.tn.edu.tw/op/user.aspx/Wang'],
      open2_id: 'https://not.signed.example/',
      eduinfo: {
        sub: 'teacher1',
        schoolid: '014569',
        titles: [{ schoolid: '014569', titles: ['教師', '設備組長'] }],
      },
    },
  })
})

test('opening does no I/O and its origins are known', (t) => {
  const { connector, calls } = openUpstream({
    settings: { issuer: 'https://oidc.kh.edu.tw/', sign_in_origins: ['https://*.kh.edu.tw'] },
  })
  t.deepEqual(connector.origins, ['https://oidc.kh.edu.tw', 'https://*.kh.edu.tw'])
  t.is(calls.length, 0)
})

test('a person leaves with PKCE, state and a nonce, and the memo holds what answers them', async (t) => {
  const { begin } = openUpstream()
  const { url, memo } = await begin({ locales: ['zh-TW', 'en'], loginHint: 'wang', fresh: true })
  const sent = new URL(url)
  t.is(sent.origin + sent.pathname, `${issuer}/auth`)
  t.deepEqual(Object.fromEntries(sent.searchParams), {
    tenant: '1',
    client_id: clientId,
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid profile eduinfo',
    state: 'st1',
    nonce: memo.nonce ?? '',
    code_challenge: createHash('sha256')
      .update(memo.code_verifier ?? '')
      .digest('base64url'),
    code_challenge_method: 'S256',
    ui_locales: 'zh-TW en',
    login_hint: 'wang',
    prompt: 'login',
  })
  const again = await begin()
  t.not(again.memo.nonce, memo.nonce)
  t.not(again.memo.code_verifier, memo.code_verifier)
})

test('prompt=login is sent only for a fresh sign-in and only where configured', async (t) => {
  const plain = openUpstream()
  t.notRegex((await plain.begin({ fresh: false })).url, /prompt|ui_locales|login_hint/)
  const without = openUpstream({ settings: { prompt_login: false } })
  t.notRegex((await without.begin({ fresh: true })).url, /prompt/)
})

test('the code is redeemed with the verifier at the address it was issued to', async (t) => {
  const { begin, connector, calls } = openUpstream()
  const { memo } = await begin()
  const url = new URL(`${callback}?code=code-secret&state=st1`)
  await connector.complete({ url, state: 'st1' }, memo)
  const { body, method } = calls.find((call) => call.url.endsWith('/token')) ?? t.fail()
  t.is(method, 'POST')
  t.is(body.get('grant_type'), 'authorization_code')
  t.is(body.get('code'), 'code-secret')
  t.is(body.get('redirect_uri'), callback)
  t.is(body.get('code_verifier'), memo.code_verifier ?? '')
})

test('userinfo and the claims call carry the access token in the header', async (t) => {
  const { signIn, calls } = openUpstream({ settings: { claims_call: eduinfoCall } })
  await signIn()
  for (const path of ['/userinfo', '/eduinfo']) {
    const call = calls.find(({ url }) => url === issuer + path)
    t.is(call?.headers.get('authorization'), 'Bearer at-secret', path)
  }
})

const tokenCall = async (canned: Canned) => {
  const upstream = openUpstream(canned)
  await upstream.signIn()
  return upstream.calls.find(({ url }) => url.endsWith('/token'))
}

test('client_secret_basic sends the header and nothing in the body', async (t) => {
  const call = await tokenCall({ settings: { token_auth: 'client_secret_basic' } })
  // RFC 6749 §2.3.1: form-urlencoded before base64.
  t.is(call?.headers.get('authorization'), `Basic ${btoa(`${clientId}:s%3Ae+c%2Br%C3%A9t`)}`)
  t.false(call?.body.has('client_secret'))
  t.false(call?.body.has('client_assertion'))
})

test('client_secret_post sends the body and no header, whatever discovery offers', async (t) => {
  const call = await tokenCall({
    settings: { token_auth: 'client_secret_post' },
    metadata: { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
  })
  t.is(call?.headers.get('authorization'), null)
  t.is(call?.body.get('client_id'), clientId)
  t.is(call?.body.get('client_secret'), 's:e c+rét')
})

test('private_key_jwt signs an assertion by our clock and sends no secret', async (t) => {
  const own = await generateKeys()
  const call = await tokenCall({
    settings: { token_auth: 'private_key_jwt' },
    credentials: { privateKey: JSON.stringify({ ...own.privateJwk, kid: 'ours' }) },
  })
  const assertion = call?.body.get('client_assertion') ?? ''
  t.like(decodeProtectedHeader(assertion), { alg: 'RS256', kid: 'ours' })
  const { payload } = await jwtVerify(assertion, await importJWK(own.jwk, 'RS256'), {
    currentDate: new Date(start),
  })
  t.like(payload, { iss: clientId, sub: clientId, aud: issuer })
  t.false(call?.body.has('client_secret'))
  t.is(call?.headers.get('authorization'), null)
})

test('the private key may be a PEM on one line, of any kind', async (t) => {
  const ec = await generateKeys(undefined, 'ES256')
  const ed = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })
  for (const pem of [
    await exportPKCS8(keys.privateKey),
    await exportPKCS8(ec.privateKey),
    `${ed}`,
  ]) {
    const call = await tokenCall({
      settings: { token_auth: 'private_key_jwt' },
      credentials: { privateKey: pem.replaceAll('\n', '\\n') },
    })
    t.is(decodeJwt(call?.body.get('client_assertion') ?? '').sub, clientId)
  }
})

test('an unreadable private key fails in words that do not quote it', async (t) => {
  const settings = { token_auth: 'private_key_jwt' as const }
  for (const privateKey of ['secret', '{"kty":"secret"}', '{secret', undefined]) {
    await fails(
      t,
      'nonsense',
      openUpstream({ settings, credentials: { privateKey } }).begin(),
      /private key/,
    )
  }
})

const answers: [string, UpstreamFailure, Record<string, string>, RegExp][] = [
  [
    'another issuer (mix-up)',
    'forged',
    { code: 'c', state: 'st1', iss: 'https://evil.example' },
    /iss/,
  ],
  ['the issuer with a slash', 'forged', { code: 'c', state: 'st1', iss: `${issuer}/` }, /iss/],
  ['another state', 'forged', { code: 'c', state: 'st2' }, /state/],
  ['no state', 'forged', { code: 'c' }, /state/],
  ['no code', 'nonsense', { state: 'st1' }, /code/],
  ['access_denied', 'refused', { error: 'access_denied', state: 'st1' }, /access_denied/],
  ['login_required', 'refused', { error: 'login_required', state: 'st1' }, /login_required/],
  [
    'an error of another issuer',
    'forged',
    { error: 'access_denied', state: 'st1', iss: 'https://evil.example' },
    /iss/,
  ],
]
for (const [title, failure, answer, hint] of answers) {
  test(`an answer with ${title} is ${failure} and nothing is redeemed`, async (t) => {
    const { signIn, countOf } = openUpstream()
    await fails(t, failure, signIn(answer), hint)
    t.is(countOf('/token'), 0)
  })
}

test("an error's description never reaches the log, nor does an error that is no code", async (t) => {
  const { signIn } = openUpstream()
  const described = { error: 'access_denied', error_description: '王小明', state: 'st1' }
  await fails(t, 'refused', signIn(described), /error=access_denied$/)
  await fails(t, 'refused', signIn({ error: '王小明\nsecret', state: 'st1' }))
})

test('an upstream that always sends iss must send it, and may', async (t) => {
  const metadata = { authorization_response_iss_parameter_supported: true }
  await failsWith(t, 'forged', { metadata }, /iss/)
  const { signIn } = openUpstream({ metadata })
  t.is((await signIn({ code: 'c', state: 'st1', iss: issuer })).subject, 'teacher1')
})

test('a parameter that comes twice is refused', async (t) => {
  for (const twice of [
    'code=a&code=b&state=st1',
    'code=a&state=st1&state=st1',
    `code=a&state=st1&iss=${issuer}&iss=${issuer}`,
  ]) {
    const { begin, connector, countOf } = openUpstream()
    const { memo } = await begin()
    const url = new URL(`${callback}?${twice}`)
    await fails(t, 'forged', connector.complete({ url, state: 'st1' }, memo))
    t.is(countOf('/token'), 0)
  }
})

test("another trip's memo does not fit, even where the caller took the state from the URL", async (t) => {
  const { begin, connector } = openUpstream()
  await begin({ state: 'st1' })
  const { memo } = await begin({ state: 'st2' })
  const url = new URL(`${callback}?code=c&state=st1`)
  await fails(t, 'forged', connector.complete({ url, state: 'st1' }, memo), /state/)
  await fails(t, 'forged', connector.complete({ url, state: 'st1' }, {}), /state/)
})

test('userinfo of another person is forged, of nobody is nonsense', async (t) => {
  await failsWith(t, 'forged', { userinfo: { sub: 'teacher2' } }, /userinfo/)
  await failsWith(t, 'nonsense', { userinfo: { sub: undefined } })
})

test('a claims call about another person is forged, about nobody in particular is taken', async (t) => {
  const settings = { claims_call: eduinfoCall }
  await failsWith(t, 'forged', { settings, eduinfo: { sub: 'teacher2', titles: [] } }, /eduinfo/)
  await failsWith(t, 'forged', { settings, eduinfo: { sub: 7 } })
  for (const sub of [undefined, null, 'teacher1']) {
    const { signIn } = openUpstream({ settings, eduinfo: { sub, schoolid: '014569' } })
    t.is((await signIn()).affiliations[0]?.schoolCode, '014569')
  }
})

test('a claims call that is not answered with 200 is nonsense, whatever it says', (t) =>
  failsWith(t, 'nonsense', {
    settings: { claims_call: eduinfoCall },
    at: { '/eduinfo': () => json({ schoolid: '014569' }, 403) },
  }))

test('where userinfo is off it is not asked, and all is in the ID token', async (t) => {
  const { signIn, countOf } = openUpstream({
    settings: { userinfo: false, token_auth: 'client_secret_post' },
    metadata: { userinfo_endpoint: undefined },
    profile: kaohsiung,
    claims: {
      name: '王老師',
      kh_profile: { schoolid: '613605', schools: { 613605: '高雄市望海國小' } },
      kh_titles: { sid: '613605', titles: ['教師'] },
    },
  })
  t.like(await signIn(), {
    profile: { name: '王老師' },
    affiliations: [{ schoolCode: '613605', schoolName: '高雄市望海國小', role: 'teacher' }],
  })
  t.is(countOf('/userinfo'), 0)
})

test('an address is verified only if the operator trusts this upstream and the claim is exactly true', async (t) => {
  const email = 'wang01@mail.edu.tw'
  const verified = async (trusts: boolean, email_verified: unknown) => {
    const { signIn } = openUpstream({
      settings: { verifies_email: trusts },
      userinfo: { email, email_verified },
    })
    const { profile } = await signIn()
    t.is(profile.email, email)
    return profile.emailVerified
  }
  t.is(await verified(true, true), true)
  t.is(await verified(false, true), undefined)
  for (const lie of ['true', 1, {}, [true], undefined, false]) {
    t.is(await verified(true, lie), undefined, JSON.stringify(lie))
  }
})

test('claims that would like to be rights are kept as data and mean nothing', async (t) => {
  const evil = JSON.parse(
    '{"groups":["admin","教師"],"is_admin":true,"roles":["teacher"],"role":"teacher","__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}}}',
  )
  const { signIn } = openUpstream({
    settings: { claims_call: eduinfoCall },
    claims: evil,
    userinfo: evil,
    eduinfo: { ...evil, schoolid: '014569', titles: ['學生'] },
  })
  const identity = await signIn()
  t.deepEqual(
    identity.affiliations.map(({ role }) => role),
    ['student'],
  )
  t.false(Object.hasOwn(identity.raw, '__proto__'))
  t.false(Object.hasOwn(identity.raw, 'constructor'))
  t.is(({} as Record<string, unknown>).isAdmin, undefined)
  t.is(identity.raw.isAdmin, undefined)
})
