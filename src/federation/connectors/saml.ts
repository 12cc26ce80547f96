/** SAML 2.0 Web Browser SSO and Single Logout: we are the service provider of one upstream. */
import { randomToken, sha256 } from '#lib/crypto.ts'
import { during, Fault } from '../calls/fault.ts'
import type {
  Arrival,
  Connector,
  FederationPorts,
  LogoutHeard,
  Trip,
  UpstreamIdentity,
} from '../connector.ts'
import type { Profile } from '../profile.ts'
import type { Opening } from '../registry.ts'
import { fingerprintIn, openFormer, serverOf, unverified } from '../said.ts'
import { withoutSecrets } from '../without-secrets.ts'
import { type Assertion, readAssertion } from './saml/assertion.ts'
import type { IdentityProvider } from './saml/identity-provider.ts'
import { type Clock, forgottenAt, instant } from './saml/instants.ts'
import { oneOf, readLogout } from './saml/logout.ts'
import { authnRequest, logoutRequest, logoutResponse, type NameId } from './saml/messages.ts'
import { openMetadata } from './saml/metadata.ts'
import { linkKey } from './saml/name-id.ts'
import { base64Of, openOwnKey } from './saml/own-key.ts'
import { ownRelayState, redirectTo } from './saml/redirect.ts'
import { checkEnvelope, checkOneAssertion, checkStatus } from './saml/response.ts'
import { serviceProviderMetadata } from './saml/sp-metadata.ts'
import { UnknownSignature, type Verifying, verifiedAssertion } from './saml/verify.ts'
import { attribute, decode, isNamed, parseXml } from './saml/xml.ts'

/** What a sign-out needs of a sign-in. */
type Hint = { nameId: NameId; sessionIndex?: string }

/** Opens without I/O; what can fail, fails at the sign-in that needs it. */
export function openSamlConnector(
  { id, settings, credentials, insecure, former, fingerprint }: Opening<'saml'>,
  profile: Profile,
  ports: FederationPorts,
): Connector {
  const { entity_id: issuer } = settings
  const own = ports.ownAddresses(id)
  const ownEntityId = settings.sp_entity_id ?? own.metadata
  const formerIn = openFormer(former)
  const metadata = openMetadata(id, settings, { ...ports, insecure })
  const describe = () => during(id, 'metadata', () => metadata.get())
  const ownKey = openOwnKey(credentials)
  const clock = (): Clock => ({ now: ports.now(), skewMs: settings.clock_skew_seconds * 1000 })
  const envelope = (destination: string, messageId = newId()) => ({
    id: messageId,
    at: instant(ports.now()),
    issuer: ownEntityId,
    destination,
  })
  const verifying = (provider: IdentityProvider, address: string): Verifying => ({
    certificates: provider.certificates,
    ownEntityId,
    address,
    privateKey: ownKey().pem,
  })

  async function begin({ callbackUrl, state, fresh }: Trip) {
    const { signIn } = await describe()
    return during(id, 'authentication request', () => {
      const to = envelope(signIn)
      const nameIdFormat = settings.name_id_format
      const xml = authnRequest(to, { acs: callbackUrl, nameIdFormat, fresh })
      const relayState = ownRelayState(state)
      const url = redirectTo(signIn, { kind: 'SAMLRequest', xml, relayState }, ownKey().key)
      const memo = { request: to.id, state, ...(fresh ? { fresh_since: String(ports.now()) } : {}) }
      return { url, memo }
    })
  }

  async function complete(arrival: Arrival, memo: Record<string, string>) {
    const provider = await describe()
    const { assertion, at } = await during(id, 'response', async () => {
      const encoded = readForm(arrival, memo)
      const { request: requestId = '', fresh_since: since } = memo
      const at = clock()
      await checkResponse(await parseXml(decode(encoded), 'message'), requestId, at)
      const xml = await withItsKeys(provider, (by) =>
        verifiedAssertion(encoded, requestId, verifying(by, own.callback)),
      )
      const expected = { issuer, ownEntityId, acs: own.callback, requestId, clock: at }
      const freshSince = since === undefined ? {} : { freshSince: Number(since) }
      return { at, assertion: await readAssertion(xml, { ...expected, ...freshSince }) }
    })
    const first = await ports.firstUse(`saml ${issuer} ${assertion.id}`, forgottenAt(at))
    return during(id, 'assertion', () => {
      if (!first) throw new Fault('forged', 'it came before')
      return identify(assertion, provider.signOut !== undefined)
    })
  }

  async function checkResponse(root: Element, requestId: string, at: Clock): Promise<void> {
    if (!isNamed(root, 'protocol', 'Response')) throw new Fault('nonsense', 'it is no Response')
    checkEnvelope(root, { issuer, destination: own.callback, clock: at })
    if (!requestId || attribute(root, 'InResponseTo') !== requestId)
      throw new Fault('forged', 'it does not answer our request')
    checkStatus(root)
    checkOneAssertion(root, settings)
  }

  /** With the keys we know; where none holds, with those its metadata names by now. */
  async function withItsKeys<T>(
    provider: IdentityProvider,
    check: (by: IdentityProvider) => Promise<T>,
  ): Promise<T> {
    try {
      return await check(provider)
    } catch (error) {
      const newer = error instanceof UnknownSignature ? await metadata.renew() : undefined
      if (!newer) throw error
      return check(newer)
    }
  }

  function identify(assertion: Assertion, signsOut: boolean): UpstreamIdentity {
    const { attributes, nameId, authenticatedAt, contextClass, sessionIndex } = assertion
    const said = profile({ idToken: {}, attributes })
    return {
      connector: id,
      issuer,
      subject: subjectOf(assertion),
      ...said,
      profile: unverified(said.profile),
      ...formerIn(said.openid2Ids),
      ...fingerprintIn(fingerprint, attributes),
      ...sessionOf(nameId, sessionIndex, signsOut),
      ...(contextClass ? { acr: contextClass } : {}),
      authTime: Math.floor(authenticatedAt / 1000),
      raw: withoutSecrets(attributes),
    }
  }

  function subjectOf({ nameId, attributes }: Assertion): string {
    const { subject: name, name_id_format: format } = settings
    if (name === 'NameID') return linkKey(nameId, { format, issuer, ownEntityId })
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined
    if (typeof value !== 'string')
      throw new Fault(
        'nonsense',
        'it has not exactly one value of the attribute links are kept under',
      )
    return value
  }

  async function signOut({ hint, state }: { hint?: string; state: string }) {
    const { signOut: address } = await describe()
    if (!address || hint === undefined) return undefined
    return during(id, 'logout request', () => {
      const { nameId, sessionIndex }: Hint = JSON.parse(hint)
      const to = envelope(address.request, logoutId(state))
      const xml = logoutRequest(to, { nameId, ...(sessionIndex ? { sessionIndex } : {}) })
      const relayState = ownRelayState(state)
      return redirectTo(address.request, { kind: 'SAMLRequest', xml, relayState }, ownKey().key)
    })
  }

  async function hearLogout(message: { url: URL; form?: URLSearchParams }): Promise<LogoutHeard> {
    const provider = await describe()
    const heard = await during(id, 'logout message', () => {
      const expected = { issuer, destination: own.logout, clock: clock() }
      return withItsKeys(provider, (by) => readLogout(message, expected, verifying(by, own.logout)))
    })
    if (heard.kind === 'response') {
      return during(id, 'logout response', () => {
        if (heard.inResponseTo !== logoutId(heard.relayState ?? ''))
          throw new Fault('forged', 'it does not answer our request')
        return { kind: 'answered' }
      })
    }
    const first = await ports.firstUse(`saml logout ${issuer} ${heard.id}`, heard.until)
    return during(id, 'logout request', () => {
      if (!first) throw new Fault('forged', 'it came before')
      const [index, ...others] = heard.sessions
      // Several sessions at once are nearly always all of hers.
      const isOne = index !== undefined && others.length === 0
      const session = isOne ? { sid: sidOf(heard.name, index) } : {}
      const subject = settings.subject === 'NameID' && heard.name ? { subject: heard.name } : {}
      if (!('sid' in session) && !('subject' in subject))
        throw new Fault('nonsense', 'it says neither who nor which session')
      return { kind: 'ended', issuer, ...subject, ...session, ...replyTo(heard, provider) }
    })
  }

  function replyTo(
    { id: inResponseTo, relayState }: { id: string; relayState?: string },
    { signOut: address }: IdentityProvider,
  ): { reply?: string } {
    if (!address) return {}
    const xml = logoutResponse(envelope(address.answer), inResponseTo)
    const back = relayState === undefined ? {} : { relayState }
    const reply = redirectTo(address.answer, { kind: 'SAMLResponse', xml, ...back }, ownKey().key)
    return { reply }
  }

  const addresses = [settings.metadata_url, settings.sign_in_url, settings.sign_out_url].filter(
    (one) => one !== undefined,
  )
  return {
    id,
    origins: unique([...addresses.map((one) => new URL(one).origin), ...settings.sign_in_origins]),
    servers: unique(addresses.filter((one) => one.startsWith('https:')).map(serverOf)),
    begin,
    complete,
    async probe() {
      await during(id, 'metadata', () => metadata.reread())
    },
    signOut,
    hearLogout,
    ownMetadata: () =>
      during(id, 'our metadata', () =>
        serviceProviderMetadata({
          entityId: ownEntityId,
          acs: own.callback,
          logout: own.logout,
          nameIdFormat: settings.name_id_format,
          certificate: base64Of(ownKey().certificate),
        }),
      ),
  }
}

/** The form the browser brought, which must belong to this trip. */
function readForm({ form, state }: Arrival, memo: Record<string, string>): string {
  const encoded = form && oneOf(form, 'SAMLResponse')
  if (!form || !encoded) throw new Fault('nonsense', 'no SAMLResponse came')
  if (oneOf(form, 'RelayState') !== state || memo.state !== state)
    throw new Fault('forged', 'RelayState is not the one we sent')
  return encoded
}

function sessionOf(
  nameId: NameId | undefined,
  sessionIndex: string | undefined,
  signsOut: boolean,
): Pick<UpstreamIdentity, 'session'> {
  const session = sessionIndex === undefined ? {} : { sessionIndex }
  const hint = nameId && JSON.stringify({ nameId, ...session } satisfies Hint)
  if (!hint && sessionIndex === undefined) return {}
  return {
    session: {
      ...(sessionIndex === undefined ? {} : { sid: sidOf(nameId?.value, sessionIndex) }),
      ...(hint ? { hint } : {}),
      ...(hint && signsOut ? { signsOut } : {}),
    },
  }
}

/** Small numbers that recur are what it should be (SAML Core 2.0 §2.7.2): with her name only it is hers alone. */
const sidOf = (name: string | undefined, sessionIndex: string): string =>
  sha256(`${name ?? ''}\n${sessionIndex}`)

const unique = (list: string[]): string[] => [...new Set(list)]

/** An ID may not begin with a digit (xs:NCName). */
const newId = () => `_${randomToken()}`

/** Nothing is kept of a logout request: what answers it shows whose it is by the state it brings along. */
const logoutId = (state: string) => `_${sha256(`logout ${state}`)}`
