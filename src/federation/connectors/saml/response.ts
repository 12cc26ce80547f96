/** What can be said of a response before its signatures are checked: whose answer it is, and that it has one shape only. */
import { Fault } from '../../calls/fault.ts'
import { contentEncryption, keyEncryption } from './algorithms.ts'
import { type Clock, checkMadeNow } from './instants.ts'
import { checkSignatureShape } from './signature-shape.ts'
import { atMostOne, attribute, children, descendants, isNamed, only, textOf } from './xml.ts'

export type ExpectedMessage = {
  /** The upstream's entityID. */
  issuer: string
  /** Our address it is sent to. */
  destination: string
  clock: Clock
}

/** Whose message it is, that it is for us, and that it was made just now. */
export function checkEnvelope(root: Element, { issuer, destination, clock }: ExpectedMessage) {
  if (attribute(root, 'Version') !== '2.0') throw new Fault('nonsense', 'it is not SAML 2.0')
  // First of all: what another upstream said must not be taken for this one's.
  if (textOf(only(root, 'assertion', 'Issuer')) !== issuer)
    throw new Fault('forged', `${root.localName} is not this upstream's`)
  if (attribute(root, 'Destination') !== destination)
    throw new Fault('forged', `${root.localName} was sent to somebody else`)
  checkMadeNow(root, clock)
}

const status = 'urn:oasis:names:tc:SAML:2.0:status:'

/** Throws unless it says Success. What it says beside the code is free text and may name the person. */
export function checkStatus(root: Element): void {
  const top = only(only(root, 'protocol', 'Status'), 'protocol', 'StatusCode')
  const below = atMostOne(top, 'protocol', 'StatusCode')
  const codes = [top, below].flatMap((one) => (one ? [attribute(one, 'Value') ?? ''] : []))
  if (codes[0] === `${status}Success`) return
  const said = codes.map((code) => wordOf(code)).join(', ')
  const no = ['Responder', 'RequestDenied', 'AuthnFailed'].some((word) =>
    codes.includes(status + word),
  )
  throw new Fault(no ? 'refused' : 'nonsense', `status ${said}`)
}

const wordOf = (code: string) =>
  code.startsWith(status) && /^\w{1,40}$/.test(code.slice(status.length))
    ? code.slice(status.length)
    : '(none of SAML’s)'

/**
 * One assertion and its signatures, each where it belongs: whatever wraps, moves or adds one is refused, whoever would
 * read which of them.
 */
export function checkOneAssertion(root: Element, { encrypted }: { encrypted: boolean }): void {
  const [plain] = children(root, 'assertion', 'Assertion')
  const [sealed] = children(root, 'assertion', 'EncryptedAssertion')
  const anywhere =
    descendants(root, 'assertion', 'Assertion').length +
    descendants(root, 'assertion', 'EncryptedAssertion').length
  if (anywhere !== 1 || (!plain && !sealed))
    throw new Fault('forged', 'it does not hold exactly one assertion')
  if (encrypted && !sealed) throw new Fault('forged', 'its assertion is not encrypted')
  checkSignatureShape(root)
  if (plain) checkSignatureShape(plain)
  if (descendants(root, 'signature', 'Signature').length !== (plain ? 2 : 1))
    throw new Fault('forged', 'it holds signatures of something else')
  if (sealed) checkEncryption(sealed)
}

function checkEncryption(sealed: Element): void {
  const methods = descendants(sealed, 'encryption', 'EncryptionMethod')
  const ofKey = descendants(sealed, 'encryption', 'EncryptedKey')
  const counts = (one: Element) => {
    const inKey = one.parentNode !== null && isKey(one.parentNode as Element)
    const allowed = inKey ? [keyEncryption] : contentEncryption
    return allowed.includes(attribute(one, 'Algorithm') ?? '')
  }
  if (ofKey.length !== 1 || methods.length !== 2 || !methods.every(counts))
    throw new Fault('forged', 'it is encrypted in a way that does not count')
}

const isKey = (one: Element) => isNamed(one, 'encryption', 'EncryptedKey')
