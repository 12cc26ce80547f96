/** A secret shared with the provider, by which its answers are verified here (OpenID Authentication 2.0 §8). */
import { day } from '#lib/time.ts'
import { Fault } from '../../calls/fault.ts'
import { beginKeyExchange } from './diffie-hellman.ts'
import { readKeyValue } from './key-value.ts'
import { openid2 } from './namespaces.ts'
import { isAway, type Reach } from './reach.ts'

export type Association = {
  handle: string
  /** Base64, of 32 bytes. */
  macKey: string
  /** Seconds since 1970. */
  expiresAt: number
}

export type Associations = {
  /** Undefined where the provider makes none: then each answer is verified by asking it (§11.4.2). */
  get(endpoint: string): Promise<Association | undefined>
  /** Makes a new one. Throws when the provider is away. */
  renew(endpoint: string): Promise<Association | undefined>
  /** The provider knows it no more (§11.4.2.2). */
  forget(handle: string): void
}

/** A person takes a while at the provider: it must still be good when she comes back. */
const tripSeconds = 30 * 60
/** One that made none is not asked at every sign-in. */
const withoutSeconds = 10 * 60

type Kept = { endpoint: string; association: Association | undefined; until: number }

/** One per process: it is made anew in a moment, and each trip takes along the one it needs. */
export function openAssociations(reach: Reach, ports: { now: () => number }): Associations {
  const seconds = () => Math.floor(ports.now() / 1000)
  let kept: Kept | undefined
  let asking: { endpoint: string; answer: Promise<Association | undefined> } | undefined

  async function ask(endpoint: string): Promise<Association | undefined> {
    const association = await associate(endpoint, reach, seconds()).catch((failure: unknown) => {
      if (isAway(failure)) throw failure
      return undefined
    })
    const lasts = association ? association.expiresAt - seconds() : withoutSeconds
    const until = seconds() + (association ? lasts - Math.min(tripSeconds, lasts / 2) : lasts)
    kept = { endpoint, association, until }
    return association
  }

  function renew(endpoint: string): Promise<Association | undefined> {
    if (asking?.endpoint !== endpoint) {
      const answer = ask(endpoint).finally(() => {
        asking = undefined
      })
      asking = { endpoint, answer }
    }
    return asking.answer
  }

  return {
    renew,
    get: async (endpoint) =>
      kept?.endpoint === endpoint && seconds() < kept.until ? kept.association : renew(endpoint),
    forget(handle) {
      if (kept?.association?.handle === handle) kept = undefined
    },
  }
}

type SessionType = 'DH-SHA256' | 'no-encryption'

async function associate(endpoint: string, reach: Reach, now: number): Promise<Association> {
  const first = await request(endpoint, 'DH-SHA256', reach, now)
  if (first !== 'unsupported') return first
  // In the clear only where the line itself is secret (§8.2.1).
  const tls = endpoint.startsWith('https:')
  const second = tls ? await request(endpoint, 'no-encryption', reach, now) : first
  if (second === 'unsupported') throw new Fault('nonsense', 'offers no association we take')
  return second
}

async function request(
  endpoint: string,
  sessionType: SessionType,
  reach: Reach,
  now: number,
): Promise<Association | 'unsupported'> {
  const exchange = sessionType === 'DH-SHA256' ? beginKeyExchange() : undefined
  const { status, text } = await reach.post(
    endpoint,
    new URLSearchParams({
      'openid.ns': openid2,
      'openid.mode': 'associate',
      'openid.assoc_type': 'HMAC-SHA256',
      'openid.session_type': sessionType,
      ...(exchange && { 'openid.dh_consumer_public': exchange.consumerPublic }),
    }),
  )
  const said = readKeyValue(text)
  if (said.get('error_code') === 'unsupported-type') return 'unsupported'
  if (status !== 200) throw new Fault('nonsense', `answered HTTP ${status}`)
  // What it made in place of what we asked for (HMAC-SHA1) is not taken.
  if (said.get('assoc_type') !== 'HMAC-SHA256' || said.get('session_type') !== sessionType) {
    throw new Fault('nonsense', 'made another kind of association')
  }
  const macKey = exchange
    ? exchange.open(said.get('dh_server_public') ?? '', said.get('enc_mac_key') ?? '')
    : Buffer.from(said.get('mac_key') ?? '', 'base64')
  if (macKey.length !== 32) throw new Fault('nonsense', 'mac_key has not 32 bytes')
  return {
    handle: readHandle(said.get('assoc_handle')),
    macKey: macKey.toString('base64'),
    expiresAt: now + readLifetime(said.get('expires_in')),
  }
}

/** At most 255 printable characters (§8.2.1). */
function readHandle(handle = ''): string {
  if (!/^[\x21-\x7e]{1,255}$/.test(handle)) throw new Fault('nonsense', 'assoc_handle is none')
  return handle
}

function readLifetime(text = ''): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Fault('nonsense', 'expires_in is no time')
  return Math.min(Number(text), day)
}
