/** The key we sign and decrypt with, and its certificate. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { Credentials } from '#config/connector.ts'
import { Fault } from '../../calls/fault.ts'

export type OwnKey = {
  key: KeyObject
  /** PKCS#8 PEM. */
  pem: string
  certificate: X509Certificate
}

/** Read at the first need. Line ends may be written `\n`, as environment files want them. */
export function openOwnKey(credentials: Credentials): () => OwnKey {
  let read: OwnKey | undefined
  return () => {
    read ??= readOwnKey(credentials)
    return read
  }
}

function readOwnKey({ privateKey = '', certificate: written = '' }: Credentials): OwnKey {
  const lines = (text: string) => text.replaceAll('\\n', '\n')
  let key: KeyObject
  let certificate: X509Certificate
  try {
    key = createPrivateKey(lines(privateKey))
    certificate = new X509Certificate(lines(written))
  } catch {
    // Without the cause: a parser's message may quote the key.
    throw new Fault('nonsense', 'our private key or its certificate cannot be read')
  }
  if (key.asymmetricKeyType !== 'rsa') throw new Fault('nonsense', 'our private key is not RSA')
  if (!certificate.checkPrivateKey(key))
    throw new Fault('nonsense', 'our certificate is not one of our private key')
  return { key, pem: String(key.export({ type: 'pkcs8', format: 'pem' })), certificate }
}

/** As it stands in metadata: base64 of DER. */
export const base64Of = (certificate: X509Certificate): string => certificate.raw.toString('base64')
