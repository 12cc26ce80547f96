/** What staff do with the key ring. Secrets never leave it. */
import type { SiteFile } from '#config/schema.ts'
import { type Now, seconds } from '#lib/time.ts'
import { type KeyEncryption, openKeyEncryption } from '#oidc/key-encryption.ts'
import {
  addSuccessor,
  changeKeyEncryption as changeTo,
  type RotationPorts,
  replaceNow,
  revokeKey as revoke,
} from '#oidc/key-rotation.ts'
import {
  type KeyLine,
  type KeyRules,
  type KeyState,
  keyLines,
  keyRules,
  type Scheduled,
  type SigningAlg,
  scheduleOf,
} from '#oidc/key-schedule.ts'
import { openRing } from '#oidc/ring.ts'
import type { Circumstances, Store } from '#store/store.ts'

type Ports = {
  store: Store
  keyEncryption: KeyEncryption
  now: Now
  site: SiteFile
  /** Who the audit trail says did it, and from where. */
  actor: string
  where?: Circumstances
}

/** A key as staff see it. Times are seconds since 1970. */
export type DescribedKey = {
  kid: string
  alg?: string
  purpose: string
  state: KeyState
  published_at: number
  signs_at?: number
  retires_at?: number
  leaves_at?: number
  /** When its successor will be published, and when it will sign: of a key that signs and has none yet. */
  due?: { publishes_at: number; signs_at: number }
}

/** Every key of the ring. */
export async function listKeys({
  store,
  keyEncryption,
  now,
  site,
}: Ports): Promise<DescribedKey[]> {
  const ring = openRing(await store.keyRing.list(), keyEncryption)
  const rules = keyRules(site)
  return scheduleOf(ring, seconds(now), rules).map((key) => ({
    kid: key.kid,
    alg: key.alg,
    purpose: key.purpose,
    state: key.state,
    published_at: key.createdAt,
    signs_at: key.signsAt,
    retires_at: key.retiresAt,
    leaves_at: key.leavesAt,
    ...dueOf(key, rules),
  }))
}

function dueOf({ state, purpose, retiresAt, signsAt = 0 }: Scheduled, rules: KeyRules) {
  if (state !== 'signing' || retiresAt !== undefined) return {}
  const used = rules.used[purpose as KeyLine['purpose']]
  const signs = signsAt + used
  return { due: { publishes_at: signs - rules.publishAhead, signs_at: signs } }
}

export type Rotated = {
  kid: string
  alg?: string
  signsAt: number
  /** False when a successor waited already. */
  isNew: boolean
}

export type Rotation = {
  purpose: KeyLine['purpose']
  alg?: SigningAlg
  /** Signs without having been published before: after a theft. */
  atOnce: boolean
}

/** Publishes a successor for each line of keys that is meant. */
export async function rotateKeys(
  ports: Ports,
  { purpose, alg, atOnce }: Rotation,
): Promise<Rotated[]> {
  const rotated: Rotated[] = []
  for (const line of keyLines) {
    if (line.purpose !== purpose || (alg && line.alg !== alg)) continue
    const { key, isNew } = atOnce
      ? { key: await replaceNow(rotationPorts(ports), line), isNew: true }
      : await addSuccessor(rotationPorts(ports), line)
    rotated.push({ kid: key.kid, alg: key.alg, signsAt: key.signsAt ?? key.createdAt, isNew })
  }
  return rotated
}

/** Takes a key out of the JWKS at once; says `unknown`, `signing` or `permanent` where that cannot be. */
export const revokeKey = (ports: Ports, kid: string) => revoke(rotationPorts(ports), kid)

/** Seals the whole ring under another key-encryption key, or nothing of it. How many keys there are. */
export const changeKeyEncryption = (ports: Ports, next: Buffer) =>
  changeTo(rotationPorts(ports), openKeyEncryption(next))

const rotationPorts = ({ store, keyEncryption, now, site, ...by }: Ports): RotationPorts => ({
  store,
  kek: keyEncryption,
  now,
  rules: keyRules(site),
  actor: by.actor,
  ...(by.where ? { where: by.where } : {}),
})
