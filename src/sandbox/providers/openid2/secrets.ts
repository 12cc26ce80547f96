/** What a pretend OpenID 2.0 provider signs with: secrets it shares, and its own, each good for one answer (§8, §11.4.2). */
import { createDiffieHellman, createHmac, hash, randomBytes } from 'node:crypto'
import { btwoc, generator, modulus } from '#federation/connectors/openid2/diffie-hellman.ts'
import { writeKeyValue } from '#federation/connectors/openid2/key-value.ts'
import type { Now } from '#lib/time.ts'

export type Fields = Record<string, string>

export type Secrets = {
  /** The answer to `associate`; undefined for what it does not do. */
  associate(asked: URLSearchParams): Fields | undefined
  /** Signs all fields but those of the message itself, by the association of this handle if it knows it. */
  sign(fields: Fields, handle: string | null): Fields
  /** The answer to `check_authentication`. */
  check(asked: URLSearchParams): Fields
}

const lifetime = 4 * 60 * 60
const most = 1000
const unsigned = ['ns', 'mode', 'invalidate_handle']
const ns = 'http://specs.openid.net/auth/2.0'

export function openSecrets(now: Now): Secrets {
  const shared = openShelf(now)
  const own = openShelf(now)

  return {
    associate(asked) {
      const type = asked.get('openid.assoc_type')
      if (type !== 'HMAC-SHA256' || asked.get('openid.session_type') !== 'DH-SHA256')
        return undefined
      const { handle, mac } = shared.make()
      return {
        ns,
        assoc_handle: handle,
        assoc_type: 'HMAC-SHA256',
        session_type: 'DH-SHA256',
        expires_in: String(lifetime),
        ...hide(mac, asked.get('openid.dh_consumer_public') ?? ''),
      }
    },
    sign(fields, asked) {
      const known = asked === null ? undefined : shared.find(asked)
      const { handle, mac } = known ?? own.make()
      const all: Fields = {
        ...fields,
        assoc_handle: handle,
        ...(asked !== null && !known && { invalidate_handle: asked }),
      }
      const signed = Object.keys(all).filter((name) => !unsigned.includes(name))
      return { ...all, signed: signed.join(','), sig: signatureOf(all, signed, mac) }
    },
    check(asked) {
      const fields = Object.fromEntries([...asked].map(([name, value]) => [name.slice(7), value]))
      const found = own.find(fields.assoc_handle ?? '')
      if (found) own.drop(found.handle)
      const signed = (fields.signed ?? '').split(',')
      const right = found !== undefined && signatureOf(fields, signed, found.mac) === fields.sig
      const lost = fields.invalidate_handle
      const forgotten = lost !== undefined && !shared.find(lost)
      return { ns, is_valid: String(right), ...(forgotten && { invalidate_handle: lost }) }
    },
  }
}

function signatureOf(fields: Fields, signed: string[], mac: Buffer): string {
  const text = writeKeyValue(signed.map((name) => [name, fields[name] ?? ''] as const))
  return createHmac('sha256', mac).update(text).digest('base64')
}

/** The secret, readable only for who sent that key (§8.4.2). */
function hide(mac: Buffer, consumerPublic: string): Fields {
  const ours = createDiffieHellman(modulus, generator)
  ours.generateKeys()
  const secret = ours.computeSecret(Buffer.from(consumerPublic, 'base64'))
  const mask = hash('sha256', btwoc(secret), 'buffer')
  return {
    dh_server_public: btwoc(ours.getPublicKey()).toString('base64'),
    enc_mac_key: Buffer.from(mac.map((byte, at) => byte ^ (mask[at] ?? 0))).toString('base64'),
  }
}

type Secret = { handle: string; mac: Buffer }

/** Secrets by handle, the newest of them. */
function openShelf(now: Now) {
  const shelf = new Map<string, Secret & { expiresAt: number }>()
  return {
    make(): Secret {
      const [oldest] = shelf.keys()
      if (shelf.size >= most && oldest !== undefined) shelf.delete(oldest)
      const secret = { handle: randomBytes(15).toString('base64url'), mac: randomBytes(32) }
      shelf.set(secret.handle, { ...secret, expiresAt: now() + lifetime * 1000 })
      return secret
    },
    find(handle: string): Secret | undefined {
      const found = shelf.get(handle)
      return found && now() < found.expiresAt ? found : undefined
    },
    drop: (handle: string) => shelf.delete(handle),
  }
}
