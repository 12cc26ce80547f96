import { createHmac } from 'node:crypto'
import test from 'ava'
import { createLocalJWKSet, exportSPKI, importJWK, type JWTPayload, SignJWT } from 'jose'
import type { UpstreamError } from '#errors.ts'
import { verifyIdToken } from '#federation/connectors/oidc/id-token.ts'
import {
  type Canned,
  clientId,
  fails,
  failsWith,
  generateKeys,
  html,
  issuer,
  json,
  keys,
  openUpstream,
  start,
} from './canned-upstream.ts'

const unsigned = (claims: unknown) =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`

const now = start / 1000
const forgeries: [string, Canned, RegExp?][] = [
  ['of another issuer', { claims: { iss: 'https://evil.example' } }, /iss/],
  ["of our issuer's twin with a slash", { claims: { iss: `${issuer}/` } }, /iss/],
  ['for another client', { claims: { aud: 'another-app' } }, /aud/],
  ['for several clients without azp', { claims: { aud: [clientId, 'another-app'] } }, /aud|azp/],
  ['for several clients, azp another', { claims: { aud: [clientId, 'x'], azp: 'x' } }, /azp/],
  ['with another azp', { claims: { azp: 'another-app' } }, /azp/],
  ['with another nonce', { claims: { nonce: 'wrong' } }, /nonce/],
  ['without nonce', { claims: { nonce: undefined } }],
  ['that expired 31 s ago', { claims: { exp: now - 31 } }, /exp/],
  ['issued 31 s from now', { claims: { iat: now + 31 } }, /iat/],
  ['not valid before 31 s from now', { claims: { nbf: now + 31 } }, /nbf/],
  ['with alg none', { idToken: unsigned }],
  [
    'with alg none though the operator allows only RS256',
    { idToken: unsigned, metadata: { id_token_signing_alg_values_supported: ['none'] } },
  ],
]
for (const [title, canned, hint] of forgeries) {
  test(`an ID token ${title} is forged`, (t) => failsWith(t, 'forged', canned, hint))
}

test('an ID token is taken within 30 s of clock difference', async (t) => {
  for (const claims of [{ exp: now - 29 }, { iat: now + 29 }, { nbf: now + 29 }]) {
    t.is((await openUpstream({ claims }).signIn()).subject, 'teacher1')
  }
})

test('an ID token whose audience is a list is taken, several with our azp', async (t) => {
  t.is((await openUpstream({ claims: { aud: [clientId] } }).signIn()).subject, 'teacher1')
  const several = { aud: [clientId, 'x'], azp: clientId }
  t.is((await openUpstream({ claims: several }).signIn()).subject, 'teacher1')
})

test('an ID token that says nothing of a subject is nonsense', async (t) => {
  for (const sub of [undefined, '', 7, 'x'.repeat(256)]) {
    await failsWith(t, 'nonsense', { claims: { sub } })
  }
})

test('an ID token without exp or iat, or that is none at all, is nonsense', async (t) => {
  await failsWith(t, 'nonsense', { claims: { exp: undefined } })
  await failsWith(t, 'nonsense', { claims: { iat: undefined } })
  await failsWith(t, 'nonsense', { idToken: () => 'secret' })
  await failsWith(t, 'nonsense', { idToken: () => 'a.b.c' })
  await failsWith(t, 'nonsense', { idToken: () => '' })
})

test('an ID token signed by another key is forged, with and without kid', async (t) => {
  const { privateKey } = await generateKeys()
  await failsWith(t, 'forged', { signWith: privateKey }, /SIGNATURE/)
  await failsWith(t, 'forged', { signWith: privateKey, header: { alg: 'RS256' } }, /SIGNATURE/)
  await failsWith(t, 'forged', { signWith: privateKey, header: { alg: 'RS256', kid: 'k2' } })
})

test('an ID token changed after signing is forged', async (t) => {
  const real = openUpstream()
  await failsWith(
    t,
    'forged',
    {
      idToken: async (claims) => {
        const signed = await new SignJWT(claims)
          .setProtectedHeader({ alg: 'RS256' })
          .sign(keys.privateKey)
        const [header, , signature] = signed.split('.')
        const payload = Buffer.from(JSON.stringify({ ...claims, sub: 'principal' })).toString(
          'base64url',
        )
        return `${header}.${payload}.${signature}`
      },
    },
    /SIGNATURE/,
  )
  t.is((await real.signIn()).subject, 'teacher1')
})

test('an HS256 token keyed with the public key is forged', async (t) => {
  const pem = await exportSPKI(
    (await importJWK({ ...keys.jwk, ext: true }, 'RS256', { extractable: true })) as CryptoKey,
  )
  const jwk = JSON.stringify(keys.jwk)
  for (const secret of [pem, pem.trim(), jwk, 's:e c+rét']) {
    await failsWith(t, 'forged', {
      idToken: (claims) => {
        const input = [{ alg: 'HS256', kid: 'k1' }, claims]
          .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
          .join('.')
        return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      },
    })
  }
})

test('an algorithm the operator did not list is forged, a listed one is taken', async (t) => {
  const ec = await generateKeys('e1', 'ES256')
  const canned: Canned = {
    jwks: [keys.jwk, ec.jwk],
    signWith: ec.privateKey,
    header: { alg: 'ES256', kid: 'e1' },
    metadata: { id_token_signing_alg_values_supported: ['RS256', 'ES256'] },
  }
  await failsWith(t, 'forged', canned)
  const { signIn } = openUpstream({ ...canned, settings: { id_token_algs: ['RS256', 'ES256'] } })
  t.is((await signIn()).subject, 'teacher1')
})

const noKid = { alg: 'RS256' }

test('a token without kid is taken, from keys with kid, without, and from several', async (t) => {
  const other = await generateKeys()
  const third = await generateKeys('k3')
  const { kid: _, ...bare } = keys.jwk
  for (const jwks of [
    [keys.jwk],
    [bare],
    [other.jwk, bare],
    [bare, other.jwk],
    [third.jwk, other.jwk, keys.jwk],
  ]) {
    t.is((await openUpstream({ jwks, header: noKid }).signIn()).subject, 'teacher1')
  }
})

test('a token without kid that none of several keys signed is forged', async (t) => {
  const [a, b] = [await generateKeys(), await generateKeys()]
  await failsWith(t, 'forged', { jwks: [a.jwk, b.jwk], header: noKid }, /SIGNATURE/)
})

test('keys are read once for many sign-ins and again after ten minutes', async (t) => {
  const { signIn, countOf, clock } = openUpstream()
  for (let i = 0; i < 5; i++) await signIn()
  t.is(countOf('/jwks'), 1)
  clock.now += 10 * 60_000
  await signIn()
  t.is(countOf('/jwks'), 2)
})

test('a flood of unknown kids costs one reading of the keys a minute', async (t) => {
  const { signIn, countOf, clock, canned } = openUpstream()
  await signIn()
  clock.now += 61_000
  const flood = async () => {
    const { privateKey } = await generateKeys()
    canned.signWith = privateKey
    const failed = await Promise.all(
      Array.from({ length: 100 }, (_, i) => {
        canned.header = { alg: 'RS256', kid: `random${i}` }
        return signIn().catch((error: UpstreamError) => error.failure)
      }),
    )
    t.deepEqual(new Set(failed), new Set(['forged']))
  }
  await flood()
  t.is(countOf('/jwks'), 2)
  clock.now += 59_000
  await flood()
  t.is(countOf('/jwks'), 2)
  clock.now += 1_000
  await flood()
  t.is(countOf('/jwks'), 3)
})

test('new keys are found at the first token they sign, with and without kid', async (t) => {
  for (const kid of ['k2', undefined]) {
    const next = await generateKeys(kid)
    const { signIn, countOf, clock, canned } = openUpstream({
      jwks: [kid ? keys.jwk : { ...keys.jwk, kid: undefined }],
      header: kid ? { alg: 'RS256', kid: 'k1' } : noKid,
    })
    await signIn()
    clock.now += 61_000
    canned.jwks = [next.jwk]
    canned.signWith = next.privateKey
    canned.header = kid ? { alg: 'RS256', kid } : noKid
    t.is((await signIn()).subject, 'teacher1')
    t.is(countOf('/jwks'), 2)
  }
})

test('keys that cannot be read fail this sign-in and not the next', async (t) => {
  const { signIn, canned } = openUpstream({ at: { '/jwks': () => html(502) } })
  await fails(t, 'unreachable', signIn(), /502/)
  canned.at = { '/jwks': () => html() }
  await fails(t, 'nonsense', signIn(), /keys/)
  canned.at = { '/jwks': () => json({ keys: 'none' }) }
  await fails(t, 'nonsense', signIn(), /keys/)
  canned.at = {}
  t.is((await signIn()).subject, 'teacher1')
})

// Every check stands on its own: not one of them rests on what openid-client looked at before.

const verify = async (claims: JWTPayload, header = { alg: 'RS256' }, key = keys.privateKey) => {
  const healthy = {
    iss: issuer,
    aud: clientId,
    sub: 'teacher1',
    nonce: 'n',
    iat: now,
    exp: now + 60,
  }
  const token = await new SignJWT({ ...healthy, ...claims }).setProtectedHeader(header).sign(key)
  const keySet = createLocalJWKSet({ keys: [keys.jwk] })
  return verifyIdToken(
    token,
    { get: async () => keySet, renew: async () => undefined },
    { issuer, clientId, nonce: 'n', algorithms: ['RS256'], now: start },
  )
}

test('the verifier alone refuses every claim and algorithm that is wrong', async (t) => {
  t.is((await verify({})).sub, 'teacher1')
  await t.throwsAsync(verify({ iss: 'https://evil.example' }), { message: /iss/ })
  await t.throwsAsync(verify({ iss: undefined }), { message: /iss/ })
  await t.throwsAsync(verify({ aud: 'another-app' }), { message: /aud/ })
  await t.throwsAsync(verify({ aud: undefined }), { message: /aud/ })
  await t.throwsAsync(verify({ nonce: 'wrong' }), { message: /nonce/ })
  await t.throwsAsync(verify({ nonce: undefined }), { message: /nonce/ })
  await t.throwsAsync(verify({ exp: now - 31 }), { message: /exp/ })
  await t.throwsAsync(verify({ iat: now + 31 }), { message: /iat/ })
  const ps = (await importJWK(keys.privateJwk, 'PS256')) as CryptoKey
  await t.throwsAsync(verify({}, { alg: 'PS256' }, ps), { code: 'ERR_JOSE_ALG_NOT_ALLOWED' })
})
