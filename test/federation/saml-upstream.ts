/** A pretend SAML identity provider behind a canned fetch: real keys, real XML, a clock that stands still. */
import type { ExecutionContext } from 'ava'
import { type ConnectorFile, connectorFile, type SamlSettings } from '#config/connector.ts'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import type { FederationPorts, Trip } from '#federation/connector.ts'
import { readRedirect } from '#federation/connectors/saml/redirect.ts'
import { openSamlConnector } from '#federation/connectors/saml.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import type { Profile } from '#federation/profile.ts'
import { openMapped } from '#federation/profiles/mapped.ts'
import { type Certificate, makeCertificate } from '#sandbox/certificates.ts'
import {
  assertionXml,
  identityProviderMetadata,
  responseXml,
  type Said,
} from '#sandbox/providers/saml/answers.ts'
import { type Algorithms, encryptFor, signRoot } from '#sandbox/providers/saml/sealed-xml.ts'
import { lendFederation } from './lend.ts'

export const entityId = 'https://idp.example/saml/metadata'
export const signInUrl = 'https://idp.example/saml/sso?tenant=1'
export const signOutUrl = 'https://idp.example/saml/slo'
export const own = ownAddresses('https://id.example', 'uni')
export const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
export const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'
/** Far from the machine's clock, so that a look at it shows. */
export const start = Date.UTC(2031, 7, 1)

const certificateOf = (commonName: string) =>
  makeCertificate({ commonName, from: new Date(0), until: new Date(start * 2) })
export const [idp, stranger, citygate] = (await Promise.all(
  ['idp.example', 'stranger.example', 'id.example'].map(certificateOf),
)) as [Certificate, Certificate, Certificate]

type SamlFile = Extract<ConnectorFile, { type: 'saml' }>
const map = {
  name: 'displayName',
  email: 'mail',
  school_code: 'schoolCode',
  titles: 'title',
}
const file = connectorFile.parse({
  id: 'uni',
  type: 'saml',
  label: { 'zh-TW': '某大學', en: 'Some University' },
  order: 1,
  profile: 'mapped',
  map,
  settings: {
    entity_id: entityId,
    metadata_url: entityId,
    private_key_env: 'KEY',
    certificate_env: 'CERTIFICATE',
  },
}) as SamlFile

export const metadataXml = (certificate = idp.certificate) =>
  identityProviderMetadata({ entityId, signIn: signInUrl, signOut: signOutUrl, certificate })

/** What the identity provider does otherwise than a good one. Each function is given what it changes. */
export type Attack = {
  /** What it says. */
  said?: Partial<Said>
  /** Before the assertion is signed. */
  assertion?: (xml: string) => string
  signAssertion?: Certificate | false
  /** When it is signed, before it is encrypted. */
  signedAssertion?: (xml: string) => string | Promise<string>
  encrypt?: boolean
  status?: string[]
  /** Before the response is signed. */
  response?: (xml: string) => string
  signResponse?: Certificate | false
  algorithms?: Algorithms
  /** On the way, when everything is signed. */
  underway?: (xml: string) => string | Promise<string>
  form?: (form: URLSearchParams) => URLSearchParams
}

export type Canned = {
  settings?: Partial<SamlSettings>
  file?: Partial<Pick<SamlFile, 'former' | 'fingerprint'>>
  insecure?: boolean
  profile?: Profile
  ports?: Partial<FederationPorts>
  /** In place of what a healthy one answers. */
  metadata?: () => Response | Promise<Response>
}

export function openUpstream(canned: Canned = {}) {
  const calls: string[] = []
  const clock = { now: start }
  const ports = lendFederation({
    fetch: async (input) => {
      const url = String(input)
      calls.push(url)
      if (url !== entityId) return new Response('', { status: 404 })
      return canned.metadata?.() ?? new Response(metadataXml())
    },
    now: () => clock.now,
    ...canned.ports,
  })
  const connector = openSamlConnector(
    {
      ...file,
      ...canned.file,
      settings: { ...file.settings, ...canned.settings },
      credentials: { privateKey: citygate.key, certificate: citygate.certificate },
      insecure: canned.insecure ?? false,
    },
    canned.profile ?? openMapped(map),
    ports,
  )

  const begin = (trip: Partial<Trip> = {}) =>
    connector.begin({
      callbackUrl: own.callback,
      passwordUrl: own.password,
      state: 'st1',
      fresh: false,
      locales: [],
      ...trip,
    })

  /** The form a browser brings, for a request. */
  async function answer(url: string, attack: Attack = {}): Promise<URLSearchParams> {
    const { xml, relayState = '' } = readRedirect(new URL(url).search, [citygate.certificate])
    const inResponseTo = / ID="([^"]+)"/.exec(xml)?.[1] ?? ''
    const said: Said = {
      issuer: entityId,
      destination: own.callback,
      recipient: own.callback,
      audience: own.metadata,
      inResponseTo,
      at: clock.now,
      authenticatedAt: clock.now,
      nameId: { value: 'T-0001', format: persistent },
      sessionIndex: 's1',
      attributes: { displayName: ['王小明'] },
      ...attack.said,
    }
    const { status = ['Success'], algorithms } = attack
    const signed = async (xml: string, by: Certificate | false = idp) =>
      by ? signRoot(xml, by, algorithms) : xml
    let assertion = ''
    if (status[0] === 'Success') {
      const bare = attack.assertion?.(assertionXml(said)) ?? assertionXml(said)
      const ready = await signed(bare, attack.signAssertion)
      assertion = (await attack.signedAssertion?.(ready)) ?? ready
      if (attack.encrypt) assertion = await encryptFor(citygate.certificate, assertion)
    }
    const whole = responseXml(said, status, assertion)
    const response = await signed(attack.response?.(whole) ?? whole, attack.signResponse)
    const sent = (await attack.underway?.(response)) ?? response
    const form = new URLSearchParams({
      SAMLResponse: Buffer.from(sent).toString('base64'),
      RelayState: relayState,
    })
    return attack.form?.(form) ?? form
  }

  const arrive = (form: URLSearchParams, memo: Record<string, string>, state = 'st1') =>
    connector.complete({ url: new URL(`${own.callback}?state=${state}`), state, form }, memo)

  /** Leaves and comes back. */
  async function signIn(attack: Attack = {}, trip: Partial<Trip> = {}) {
    const { url, memo } = await begin(trip)
    return arrive(await answer(url, attack), memo, trip.state)
  }

  return { connector, canned, calls, clock, ports, begin, answer, arrive, signIn }
}

/** The sign-in fails in the given way, and its words give nothing away. */
export async function fails(
  t: ExecutionContext,
  failure: UpstreamFailure,
  work: Promise<unknown>,
  hint: RegExp,
) {
  const error = await t.throwsAsync(work, { instanceOf: UpstreamError })
  t.is(error?.failure, failure, error?.message)
  t.regex(error?.message ?? '', hint)
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    t.notRegex(at.message, /T-0001|王小明|PRIVATE|evil/)
}
