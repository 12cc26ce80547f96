/** A signature as SAML wants it, before anybody checks whether it holds (SAML Core 2.0 §5.4). */
import { Fault } from '../../calls/fault.ts'
import { digests, exclusiveC14n, signatures, transforms } from './algorithms.ts'
import { attribute, children, childrenOf, descendants, isNamed, only } from './xml.ts'

/** The element is signed, as a whole, by one signature of its own with algorithms that count. */
export function checkSignatureShape(one: Element): void {
  const [signature, ...more] = children(one, 'signature', 'Signature')
  if (!signature) throw new Fault('forged', `${one.localName} is not signed`)
  if (more.length > 0) throw new Fault('forged', `${one.localName} is signed more than once`)
  // An Object is a place to keep a second message in.
  const known = ['SignedInfo', 'SignatureValue', 'KeyInfo']
  const foreign = childrenOf(signature).some(
    (child) => !known.some((name) => isNamed(child, 'signature', name)),
  )
  if (foreign) throw new Fault('forged', 'its signature holds more than a signature')
  const info = only(signature, 'signature', 'SignedInfo')
  const reference = only(info, 'signature', 'Reference')
  const id = attribute(one, 'ID')
  if (!id || attribute(reference, 'URI') !== `#${id}`)
    throw new Fault('forged', `its signature is not one of ${one.localName}`)
  check(only(info, 'signature', 'SignatureMethod'), [...signatures.keys()])
  check(only(info, 'signature', 'CanonicalizationMethod'), [exclusiveC14n])
  check(only(reference, 'signature', 'DigestMethod'), digests)
  for (const transform of descendants(reference, 'signature', 'Transform'))
    check(transform, transforms)
}

function check(method: Element, allowed: readonly string[]): void {
  if (!allowed.includes(attribute(method, 'Algorithm') ?? ''))
    throw new Fault('forged', `its ${method.localName} is none that counts`)
}
