/** What must be known of an upstream: from its file, from its metadata (SAML Metadata 2.0), or from both. */
import { X509Certificate } from 'node:crypto'
import type { SamlSettings } from '#config/connector.ts'
import { Fault } from '../../calls/fault.ts'
import { isHost } from '../../claimed-id.ts'
import { type Clock, instantOf } from './instants.ts'
import {
  attribute,
  children,
  descendants,
  isElement,
  isNamed,
  only,
  parseXml,
  textOf,
} from './xml.ts'

export type IdentityProvider = {
  /** Its SingleSignOnService by HTTP-Redirect. */
  signIn: string
  /** Its SingleLogoutService by HTTP-Redirect: where requests go, and where answers. */
  signOut?: { request: string; answer: string }
  /** PEM, of the keys it signs with. */
  certificates: string[]
}

export type Judging = { insecure: boolean; clock: Clock }

const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
const leastBits = 2048

/** An upstream whose file says everything. */
export const configuredProvider = (settings: SamlSettings): IdentityProvider => ({
  signIn: required(settings.sign_in_url),
  ...signOutOf(settings.sign_out_url),
  certificates: usable(settings.certificates),
})

/** An upstream as its metadata describes it. What its file says comes first: its certificates are the only ones then. */
export async function describedProvider(
  text: string,
  settings: SamlSettings,
  { insecure, clock }: Judging,
): Promise<IdentityProvider> {
  const role = await findRole(text, settings.entity_id, clock)
  const address = (service: Element | undefined, name: string) => {
    const url = service && attribute(service, name)
    if (url !== undefined) checkAddress(url, settings, insecure)
    return url
  }
  const signIn = settings.sign_in_url ?? address(serviceOf(role, 'SingleSignOnService'), 'Location')
  const logout = serviceOf(role, 'SingleLogoutService')
  const request = settings.sign_out_url ?? address(logout, 'Location')
  const answer = settings.sign_out_url ?? address(logout, 'ResponseLocation')
  const pinned = settings.certificates.length > 0
  return {
    signIn: required(signIn),
    ...signOutOf(request, answer),
    certificates: usable(pinned ? settings.certificates : certificatesIn(role)),
  }
}

function required(signIn: string | undefined): string {
  if (signIn === undefined)
    throw new Fault('nonsense', 'neither file nor metadata has a place to sign in by HTTP-Redirect')
  return signIn
}

const signOutOf = (
  request: string | undefined,
  answer = request,
): Pick<IdentityProvider, 'signOut'> =>
  request === undefined || answer === undefined ? {} : { signOut: { request, answer } }

async function findRole(text: string, entityId: string, clock: Clock): Promise<Element> {
  const root = await parseXml(text, 'metadata')
  const all = isNamed(root, 'metadata', 'EntityDescriptor')
    ? [root]
    : descendants(root, 'metadata', 'EntityDescriptor')
  const [entity, ...more] = all.filter((one) => attribute(one, 'entityID') === entityId)
  if (!isMetadata(root)) throw new Fault('nonsense', 'it is no SAML metadata')
  if (!entity || more.length > 0) throw new Fault('forged', 'it describes another entity')
  const role = only(entity, 'metadata', 'IDPSSODescriptor')
  for (const one of [role, ...holders(role)]) {
    const until = instantOf(one, 'validUntil')
    if (until !== undefined && until <= clock.now - clock.skewMs)
      throw new Fault('nonsense', 'its validUntil is over')
  }
  return role
}

/** Lists may stand in lists, and each may say until when it holds. */
function holders({ parentNode: holder }: Element): Element[] {
  return holder && isElement(holder) ? [holder, ...holders(holder)] : []
}

const isMetadata = (root: Element) =>
  isNamed(root, 'metadata', 'EntityDescriptor') || isNamed(root, 'metadata', 'EntitiesDescriptor')

const serviceOf = (role: Element, name: string): Element | undefined =>
  children(role, 'metadata', name).find((one) => attribute(one, 'Binding') === redirectBinding)

/** Whoever could write its metadata could else send people, and what they type, anywhere. */
function checkAddress(url: string, settings: SamlSettings, insecure: boolean): void {
  const { protocol, host, username, password } = URL.parse(url) ?? {}
  const schemes = insecure ? ['https:', 'http:'] : ['https:']
  if (protocol === undefined || !schemes.includes(protocol) || username || password)
    throw new Fault('nonsense', 'one of its endpoints is no https URL')
  const home = URL.parse(settings.metadata_url ?? '')?.host
  const listed = settings.sign_in_origins.map((origin) => origin.replace(/^https?:\/\//, ''))
  if (!host || (host !== home && !listed.some((one) => isHost(host, one))))
    throw new Fault('forged', 'one of its endpoints is at a host its file does not list')
}

function certificatesIn(role: Element): string[] {
  return children(role, 'metadata', 'KeyDescriptor')
    .filter((key) => (attribute(key, 'use') ?? 'signing') === 'signing')
    .flatMap((key) => descendants(key, 'signature', 'X509Certificate'))
    .map((one) => `-----BEGIN CERTIFICATE-----\n${wrap(textOf(one))}\n-----END CERTIFICATE-----\n`)
}

const wrap = (base64: string) => (base64.replace(/\s+/g, '').match(/.{1,64}/g) ?? []).join('\n')

function usable(certificates: string[]): string[] {
  const found = certificates.flatMap((written) => {
    try {
      const certificate = new X509Certificate(written)
      const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
      const strong = type === 'rsa' && (details?.modulusLength ?? 0) >= leastBits
      return strong ? [certificate.toString()] : []
    } catch {
      return []
    }
  })
  if (found.length === 0)
    throw new Fault('nonsense', 'no certificate has an RSA key of 2048 bits or more')
  return found
}
