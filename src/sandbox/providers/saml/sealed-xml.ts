/** XML signed, and encrypted, as a SAML identity provider does it. */
import { createPublicKey } from 'node:crypto'
import { promisify } from 'node:util'
import type { Certificate } from '../../certificates.ts'

const exclusiveC14n = 'http://www.w3.org/2001/10/xml-exc-c14n#'

export type Algorithms = { signature: string; digest: string }

export const sha256: Algorithms = {
  signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  digest: 'http://www.w3.org/2001/04/xmlenc#sha256',
}

/** The root, with an enveloped signature behind its Issuer. */
export async function signRoot(
  xml: string,
  { key, certificate }: Certificate,
  { signature: signatureAlgorithm, digest: digestAlgorithm }: Algorithms = sha256,
): Promise<string> {
  const { SignedXml } = await import('xml-crypto')
  const signed = new SignedXml({
    privateKey: key,
    publicCert: certificate,
    signatureAlgorithm,
    canonicalizationAlgorithm: exclusiveC14n,
  })
  const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
  signed.addReference({ xpath: '/*', digestAlgorithm, transforms: [enveloped, exclusiveC14n] })
  const location = { reference: "/*/*[local-name(.)='Issuer']", action: 'after' as const }
  signed.computeSignature(xml, { prefix: 'ds', location })
  return signed.getSignedXml()
}

/** For whoever has the certificate's key. */
export async function encryptFor(certificate: string, assertion: string): Promise<string> {
  const { encrypt } = await import('xml-encryption')
  const data = await promisify(encrypt)(assertion, {
    rsa_pub: createPublicKey(certificate).export({ type: 'spki', format: 'pem' }),
    pem: certificate,
    encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  })
  const assertionNs = 'urn:oasis:names:tc:SAML:2.0:assertion'
  return `<saml:EncryptedAssertion xmlns:saml="${assertionNs}">${data}</saml:EncryptedAssertion>`
}
