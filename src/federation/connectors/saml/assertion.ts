/** An assertion whose signature holds: whom it is about, and that it is for us, here and now (SAML Profiles 2.0 §4.1.4.3). */

import { Fault } from '../../calls/fault.ts'
import type { Claims } from '../../profile.ts'
import { attributesIn } from './attributes.ts'
import { type Clock, checkMadeNow, checkWindow, instantOf, requiredInstant } from './instants.ts'
import type { NameId } from './messages.ts'
import { nameIdIn } from './name-id.ts'
import { checkSignatureShape } from './signature-shape.ts'
import {
  atMostOne,
  attribute,
  children,
  childrenOf,
  isNamed,
  only,
  parseXml,
  textOf,
} from './xml.ts'

export type ExpectedAssertion = {
  issuer: string
  ownEntityId: string
  /** Our Assertion Consumer Service. */
  acs: string
  requestId: string
  clock: Clock
  /** She was to prove herself anew, after this time. */
  freshSince?: number
}

export type Assertion = {
  id: string
  nameId?: NameId
  attributes: Claims
  /** Milliseconds since 1970. */
  authenticatedAt: number
  contextClass?: string
  sessionIndex?: string
}

export async function readAssertion(xml: string, expected: ExpectedAssertion): Promise<Assertion> {
  const { issuer, clock } = expected
  const one = await parseXml(xml, 'message')
  const id = attribute(one, 'ID')
  if (!isNamed(one, 'assertion', 'Assertion') || attribute(one, 'Version') !== '2.0' || !id)
    throw new Fault('nonsense', 'it holds no SAML 2.0 assertion')
  // One that came encrypted is seen here for the first time.
  checkSignatureShape(one)
  if (textOf(only(one, 'assertion', 'Issuer')) !== issuer)
    throw new Fault('forged', "the assertion is not this upstream's")
  checkMadeNow(one, clock)
  checkConditions(only(one, 'assertion', 'Conditions'), expected)
  const subject = only(one, 'assertion', 'Subject')
  checkConfirmation(subject, expected)
  return {
    id,
    nameId: nameIdIn(subject),
    attributes: attributesIn(one),
    ...readAuthentication(only(one, 'assertion', 'AuthnStatement'), expected),
  }
}

/** Conditions we know nothing of make it invalid (SAML Core 2.0 §2.5.1.1). */
const understood = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']

function checkConditions(conditions: Element, { ownEntityId, clock }: ExpectedAssertion): void {
  checkWindow(conditions, clock)
  const strange = childrenOf(conditions).some(
    (one) => !understood.some((name) => isNamed(one, 'assertion', name)),
  )
  if (strange) throw new Fault('nonsense', 'it has a condition nobody here understands')
  const restrictions = children(conditions, 'assertion', 'AudienceRestriction')
  const forUs = restrictions.every((one) =>
    children(one, 'assertion', 'Audience').some((audience) => textOf(audience) === ownEntityId),
  )
  if (restrictions.length === 0 || !forUs) throw new Fault('forged', 'it is for another audience')
}

/** Whoever bears it is she, if it was given for this request to be brought here. */
function checkConfirmation(subject: Element, { acs, requestId, clock }: ExpectedAssertion): void {
  const bearer = children(subject, 'assertion', 'SubjectConfirmation').filter(
    (one) => attribute(one, 'Method') === 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
  )
  const [first, ...more] = bearer.map((one) => only(one, 'assertion', 'SubjectConfirmationData'))
  if (!first || more.length > 0)
    throw new Fault('nonsense', 'it has not exactly one bearer confirmation')
  if (attribute(first, 'Recipient') !== acs)
    throw new Fault('forged', 'its Recipient is somebody else')
  if (attribute(first, 'InResponseTo') !== requestId)
    throw new Fault('forged', 'it was given for another request')
  requiredInstant(first, 'NotOnOrAfter')
  checkWindow(first, clock)
}

function readAuthentication(
  statement: Element,
  { clock, freshSince }: ExpectedAssertion,
): Pick<Assertion, 'authenticatedAt' | 'contextClass' | 'sessionIndex'> {
  const { now, skewMs } = clock
  const authenticatedAt = requiredInstant(statement, 'AuthnInstant')
  if (authenticatedAt > now + skewMs) throw new Fault('forged', 'AuthnInstant is in the future')
  if (freshSince !== undefined && authenticatedAt < freshSince - skewMs)
    throw new Fault('nonsense', 'it did not ask her anew, as ForceAuthn wants')
  const until = instantOf(statement, 'SessionNotOnOrAfter')
  if (until !== undefined && until <= now - skewMs)
    throw new Fault('forged', 'the session it tells of is over')
  const context = only(statement, 'assertion', 'AuthnContext')
  const named = atMostOne(context, 'assertion', 'AuthnContextClassRef')
  const contextClass = named && textOf(named)
  const sessionIndex = attribute(statement, 'SessionIndex')
  return {
    authenticatedAt,
    ...(contextClass && !contextClass.endsWith(':unspecified') ? { contextClass } : {}),
    ...(sessionIndex ? { sessionIndex } : {}),
  }
}
