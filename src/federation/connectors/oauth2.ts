/** OAuth 2.0, authorization code flow without ID tokens: who she is, is said by calls with the access token. */
import { calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client'
import { during, Fault } from '../calls/fault.ts'
import { reach } from '../calls/reach.ts'
import type { Arrival, Connector, FederationPorts, Trip, UpstreamIdentity } from '../connector.ts'
import type { Claims, Profile } from '../profile.ts'
import type { Opening } from '../registry.ts'
import { fingerprintIn, openFormer, serverOf, unverified } from '../said.ts'
import { withoutSecrets } from '../without-secrets.ts'
import { makeCalls } from './oauth2/calls.ts'
import { asWritten, claimAt } from './oauth2/claim-path.ts'
import { redeemCode } from './oauth2/token.ts'
import { checkResponse } from './oidc/authorization-response.ts'

/** Opens without I/O. `trip.fresh` is not passed on: OAuth 2.0 has no word for it. */
export function openOAuth2Connector(
  { id, settings, credentials, former, fingerprint }: Opening<'oauth2'>,
  profile: Profile,
  ports: FederationPorts,
): Connector {
  const { issuer } = settings
  const { clientId = '' } = credentials
  const formerIn = openFormer(former)
  const fetch = reach(ports.fetch)
  const authorizationOrigin = new URL(settings.authorization_endpoint).origin
  const { end_session_endpoint: signsOutAt } = settings
  const signOutOrigin = signsOutAt ? [new URL(signsOutAt).origin] : []

  async function begin({ callbackUrl, state }: Trip) {
    const codeVerifier = settings.pkce ? randomPKCECodeVerifier() : undefined
    const url = new URL(settings.authorization_endpoint)
    const parameters = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: callbackUrl,
      scope: settings.scopes.join(settings.scope_separator),
      state,
      ...(codeVerifier && {
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      }),
    }
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    const memo = { state, callback: callbackUrl, ...(codeVerifier && { codeVerifier }) }
    return { url: url.href, memo }
  }

  async function complete({ url, state }: Arrival, memo: Record<string, string>) {
    await during(id, 'authorization response', () =>
      checkResponse(url.searchParams, {
        states: [state, memo.state],
        issuer,
        issuerRequired: false,
      }),
    )
    const accessToken = await during(id, 'token endpoint', () =>
      redeemCode({
        settings,
        credentials,
        code: url.searchParams.get('code') ?? '',
        redirectUri: memo.callback ?? '',
        codeVerifier: memo.codeVerifier,
        fetch,
      }),
    )
    const asked = { connector: id, accessToken, fetch }
    const { claims, unread } = await makeCalls(settings.calls, asked)
    const subject = await during(id, 'subject', () => subjectIn(claims))
    return identify(subject, claims, unread)
  }

  function subjectIn(claims: Claims): string {
    const subject = asWritten(claimAt(claims, settings.subject))
    if (!subject?.trim() || subject.length > 255)
      throw new Fault('nonsense', `${settings.subject} names nobody`)
    return subject
  }

  function identify(subject: string, claims: Claims, failed: string[]): UpstreamIdentity {
    const said = profile({ idToken: {}, extra: claims })
    const unread = [...failed, ...(said.unread ?? [])]
    return {
      connector: id,
      issuer,
      subject,
      ...said,
      ...formerIn(said.openid2Ids),
      ...fingerprintIn(fingerprint, ...(Object.values(claims) as Claims[])),
      ...(unread.length > 0 && { unread }),
      ...(signsOutAt && { session: { signsOut: true as const } }),
      profile: unverified(said.profile),
      raw: withoutSecrets(claims),
    }
  }

  return {
    id,
    origins: [authorizationOrigin, ...signOutOrigin, ...settings.sign_in_origins],
    servers: [...new Set(addressesOf(settings).map(serverOf))],
    begin,
    complete,
    async probe() {
      // Any answer but an ailing server's: there is no document to read.
      await during(id, 'authorization endpoint', async () => {
        const answer = await fetch(`${authorizationOrigin}/`, {
          method: 'HEAD',
          redirect: 'manual',
        })
        await answer.body?.cancel()
      })
    },
    async signOut({ returnTo, state }) {
      if (!signsOutAt) return undefined
      const url = new URL(signsOutAt)
      url.searchParams.set('client_id', clientId)
      url.searchParams.set('post_logout_redirect_uri', returnTo)
      url.searchParams.set('state', state)
      return url.href
    },
  }
}

type Settings = Opening<'oauth2'>['settings']

const addressesOf = ({ authorization_endpoint, token_endpoint, calls }: Settings): string[] => [
  authorization_endpoint,
  token_endpoint,
  // A claim stands in its path, never in its host name.
  ...calls.map(({ url }) => url.replaceAll(/[{}]/g, '')),
]
