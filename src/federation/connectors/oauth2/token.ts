/**
 * The access token for a code (RFC 6749 §4.1.3). Of our own: openid-client puts parameters into the body only, and
 * refuses an answer whose `id_token` is none, which some send beside the access token.
 */
import type { Credentials, OAuth2Settings } from '#config/connector.ts'
import { Fault, oauthError } from '../../calls/fault.ts'
import { readObject } from '../../calls/json-object.ts'
import type { Network } from '../../calls/reach.ts'

type Redemption = {
  settings: OAuth2Settings
  credentials: Credentials
  code: string
  redirectUri: string
  codeVerifier: string | undefined
  fetch: Network
}

export async function redeemCode(redemption: Redemption): Promise<string> {
  const { settings, fetch } = redemption
  const parameters = parametersOf(redemption)
  const url = new URL(settings.token_endpoint)
  const inQuery = settings.token_parameters === 'query'
  if (inQuery) for (const [name, value] of parameters) url.searchParams.set(name, value)
  const response = await fetch(url.href, {
    method: 'POST',
    // The code and our secret go to this address and to no other.
    redirect: 'manual',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...basicAuth(redemption),
    },
    body: inQuery ? '' : parameters.toString(),
  })
  if (response.status !== 200) throw await refusal(response)
  const { access_token: token, token_type: type } = await readObject(response)
  // One we cannot present as they mean it (a MAC, a DPoP-bound one) must not be sent as if we could (RFC 6749 §7.1).
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    throw new Fault('nonsense', 'token_type is not Bearer')
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token))
    throw new Fault('nonsense', 'it carries no access token')
  return token
}

function parametersOf({ settings, credentials, code, redirectUri, codeVerifier }: Redemption) {
  const byPost = settings.token_auth === 'client_secret_post'
  return new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    ...(codeVerifier && { code_verifier: codeVerifier }),
    ...(byPost && {
      client_id: credentials.clientId ?? '',
      client_secret: credentials.clientSecret ?? '',
    }),
  })
}

/** Form-encoded before it is joined (RFC 6749 §2.3.1). */
function basicAuth({ settings, credentials }: Redemption): Record<string, string> {
  const { clientId, clientSecret } = credentials
  if (settings.token_auth !== 'client_secret_basic') return {}
  const pair = [clientId, clientSecret].map((part) => formEncode(part ?? '')).join(':')
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

const formEncode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

/** Why there is none. */
async function refusal(response: Response): Promise<Fault> {
  const { error } = await readObject(response).catch(() => ({ error: undefined }))
  const { status } = response
  if (typeof error !== 'string') return new Fault('nonsense', `answered HTTP ${status}`, { status })
  const { failure, message, ...told } = oauthError(error, status)
  return new Fault(failure, message, told)
}
