/** What a SAML identity provider answers: a response, and the assertion in it. */
import { randomBytes } from 'node:crypto'
import { escapeXml, ns } from '#federation/connectors/saml/xml.ts'

const minute = 60 * 1000

export type Said = {
  issuer: string
  /** Where the response goes. */
  destination: string
  recipient: string
  audience: string
  /** The request it answers. */
  inResponseTo: string
  /** Milliseconds since 1970. */
  at: number
  authenticatedAt: number
  nameId: { value: string; format: string }
  sessionIndex: string
  attributes: Record<string, string[]>
}

export const newId = () => `_${randomBytes(16).toString('hex')}`
const time = (at: number) => new Date(at).toISOString()
const text = escapeXml

export function assertionXml(said: Said): string {
  const { issuer, recipient, audience, inResponseTo, at, nameId } = said
  const until = time(at + 5 * minute)
  const attributes = Object.entries(said.attributes).map(
    ([name, values]) =>
      `<saml:Attribute Name="${text(name)}">` +
      values.map((one) => `<saml:AttributeValue>${text(one)}</saml:AttributeValue>`).join('') +
      '</saml:Attribute>',
  )
  return (
    `<saml:Assertion xmlns:saml="${ns.assertion}" ID="${newId()}" Version="2.0" IssueInstant="${time(at)}">` +
    `<saml:Issuer>${text(issuer)}</saml:Issuer>` +
    `<saml:Subject><saml:NameID Format="${text(nameId.format)}">${text(nameId.value)}</saml:NameID>` +
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">' +
    `<saml:SubjectConfirmationData Recipient="${text(recipient)}" InResponseTo="${text(inResponseTo)}" NotOnOrAfter="${until}"/>` +
    '</saml:SubjectConfirmation></saml:Subject>' +
    `<saml:Conditions NotBefore="${time(at - minute)}" NotOnOrAfter="${until}">` +
    `<saml:AudienceRestriction><saml:Audience>${text(audience)}</saml:Audience></saml:AudienceRestriction>` +
    '</saml:Conditions>' +
    `<saml:AuthnStatement AuthnInstant="${time(said.authenticatedAt)}" SessionIndex="${text(said.sessionIndex)}">` +
    '<saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext>' +
    '</saml:AuthnStatement>' +
    `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement>` +
    '</saml:Assertion>'
  )
}

type Envelope = Pick<Said, 'issuer' | 'destination' | 'inResponseTo' | 'at'>

/** `status`: the last words of its codes, the outer one first. */
export function responseXml(
  { issuer, destination, inResponseTo, at }: Envelope,
  status: string[],
  assertion = '',
): string {
  const codes = status.reduceRight(
    (inner, word) =>
      `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${word}">${inner}</samlp:StatusCode>`,
    '',
  )
  return (
    `<samlp:Response xmlns:samlp="${ns.protocol}" xmlns:saml="${ns.assertion}" ID="${newId()}" Version="2.0"` +
    ` IssueInstant="${time(at)}" Destination="${text(destination)}" InResponseTo="${text(inResponseTo)}">` +
    `<saml:Issuer>${text(issuer)}</saml:Issuer>` +
    `<samlp:Status>${codes}</samlp:Status>${assertion}</samlp:Response>`
  )
}

export type Published = {
  entityId: string
  signIn: string
  signOut: string
  /** PEM. */
  certificate: string
}

export function identityProviderMetadata(one: Published): string {
  const certificate = one.certificate.replace(/-----[A-Z ]+-----|\s/g, '')
  const redirect = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
  return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="${ns.metadata}" xmlns:ds="${ns.signature}" entityID="${text(one.entityId)}">
  <md:IDPSSODescriptor protocolSupportEnumeration="${ns.protocol}" WantAuthnRequestsSigned="true">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>
    <md:SingleLogoutService Binding="${redirect}" Location="${text(one.signOut)}"/>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
    <md:SingleSignOnService Binding="${redirect}" Location="${text(one.signIn)}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`
}
