/** OpenID Connect 1.0, authorization code flow with PKCE, as a relying party of one upstream. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  Configuration,
  calculatePKCECodeChallenge,
  clockTolerance,
  customFetch,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  type ServerMetadata,
} from 'openid-client'
import { UpstreamError } from '#errors.ts'
import { during, Fault } from '../calls/fault.ts'
import { reach } from '../calls/reach.ts'
import { openShelf } from '../calls/shelf.ts'
import type {
  Arrival,
  Connector,
  FederationPorts,
  Trip,
  UpstreamIdentity,
  UpstreamProfile,
} from '../connector.ts'
import type { Claims, Profile } from '../profile.ts'
import type { Opening } from '../registry.ts'
import { fingerprintIn, openFormer, serverOf } from '../said.ts'
import { withoutSecrets } from '../without-secrets.ts'
import { checkResponse } from './oidc/authorization-response.ts'
import { callForClaims } from './oidc/claims-call.ts'
import { clientAuth } from './oidc/client-auth.ts'
import { type IdTokenClaims, verifyIdToken } from './oidc/id-token.ts'
import { openKeySets } from './oidc/key-set.ts'
import { endSessionUrl, readLogoutToken } from './oidc/logout.ts'
import { openMetadata } from './oidc/metadata.ts'

/** Opens without I/O; what can fail, fails at the sign-in that needs it. */
export function openOidcConnector(
  { id, settings, credentials, insecure, former, fingerprint }: Opening<'oidc'>,
  profile: Profile,
  ports: FederationPorts,
): Connector {
  const { clientId = '' } = credentials
  const { issuer } = settings
  const formerIn = openFormer(former)
  const network = { fetch: reach(ports.fetch), now: ports.now }
  const shelf = (what: string) => openShelf(ports, `oidc.${what}:${id}`)
  const metadata = openMetadata(settings, clientId, {
    ...network,
    insecure,
    shelf: shelf('discovery'),
  })
  const keySets = openKeySets({ ...network, shelf: shelf('keys') })
  const { end_session_endpoint: signsOutAt } = settings
  const addresses = signsOutAt ? [issuer, signsOutAt] : [issuer]
  const discover = () => during(id, 'discovery', () => metadata.get())

  async function configure(server: ServerMetadata): Promise<Configuration> {
    const client = new Configuration(
      // The operator's list, not theirs, says which algorithms are good enough.
      { ...server, id_token_signing_alg_values_supported: settings.id_token_algs },
      clientId,
      // The library looks at the machine's clock, which is not the one we are lent: it is told to put
      // up with any time, and verifyIdToken checks all of them.
      { [clockTolerance]: Number.MAX_SAFE_INTEGER },
      await clientAuth(settings.token_auth, credentials, ports.now),
    )
    client[customFetch] = network.fetch
    if (insecure) allowInsecureRequests(client)
    return client
  }

  async function begin(trip: Trip) {
    const server = await discover()
    return during(id, 'authorization request', async () => {
      const memo = { nonce: randomNonce(), code_verifier: randomPKCECodeVerifier() }
      const url = buildAuthorizationUrl(await configure(server), {
        redirect_uri: trip.callbackUrl,
        scope: settings.scopes.join(' '),
        state: trip.state,
        nonce: memo.nonce,
        code_challenge: await calculatePKCECodeChallenge(memo.code_verifier),
        code_challenge_method: 'S256',
        ...(trip.locales.length > 0 && { ui_locales: trip.locales.join(' ') }),
        ...(trip.loginHint && { login_hint: trip.loginHint }),
        ...(trip.fresh && settings.prompt_login && { prompt: 'login' }),
      })
      return { url: url.href, memo: { ...memo, state: trip.state } }
    })
  }

  async function complete(arrival: Arrival, memo: Record<string, string>) {
    const server = await discover()
    await during(id, 'authorization response', () =>
      checkResponse(arrival.url.searchParams, {
        states: [arrival.state, memo.state],
        issuer,
        issuerRequired: server.authorization_response_iss_parameter_supported === true,
      }),
    )
    const { client, accessToken, idToken } = await during(id, 'token endpoint', () =>
      redeem(server, arrival, memo),
    )
    const claims = await during(id, 'ID token', () =>
      verifyIdToken(idToken, keySets(server.jwks_uri ?? ''), {
        issuer,
        clientId,
        nonce: memo.nonce ?? '',
        algorithms: settings.id_token_algs,
        now: ports.now(),
      }),
    )
    const { claims_call: call } = settings
    const [userinfo, further] = await Promise.all([
      settings.userinfo
        ? during(id, 'userinfo', () => fetchUserInfo(client, accessToken, claims.sub))
        : undefined,
      call &&
        during(id, call.claim, () => callForClaims(client, accessToken, call.url, claims.sub)),
    ])
    const said = identify(claims, userinfo, call && further && { [call.claim]: further })
    return { ...said, ...sessionOf(claims, idToken, server) }
  }

  /** Of which our own sessions end with it; the token is kept only where its sign-out is told of it. */
  function sessionOf(
    { sid }: IdTokenClaims,
    idToken: string,
    server: ServerMetadata,
  ): Pick<UpstreamIdentity, 'session'> {
    const signsOut = server.end_session_endpoint ?? settings.end_session_endpoint
    const session = {
      ...(signsOut && isSafe(signsOut, insecure) ? { signsOut: true as const } : {}),
      ...(typeof sid === 'string' && sid !== '' && sid.length <= 255 ? { sid } : {}),
      ...(signsOut && idToken.length <= longestHint ? { hint: idToken } : {}),
    }
    return Object.keys(session).length > 0 ? { session } : {}
  }

  async function redeem(
    server: ServerMetadata,
    { url, state }: Arrival,
    memo: Record<string, string>,
  ) {
    const client = await configure(server)
    const tokens = await authorizationCodeGrant(client, url, {
      expectedState: state,
      expectedNonce: memo.nonce ?? '',
      pkceCodeVerifier: memo.code_verifier ?? '',
      idTokenExpected: true,
    })
    return { client, accessToken: tokens.access_token, idToken: tokens.id_token ?? '' }
  }

  function identify(idToken: IdTokenClaims, userinfo?: Claims, extra?: Claims): UpstreamIdentity {
    const said = profile({ idToken, userinfo, extra })
    return {
      connector: id,
      issuer,
      subject: idToken.sub,
      ...said,
      ...formerIn(said.openid2Ids),
      ...fingerprintIn(fingerprint, idToken, userinfo, extra),
      profile: trusted(said.profile),
      ...authentication(idToken),
      raw: withoutSecrets({ ...userinfo, ...idToken, ...extra }),
    }
  }

  /** With its documents kept people sign in although they cannot be read: as long as its token endpoint answers. */
  async function manageWithout(error: UpstreamError) {
    const server = await metadata.get().catch(() => undefined)
    const keys =
      server &&
      (await keySets(server.jwks_uri ?? '')
        .get()
        .catch(() => undefined))
    if (!keys) throw error
    await during(id, 'token endpoint', async () => {
      await network.fetch(server.token_endpoint ?? '', { method: 'HEAD', redirect: 'manual' })
    })
  }

  /** `email_verified` counts only where the operator says that this upstream verifies. */
  function trusted({ emailVerified, ...rest }: UpstreamProfile): UpstreamProfile {
    return emailVerified && settings.verifies_email ? { ...rest, emailVerified } : rest
  }

  return {
    id,
    origins: [...addresses.map((one) => new URL(one).origin), ...settings.sign_in_origins],
    servers: [serverOf(issuer)],
    begin,
    complete,
    async signOut({ hint, returnTo, state }) {
      const server = await discover()
      const endpoint = server.end_session_endpoint ?? settings.end_session_endpoint
      if (!endpoint || !isSafe(endpoint, insecure)) return undefined
      const names = settings.end_session_names
      return endSessionUrl({
        ...(hint === undefined ? {} : { hint }),
        endpoint,
        clientId,
        names,
        returnTo,
        state,
      })
    },
    async hearLogout({ form }) {
      const server = await discover()
      return during(id, 'logout token', () =>
        readLogoutToken(onlyOne(form, 'logout_token'), keySets(server.jwks_uri ?? ''), {
          issuer,
          clientId,
          algorithms: settings.id_token_algs,
          now: ports.now(),
          firstUse: ports.firstUse,
        }),
      )
    },
    async probe() {
      try {
        const server = await during(id, 'discovery', () => metadata.reread())
        await during(id, 'keys', () => keySets(server.jwks_uri ?? '').reread())
      } catch (error) {
        // Who hangs there would hang at its token endpoint as well, and somebody may be waiting.
        if (!(error instanceof UpstreamError) || error.failure !== 'unreachable') throw error
        await manageWithout(error)
      }
    },
  }
}

/** An address carries no more. */
const longestHint = 3_000

const isSafe = (url: string, insecure: boolean): boolean => {
  const protocol = URL.parse(url)?.protocol
  return protocol === 'https:' || (insecure && protocol === 'http:')
}

function onlyOne(form: URLSearchParams | undefined, name: string): string {
  const values = form?.getAll(name) ?? []
  const [value] = values
  if (value === undefined || values.length > 1) throw new Fault('nonsense', `no ${name}`)
  return value
}

/** A name as RFC 8176 registers them, not a text of any length. */
const isMethod = (one: unknown): one is string =>
  typeof one === 'string' && /^[\w:./-]{1,64}$/.test(one)

/** How and when the upstream says it authenticated the person. */
function authentication({ acr, amr, auth_time }: IdTokenClaims) {
  return {
    ...(typeof acr === 'string' && { acr }),
    ...(Array.isArray(amr) && { amr: amr.filter(isMethod).slice(0, 10) }),
    ...(typeof auth_time === 'number' && { authTime: auth_time }),
  }
}
