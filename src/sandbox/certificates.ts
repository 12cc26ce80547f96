/** Self-signed certificates of the sandbox: what a pretend directory shows over TLS, what a pretend school signs with. */

export type Certificate = {
  /** PKCS#8 PEM. */
  key: string
  /** PEM. */
  certificate: string
}

export type CertificateWish = {
  commonName: string
  /** Names and addresses it is good for; none for one that only signs. */
  hosts?: string[]
  /** SAML wants RSA; `ec` is made faster. */
  keyType?: 'rsa' | 'ec'
  from: Date
  until: Date
}

export async function makeCertificate(wish: CertificateWish): Promise<Certificate> {
  // Read when first asked for: a cold start stays quick.
  const { generate } = await import('selfsigned')
  const { commonName, hosts = [], keyType = 'rsa', from, until } = wish
  const altNames = hosts.map((host) =>
    /^[\d.]+$|:/.test(host) ? { type: 7 as const, ip: host } : { type: 2 as const, value: host },
  )
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType,
    algorithm: 'sha256',
    notBeforeDate: from,
    notAfterDate: until,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      ...(altNames.length > 0 ? [{ name: 'subjectAltName' as const, altNames }] : []),
    ],
  })
  return { key: made.private, certificate: made.cert }
}
