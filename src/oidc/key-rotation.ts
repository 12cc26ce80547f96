/** Changes to the key ring: successors, removals, emergencies, another key-encryption key. */
import { type Now, seconds } from '#lib/time.ts'
import type { Circumstances, Store, Tables } from '#store/store.ts'
import type { KeyEncryption } from './key-encryption.ts'
import {
  isDue,
  type KeyLine,
  type KeyRules,
  keyLines,
  lineOf,
  nextName,
  scheduleOf,
} from './key-schedule.ts'
import { makeSecret } from './make-key.ts'
import { openRing, openRow, type RingKey } from './ring.ts'

export type RotationPorts = {
  store: Pick<Store, 'keyRing' | 'transaction'>
  kek: KeyEncryption
  now: Now
  rules: KeyRules
  /** Who the audit trail says did it, and from where. */
  actor: string
  where?: Circumstances
}

/**
 * Publishes each successor whose time has come and removes keys that verify nothing any more. Any number of
 * processes may run it at once, as often as they like: each key is made once. The names of what changed.
 */
export async function rotateDueKeys(
  store: RotationPorts['store'],
  kek: KeyEncryption,
  now: Now,
  rules: KeyRules,
): Promise<{ made: string[]; removed: string[] }> {
  const ring = openRing(await store.keyRing.list(), kek)
  const ports = { store, kek, now, rules, actor: 'system' }
  const made: string[] = []
  for (const line of keyLines.filter((one) => isDue(ring, one, seconds(now), rules))) {
    const { key, isNew } = await addSuccessor(ports, line)
    if (isNew) made.push(key.name)
  }
  const removed: string[] = []
  for (const key of scheduleOf(ring, seconds(now), rules)) {
    if (key.state !== 'retired' || key.leavesAt === undefined || key.leavesAt > seconds(now))
      continue
    if (await removeKey(ports, key)) removed.push(key.name)
  }
  return { made, removed }
}

const removeKey = ({ store, now, ...by }: RotationPorts, key: RingKey): Promise<boolean> =>
  store.transaction(async (tables) => {
    const removed = await tables.keyRing.remove(key.name)
    if (removed) await tables.audit.record(keyEvent('key.remove', key, by, seconds(now)))
    return removed
  })

/** Publishes the line's successor, to sign after the time the rules say. One that waits already is the answer. */
export async function addSuccessor(
  { store, kek, now, rules, ...by }: RotationPorts,
  line: KeyLine,
): Promise<{ key: RingKey; isNew: boolean }> {
  // Before the transaction: an RSA key takes a second, and nobody could write meanwhile.
  const secret = await makeSecret(line.alg)
  return store.transaction(async ({ keyRing, audit }) => {
    const ring = await hold(keyRing, kek)
    const at = seconds(now)
    const waiting = lineOf(ring, line, at, rules).find(({ state }) => state === 'next')
    if (waiting) return { key: waiting, isNew: false }
    const fresh = { line, secret, createdAt: at, signsAt: at + rules.publishAhead }
    const key = await add(keyRing, kek, ring, fresh)
    await audit.record(keyEvent('key.publish', key, by, at))
    return { key, isNew: true }
  })
}

/**
 * After a theft: a new key signs at once, unannounced. Successors that waited were stolen with the rest and have
 * signed nothing, so they go. The key that signed until now still verifies until it is revoked.
 */
export async function replaceNow(
  { store, kek, now, rules, ...by }: RotationPorts,
  line: KeyLine,
): Promise<RingKey> {
  const secret = await makeSecret(line.alg)
  return store.transaction(async ({ keyRing, audit }) => {
    const ring = await hold(keyRing, kek)
    const at = seconds(now)
    for (const key of lineOf(ring, line, at, rules)) {
      if (key.state !== 'next') continue
      await keyRing.remove(key.name)
      await audit.record(keyEvent('key.remove', key, by, at))
    }
    const key = await add(keyRing, kek, ring, { line, secret, createdAt: at, signsAt: at })
    await audit.record(keyEvent('key.replace', key, by, at))
    return key
  })
}

/** Takes a key out of the ring at once. The one that signs stays: without it nobody could sign in. */
export async function revokeKey(
  { store, kek, now, rules, ...by }: RotationPorts,
  kid: string,
): Promise<'revoked' | 'unknown' | 'signing' | 'permanent'> {
  return store.transaction(async ({ keyRing, audit }) => {
    const ring = await hold(keyRing, kek)
    const found = scheduleOf(ring, seconds(now), rules).find((key) => key.kid === kid)
    if (!found) return 'unknown'
    if (found.state === 'signing' || found.state === 'permanent') return found.state
    await keyRing.remove(found.name)
    await audit.record(keyEvent('key.revoke', found, by, seconds(now)))
    return 'revoked'
  })
}

/** Seals every row under another key-encryption key, or none. How many there are. */
export async function changeKeyEncryption(
  { store, kek, now, ...by }: Omit<RotationPorts, 'rules'>,
  next: KeyEncryption,
): Promise<number> {
  return store.transaction(async ({ keyRing, audit }) => {
    const ring = await hold(keyRing, kek)
    for (const { name, secret } of ring) await keyRing.reseal(name, next.seal(name, secret))
    const at = seconds(now)
    await audit.record({
      at,
      actor: by.actor,
      action: 'key.change-kek',
      target: 'key-ring',
      outcome: 'done',
      ...by.where,
    })
    return ring.length
  })
}

type KeyRing = Tables['keyRing']

/** The ring, which nobody else changes until the transaction ends. */
async function hold(keyRing: KeyRing, kek: KeyEncryption): Promise<RingKey[]> {
  await keyRing.hold()
  return openRing(await keyRing.list(), kek)
}

const keyEvent = (
  action: string,
  key: RingKey,
  { actor, where }: Pick<RotationPorts, 'actor' | 'where'>,
  at: number,
) => ({
  at,
  actor,
  ...where,
  action,
  target: `key:${key.kid}`,
  outcome: 'done',
  details: { purpose: key.purpose, alg: key.alg, signs_at: key.signsAt },
})

type NewKey = { line: KeyLine; secret: string; createdAt: number; signsAt: number }

async function add(
  keyRing: KeyRing,
  kek: KeyEncryption,
  ring: RingKey[],
  { line, secret, createdAt, signsAt }: NewKey,
): Promise<RingKey> {
  const name = nextName(ring, line)
  // Under what seals the others: while hosts move to another key-encryption key one after another, all can open it.
  const sealed = kek.seal(name, secret, ring[0]?.kekId)
  const row = { name, purpose: line.purpose, createdAt, signsAt, ...sealed }
  await keyRing.add(row)
  return openRow(row, kek)
}
