/** A relying party's side of OpenID Connect, in plain HTTP, so that tests can also do what no library would. */
import { createHash, randomBytes } from 'node:crypto'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import type { Browser, Page } from './browser.ts'

export type Tokens = {
  access_token: string
  id_token: string
  refresh_token?: string
  scope?: string
  token_type: string
  expires_in: number
}

export type Reply<T = Record<string, unknown>> = { status: number; body: T; headers: Headers }

export type RelyingParty = {
  clientId: string
  clientSecret?: string
  redirectUri: string
  /** PKCE: of every request of this party. */
  verifier: string
  /** An authorization address; `null` leaves a parameter out. */
  authorize(more?: Record<string, string | null>): string
  /** Goes there and stops at our first page, or at the app's callback. */
  begin(browser: Browser, more?: Record<string, string | null>): Promise<Page>
  token(
    parameters: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Reply<Tokens & { error?: string }>>
  /** Redeems the code the browser brought to the callback. */
  redeem(callback: URL, more?: Record<string, string>): Promise<Reply<Tokens & { error?: string }>>
  verify(
    idToken: string,
  ): Promise<{ payload: JWTPayload & Record<string, unknown>; header: Record<string, unknown> }>
  get(path: string, accessToken: string): Promise<Reply>
}

/** Nobody listens at the app's address: the browser stops there. */
export const arrivedAt = (rp: { redirectUri: string }, page: Page): boolean =>
  page.url.href.startsWith(rp.redirectUri)

export function openRelyingParty(
  issuer: string,
  registration: Record<string, unknown>,
  redirectUri: string,
): RelyingParty {
  const clientId = String(registration.client_id)
  const clientSecret = registration.client_secret as string | undefined
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const jwks = createRemoteJWKSet(new URL(`${issuer}/jwks`))

  const basic = (): Record<string, string> =>
    clientSecret
      ? { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` }
      : {}

  async function post(
    path: string,
    parameters: Record<string, string>,
    headers: Record<string, string>,
  ) {
    const response = await fetch(`${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams({
        ...(clientSecret ? {} : { client_id: clientId }),
        ...parameters,
      }),
      headers,
    })
    const text = await response.text()
    return {
      status: response.status,
      body: text ? JSON.parse(text) : {},
      headers: response.headers,
    }
  }

  const rp: RelyingParty = {
    clientId,
    clientSecret,
    redirectUri,
    verifier,
    authorize(more = {}) {
      const parameters = {
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid profile email',
        state: 'state-1',
        nonce: 'nonce-1',
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...more,
      }
      const given = Object.entries(parameters).filter((e): e is [string, string] => e[1] !== null)
      return `${issuer}/auth?${new URLSearchParams(given)}`
    },
    begin: (browser, more) => browser.open(rp.authorize(more)),
    token: (parameters, headers = basic()) => post('/token', parameters, headers),
    redeem: (callback, more = {}) =>
      post(
        '/token',
        {
          grant_type: 'authorization_code',
          code: callback.searchParams.get('code') ?? '',
          redirect_uri: redirectUri,
          code_verifier: verifier,
          ...more,
        },
        basic(),
      ),
    async verify(idToken) {
      const { payload, protectedHeader } = await jwtVerify(idToken, jwks, {
        issuer,
        audience: clientId,
      })
      return { payload, header: { ...protectedHeader } }
    },
    async get(path, accessToken) {
      const response = await fetch(`${issuer}${path}`, {
        headers: { authorization: `Bearer ${accessToken}` },
      })
      const text = await response.text()
      return {
        status: response.status,
        body: text.startsWith('{') ? JSON.parse(text) : {},
        headers: response.headers,
      }
    },
  }
  return rp
}
