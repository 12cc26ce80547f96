/** How a MAC key comes over an open line (OpenID Authentication 2.0 §8.4.2, with the modulus of Appendix B). */
import { createDiffieHellman, hash } from 'node:crypto'
import { Fault } from '../../calls/fault.ts'

export const modulus = Buffer.from(
  'dcf93a0b883972ec0e19989ac5a2ce310e1d37717e8d9571bb7623731866e61e' +
    'f75a2e27898b057f9891c2e27a639c3f29b60814581cd3b2ca3986d268370557' +
    '7d45c2e7e52dc81c7a171876e5cea74b1448bfdfaf18828efd2519f14e45e382' +
    '6634af1949e5b535cc829a483b8a76223e5d490a257f05bdff16f2fb22c583ab',
  'hex',
)
export const generator = 2

export type KeyExchange = {
  /** `openid.dh_consumer_public`. */
  consumerPublic: string
  /** The MAC key out of the provider's answer, `dh_server_public` and `enc_mac_key`. */
  open(serverPublic: string, encryptedMacKey: string): Buffer
}

export function beginKeyExchange(): KeyExchange {
  const ours = createDiffieHellman(modulus, generator)
  ours.generateKeys()
  return {
    consumerPublic: btwoc(ours.getPublicKey()).toString('base64'),
    open(serverPublic, encryptedMacKey) {
      const secret = hash('sha256', btwoc(share(Buffer.from(serverPublic, 'base64'))), 'buffer')
      const encrypted = Buffer.from(encryptedMacKey, 'base64')
      if (encrypted.length !== secret.length) throw new Fault('nonsense', 'enc_mac_key is short')
      return encrypted.map((byte, at) => byte ^ (secret[at] ?? 0)) as Buffer
    },
  }

  function share(theirs: Buffer): Buffer {
    try {
      // Refuses 0, 1, p−1 and what is no smaller than p: with those anybody knows the secret.
      return ours.computeSecret(theirs)
    } catch {
      throw new Fault('forged', 'dh_server_public is no public key')
    }
  }
}

/** A positive number as big-endian two's complement, the shortest (§4.2). */
export function btwoc(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0)
  const shortest = first < 0 ? Buffer.alloc(1) : number.subarray(first)
  return (shortest[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), shortest]) : shortest
}
