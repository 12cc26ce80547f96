/** A pretend upstream behind a canned fetch: real keys, real tokens, no network, a clock that stands still. */
import type { ExecutionContext } from 'ava'
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import {
  type ConnectorFile,
  type Credentials,
  connectorFile,
  type OidcSettings,
} from '#config/connector.ts'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import type { FederationPorts, Trip } from '#federation/connector.ts'
import { openOidcConnector } from '#federation/connectors/oidc.ts'
import type { Claims, Profile } from '#federation/profile.ts'
import { moeEduinfo } from '#federation/profiles/moe-eduinfo.ts'
import { lendFederation } from './lend.ts'

export const issuer = 'https://county.example'
export const clientId = 'citygate'
export const callback = 'https://id.example/upstream/county/callback'
/** Far from the machine's clock, so that a look at it shows. */
export const start = Date.UTC(2031, 7, 1)
export const eduinfoCall = { claim: 'eduinfo', url: `${issuer}/eduinfo` }

type OidcFile = Extract<ConnectorFile, { type: 'oidc' }>
const file = connectorFile.parse({
  id: 'county',
  type: 'oidc',
  label: { 'zh-TW': '某縣', en: 'Some County' },
  order: 1,
  profile: 'moe-eduinfo',
  settings: { issuer, client_id_env: 'ID', scopes: ['openid', 'profile', 'eduinfo'] },
}) as OidcFile

export type Keys = Awaited<ReturnType<typeof generateKeys>>

export async function generateKeys(kid?: string, alg = 'RS256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk: JWK = { ...(await exportJWK(publicKey)), ...(kid && { kid }) }
  return { privateKey, jwk, privateJwk: await exportJWK(privateKey) }
}

/** One pair for whoever does not care which. */
export const keys = await generateKeys('k1')

export type Call = { url: string; method: string; headers: Headers; body: URLSearchParams }
type Answer = (call: Call) => Response | Promise<Response>

export type Canned = {
  settings?: Partial<OidcSettings>
  credentials?: Partial<Credentials>
  insecure?: boolean
  file?: Partial<Pick<OidcFile, 'former' | 'fingerprint'>>
  profile?: Profile
  metadata?: Claims
  jwks?: JWK[]
  /** Laid over a healthy ID token; undefined takes a claim away. */
  claims?: Claims
  header?: JWTHeaderParameters
  signWith?: Keys['privateKey']
  /** In place of a signed token. */
  idToken?: (claims: Claims) => string | Promise<string>
  userinfo?: Claims
  eduinfo?: unknown
  /** In place of one path's healthy answer. */
  at?: Record<string, Answer>
  /** What an earlier process kept. */
  documents?: FederationPorts['documents']
  /** Where its clock starts. */
  now?: number
}

export const json = (body: unknown, status = 200) => Response.json(body, { status })
export const html = (status = 200) =>
  new Response('<html>系統維護中</html>', { status, headers: { 'content-type': 'text/html' } })

/** A connector to a healthy upstream, but for what the test says. Everything stays changeable under way. */
export function openUpstream(canned: Canned = {}) {
  const calls: Call[] = []
  const clock = { now: canned.now ?? start }
  /** The nonce the upstream was asked with, as it would remember it. */
  let nonce = ''

  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const body = new URLSearchParams(await request.text())
    const call = { url: request.url, method: request.method, headers: request.headers, body }
    calls.push(call)
    const { pathname } = new URL(request.url)
    const answer = canned.at?.[pathname] ?? healthy[pathname]
    return answer ? answer(call) : new Response('not found', { status: 404 })
  }

  const healthy: Record<string, Answer> = {
    '/.well-known/openid-configuration': () => json(metadata()),
    '/jwks': () => json({ keys: canned.jwks ?? [keys.jwk] }),
    '/token': async () =>
      json({
        access_token: 'at-secret',
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'openid profile userinfo',
        id_token: await idToken(),
      }),
    '/userinfo': () => json({ sub: 'teacher1', name: '王小明', ...canned.userinfo }),
    '/eduinfo': () =>
      json(
        canned.eduinfo ?? {
          schoolid: '014569',
          titles: [{ schoolid: '014569', titles: ['教師'] }],
        },
      ),
  }

  const metadata = () => ({
    issuer: canned.settings?.issuer ?? issuer,
    authorization_endpoint: `${issuer}/auth?tenant=1`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
    ...canned.metadata,
  })

  function idToken() {
    const at = clock.now / 1000
    const claims: Claims = {
      iss: canned.settings?.issuer ?? issuer,
      sub: 'teacher1',
      aud: clientId,
      iat: at,
      exp: at + 3600,
      nonce,
      ...canned.claims,
    }
    return (
      canned.idToken?.(claims) ??
      new SignJWT(claims)
        .setProtectedHeader(canned.header ?? { alg: 'RS256', kid: 'k1' })
        .sign(canned.signWith ?? keys.privateKey)
    )
  }

  const connector = openOidcConnector(
    {
      ...file,
      ...canned.file,
      settings: { ...file.settings, ...canned.settings },
      credentials: { clientId, clientSecret: 's:e c+rét', ...canned.credentials },
      insecure: canned.insecure ?? false,
    },
    canned.profile ?? moeEduinfo,
    lendFederation({
      fetch,
      now: () => clock.now,
      ...(canned.documents && { documents: canned.documents }),
    }),
  )

  const begin = async (trip: Partial<Trip> = {}) => {
    const departure = await connector.begin({
      callbackUrl: callback,
      passwordUrl: 'https://id.example/upstream/county/password',
      state: 'st1',
      fresh: false,
      locales: [],
      ...trip,
    })
    nonce = new URL(departure.url).searchParams.get('nonce') ?? ''
    return departure
  }

  /** Leaves and comes back; `answer` is the query the upstream sends the browser back with. */
  const signIn = async (answer: Record<string, string> = { code: 'code-secret', state: 'st1' }) => {
    const { memo } = await begin()
    const url = new URL(`${callback}?${new URLSearchParams(answer)}`)
    return connector.complete({ url, state: 'st1' }, memo)
  }

  const countOf = (path: string) => calls.filter(({ url }) => new URL(url).pathname === path).length

  return { connector, canned, calls, clock, begin, signIn, countOf }
}

/** The sign-in fails in the given way, and its words give nothing away. */
export async function fails(
  t: ExecutionContext,
  failure: UpstreamFailure,
  work: Promise<unknown>,
  hint?: RegExp,
) {
  const error = await t.throwsAsync(work, { instanceOf: UpstreamError })
  t.is(error?.failure, failure, error?.message)
  t.is(error?.connector, 'county')
  t.truthy(error?.cause, 'the cause is kept')
  t.notRegex(error?.message ?? '', /secret|teacher1|王小明|eyJ|s:e c/)
  if (hint) t.regex(error?.message ?? '', hint)
}

/** A sign-in at an upstream like that fails. */
export const failsWith = (
  t: ExecutionContext,
  failure: UpstreamFailure,
  canned: Canned,
  hint?: RegExp,
) => fails(t, failure, openUpstream(canned).signIn(), hint)
