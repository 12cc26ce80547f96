/**
 * What we say: requests for a sign-in, requests and answers of single logout. node-saml writes them too, with the
 * machine's time in them, and signs another spelling of RelayState than it sends.
 */
import { escapeXml, ns } from './xml.ts'

type Envelope = {
  id: string
  /** xs:dateTime. */
  at: string
  /** Our entityID. */
  issuer: string
  destination: string
}

const attributes = (all: Record<string, string | undefined>): string =>
  Object.entries(all)
    .flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escapeXml(value)}"`]))
    .join('')

const message = (
  name: string,
  { id, at, issuer, destination }: Envelope,
  more: Record<string, string | undefined>,
  body: string,
): string => {
  const all = { ID: id, Version: '2.0', IssueInstant: at, Destination: destination, ...more }
  return (
    `<samlp:${name} xmlns:samlp="${ns.protocol}" xmlns:saml="${ns.assertion}"${attributes(all)}>` +
    `<saml:Issuer>${escapeXml(issuer)}</saml:Issuer>${body}</samlp:${name}>`
  )
}

/** SAML Core 2.0 §3.4.1. */
export const authnRequest = (
  envelope: Envelope,
  { acs, nameIdFormat, fresh }: { acs: string; nameIdFormat: string; fresh: boolean },
): string =>
  message(
    'AuthnRequest',
    envelope,
    {
      ProtocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
      AssertionConsumerServiceURL: acs,
      ForceAuthn: fresh ? 'true' : undefined,
    },
    `<samlp:NameIDPolicy${attributes({ Format: nameIdFormat, AllowCreate: 'true' })}/>`,
  )

/** A name as the upstream gave it, to be given back. */
export type NameId = {
  value: string
  format?: string
  nameQualifier?: string
  spNameQualifier?: string
}

/** SAML Core 2.0 §3.7.1. */
export const logoutRequest = (
  envelope: Envelope,
  { nameId, sessionIndex }: { nameId: NameId; sessionIndex?: string },
): string => {
  const name = attributes({
    NameQualifier: nameId.nameQualifier,
    SPNameQualifier: nameId.spNameQualifier,
    Format: nameId.format,
  })
  const session =
    sessionIndex === undefined
      ? ''
      : `<samlp:SessionIndex>${escapeXml(sessionIndex)}</samlp:SessionIndex>`
  return message(
    'LogoutRequest',
    envelope,
    {},
    `<saml:NameID${name}>${escapeXml(nameId.value)}</saml:NameID>${session}`,
  )
}

/** SAML Core 2.0 §3.7.2: it went well. */
export const logoutResponse = (envelope: Envelope, inResponseTo: string): string =>
  message(
    'LogoutResponse',
    envelope,
    { InResponseTo: inResponseTo },
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>',
  )
