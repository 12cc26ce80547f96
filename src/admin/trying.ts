/**
 * Staff run a true sign-in to an app, as themselves, and see what the app would get. The app's secret and its addresses
 * have no part in it: see oidc/try-run and oidc/inside. Whatever was issued ends before anybody sees it.
 */
import { createHash } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose'
import { randomToken, seal, sha256, unseal } from '#lib/crypto.ts'
import { isApiScope } from '#oidc/api-resource.ts'
import { scopeClaims } from '#oidc/claims.ts'
import { askInside } from '#oidc/inside.ts'
import { tryCallback, trySeconds, tryState } from '#oidc/try-run.ts'
import type { ClientRow, Granted } from '#store/store.ts'
import { staticScopes } from './clients/registration.ts'
import type { Acting } from './operation.ts'
import type { AdminPorts } from './ports.ts'

type Ports = Pick<AdminPorts, 'store' | 'config' | 'keys' | 'provider'>

/** Kept among the trips to upstreams; no connector’s id has a colon. */
const trip = ':try'
const context = (id: string) => `upstream_trip.memo.${id}`

/** What keeps an app from being tried. */
export type Untried = 'machine' | 'no-redirect' | 'disabled' | 'pushed'

/** Undefined where it can be tried. */
export function whyUntried({ kind, metadata, disabledAt }: ClientRow): Untried | undefined {
  if (disabledAt !== undefined) return 'disabled'
  if (kind === 'machine') return 'machine'
  const redirects = Array.isArray(metadata.redirect_uris) ? metadata.redirect_uris : []
  if (redirects.length === 0) return 'no-redirect'
  return metadata.require_pushed_authorization_requests === true ? 'pushed' : undefined
}

/** Of those it may ask for, what can be asked about a person. */
export function tryScopes({ metadata: { scope } }: ClientRow): string[] {
  const all = typeof scope === 'string' ? scope.split(' ') : staticScopes
  return ['openid', ...all.filter((one) => one !== 'openid' && !isApiScope(one))]
}

type Memo = {
  clientId: string
  accountId: string
  verifier: string
  request: Record<string, string>
  /** What she had let it see before. */
  consent: Granted | null
  choice: string | null
}

/** Where to send her. */
export async function beginTry(
  { store, config, keys }: Ports,
  { actor, at, language }: Pick<Acting, 'actor' | 'at' | 'language'>,
  row: ClientRow,
  { device, scopes, askAnew }: { device: string; scopes: string[]; askAnew: boolean },
): Promise<string> {
  const verifier = randomToken()
  const codeChallenge = createHash('sha256').update(verifier).digest('base64url')
  const expiresAt = at + trySeconds
  const state = tryState(keys.form, { device, clientId: row.id, codeChallenge, expiresAt })
  const request = {
    client_id: row.id,
    response_type: 'code',
    redirect_uri: tryCallback(config.issuer),
    scope: tryScopes(row)
      .filter((scope) => scope === 'openid' || scopes.includes(scope))
      .join(' '),
    state,
    nonce: randomToken(),
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    ui_locales: language,
    ...(askAnew ? { prompt: 'consent' } : {}),
  }
  const memo: Memo = {
    clientId: row.id,
    accountId: actor,
    verifier,
    request,
    consent: (await store.consents.find(actor, row.id)) ?? null,
    choice: (await store.affiliationChoices.find(actor, row.id)) ?? null,
  }
  const id = sha256(state)
  await store.trips.leave({
    id,
    connector: trip,
    device,
    memo: seal(keys.data, JSON.stringify(memo), context(id)),
    expiresAt,
  })
  return `/auth?${new URLSearchParams(request)}`
}

export type Check = 'signature' | 'issuer' | 'audience' | 'nonce' | 'expiry'

export type Tried =
  /** Not begun here, or come back once already. */
  | { kind: 'lost' }
  | { kind: 'refused'; clientId: string; request: Memo['request']; error: string; detail: string }
  | {
      kind: 'got'
      clientId: string
      request: Memo['request']
      tokens: { name: string; value: string; seconds?: number }[]
      idToken: {
        header: Record<string, unknown>
        claims: Record<string, unknown>
        checks: { check: Check; holds: boolean }[]
      }
      userinfo: Record<string, unknown>
      /** By scope what it gives, and whether it was there to be given. */
      scopes: { scope: string; granted: boolean; claims: { claim: string; given: boolean }[] }[]
      /** Scopes it may ask for and did not. */
      unasked: string[]
    }

export type Returning = {
  device: string
  query: Readonly<Record<string, string>>
  /** Of the request that came back. */
  state: object
  /** Her grant to an app in this session. */
  grantOf(clientId: string): Promise<string | undefined>
}

/** Takes the run out once; `row`: the app as it is within her reach now. */
export async function finishTry(
  ports: Ports,
  by: Pick<Acting, 'actor' | 'at' | 'where'>,
  findRow: (clientId: string) => Promise<ClientRow | undefined>,
  { device, query, state, grantOf }: Returning,
): Promise<Tried> {
  const { store, keys } = ports
  const id = sha256(query.state ?? '')
  const row = await store.trips.arrive(id, { connector: trip, device }, by.at)
  if (!row) return { kind: 'lost' }
  const memo: Memo = JSON.parse(unseal(keys.data, row.memo, context(id)))
  const { clientId } = memo
  const client = await findRow(clientId)
  // Somebody else signed in in this browser meanwhile, or the app is not hers any more.
  if (memo.accountId !== by.actor || !client) return { kind: 'lost' }
  try {
    const tried = await exchange(ports, memo, client, { query, state, at: by.at })
    const outcome = tried.kind === 'refused' ? tried.error.slice(0, 64) : 'ok'
    await store.audit.record({
      at: by.at,
      actor: by.actor,
      action: 'client.try',
      target: `client:${clientId}`,
      outcome,
      ...by.where,
    })
    return tried
  } finally {
    await putBack(ports, memo, await grantOf(clientId), by.at)
  }
}

/** What was issued ends, and what she had let the app see before is as it was. */
async function putBack(
  { store }: Ports,
  { accountId, clientId, consent, choice }: Memo,
  grantId: string | undefined,
  at: number,
) {
  if (grantId) await store.payloads.destroyGrant(grantId)
  const now = await store.consents.find(accountId, clientId)
  if (!consent) await store.consents.forget(accountId, clientId)
  else if (JSON.stringify(now) !== JSON.stringify(consent)) {
    await store.consents.put(accountId, clientId, consent, at)
  }
  if (choice === null) await store.affiliationChoices.forget(accountId, clientId)
}

async function exchange(
  ports: Ports,
  memo: Memo,
  row: ClientRow,
  { query, state, at }: Pick<Returning, 'query' | 'state'> & { at: number },
): Promise<Tried> {
  const { provider, config } = ports
  const { clientId, request, verifier } = memo
  const refused = (error: unknown, detail: unknown): Tried => ({
    kind: 'refused',
    clientId,
    request,
    error: String(error ?? 'server_error'),
    detail: String(detail ?? ''),
  })
  const client = await provider.Client.find(clientId)
  if (!client) return refused('invalid_client', 'is not there any more')
  if (query.error || !query.code) return refused(query.error, query.error_description)
  const inside = { state, as: client }
  const { status, body } = await askInside(
    provider,
    {
      method: 'POST',
      path: '/token',
      body: {
        grant_type: 'authorization_code',
        client_id: clientId,
        code: query.code,
        redirect_uri: tryCallback(config.issuer),
        code_verifier: verifier,
      },
    },
    inside,
  )
  if (status !== 200) return refused(body.error, body.error_description)
  const { access_token: accessToken, id_token: idToken, refresh_token: refreshToken } = body
  const userinfo = await askInside(
    provider,
    { method: 'GET', path: '/me', headers: { authorization: `Bearer ${accessToken}` } },
    inside,
  )
  const jwks = await askInside(provider, { method: 'GET', path: '/jwks' }, inside)
  const token = await readIdToken(String(idToken), jwks.body as unknown as JSONWebKeySet, {
    issuer: config.issuer,
    audience: clientId,
    nonce: request.nonce ?? '',
    at,
  })
  const granted = new Set(String(body.scope ?? request.scope).split(' '))
  const asked = String(request.scope).split(' ')
  const known: Record<string, unknown> = { ...token.claims, ...userinfo.body }
  const names: Record<string, readonly string[]> = scopeClaims
  return {
    kind: 'got',
    clientId,
    request,
    tokens: [
      { name: 'id_token', value: String(idToken) },
      { name: 'access_token', value: String(accessToken), seconds: Number(body.expires_in) },
      ...(refreshToken ? [{ name: 'refresh_token', value: String(refreshToken) }] : []),
    ],
    idToken: token,
    userinfo: userinfo.body,
    scopes: asked.map((scope) => ({
      scope,
      granted: granted.has(scope),
      claims: (names[scope] ?? []).map((claim) => ({ claim, given: known[claim] !== undefined })),
    })),
    unasked: tryScopes(row).filter((scope) => !asked.includes(scope)),
  }
}

/** As a careful app would: each check by itself, so that it can be seen which one fails. */
async function readIdToken(
  token: string,
  jwks: JSONWebKeySet,
  { issuer, audience, nonce, at }: { issuer: string; audience: string; nonce: string; at: number },
) {
  const claims = decodeJwt(token)
  const keys = createLocalJWKSet(jwks)
  const holds = async (options: { issuer?: string; audience?: string }) =>
    jwtVerify(token, keys, options).then(
      () => true,
      () => false,
    )
  const checks: { check: Check; holds: boolean }[] = [
    { check: 'signature', holds: await holds({}) },
    { check: 'issuer', holds: await holds({ issuer }) },
    { check: 'audience', holds: await holds({ audience }) },
    { check: 'nonce', holds: claims.nonce === nonce },
    { check: 'expiry', holds: (claims.exp ?? 0) > at },
  ]
  return {
    header: { ...decodeProtectedHeader(token) } as Record<string, unknown>,
    claims: claims as Record<string, unknown>,
    checks,
  }
}
