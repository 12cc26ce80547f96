/** Signatures nobody should take. */
import { SignedXml } from 'xml-crypto'
import type { Algorithms } from '#sandbox/providers/saml/sealed-xml.ts'

export const sha1: Algorithms = {
  signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
  digest: 'http://www.w3.org/2000/09/xmldsig#sha1',
}

/** With what everybody knows as the secret. */
export function signWithHmac(xml: string, certificate: string): string {
  const signed = new SignedXml({
    privateKey: certificate,
    signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  })
  signed.enableHMAC()
  const transforms = [
    'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
    'http://www.w3.org/2001/10/xml-exc-c14n#',
  ]
  signed.addReference({
    xpath: '/*',
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    transforms,
  })
  const location = { reference: "/*/*[local-name(.)='Issuer']", action: 'after' as const }
  signed.computeSignature(xml, { prefix: 'ds', location })
  return signed.getSignedXml()
}
