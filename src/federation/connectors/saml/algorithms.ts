/** What may have signed and encrypted: no SHA-1, no HMAC, no PKCS #1 v1.5 encryption, no transform that chooses what is signed. */

const more = 'http://www.w3.org/2001/04/xmldsig-more#'
const encryption = 'http://www.w3.org/2001/04/xmlenc#'
const encryption11 = 'http://www.w3.org/2009/xmlenc11#'
export const exclusiveC14n = 'http://www.w3.org/2001/10/xml-exc-c14n#'
export const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
export const rsaSha256 = `${more}rsa-sha256`

/** By URI, Node's name of its hash. */
export const signatures: ReadonlyMap<string, string> = new Map([
  [rsaSha256, 'sha256'],
  [`${more}rsa-sha384`, 'sha384'],
  [`${more}rsa-sha512`, 'sha512'],
])

export const digests = [`${encryption}sha256`, `${encryption}sha512`]
export const transforms = [enveloped, exclusiveC14n]

/** CBC is what SimpleSAMLphp and Shibboleth long used: what is opened was signed as a whole, so no oracle is to be had. */
export const contentEncryption = [
  `${encryption11}aes256-gcm`,
  `${encryption11}aes128-gcm`,
  `${encryption}aes256-cbc`,
  `${encryption}aes128-cbc`,
]
export const keyEncryption = `${encryption}rsa-oaep-mgf1p`
