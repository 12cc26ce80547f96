/** What staff can do about the key ring. No operation gives or takes key material. */

import { z } from 'zod'
import { isoTime } from '#lib/time.ts'
import { signingAlgs } from '#oidc/key-schedule.ts'
import { type DescribedKey, listKeys, revokeKey, rotateKeys } from '../keys.ts'
import { type Acting, done, nothing, type Operation, operation, unknown } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { time } from '../times.ts'

const keyShape = z.object({
  kid: z.string(),
  purpose: z.string(),
  alg: z.string().optional(),
  state: z.enum(['next', 'signing', 'retired', 'permanent']),
  publishedAt: time,
  signsAt: time.optional(),
  /** When its successor takes over, and when it is no longer accepted. */
  retiresAt: time.optional(),
  leavesAt: time.optional(),
  /** Of the successor it will have. */
  successorPublishedAt: time.optional(),
  successorSignsAt: time.optional(),
})
export type KeyShape = z.infer<typeof keyShape>

export const listKeyRing = operation({
  id: 'keys.list',
  summary: 'Lists every key: what it does, until when, and what comes after it.',
  permission: 'keys.read',
  method: 'GET',
  path: '/keys',
  input: z.strictObject({}),
  output: z.object({ items: z.array(keyShape) }),
  async run(ports, by) {
    return done({ items: (await listKeys(ringPorts(ports, by))).map(shapeOf) })
  },
})

export const rotateKeyRing = operation({
  id: 'keys.rotate',
  summary: 'Publishes successors before their time; after a theft they sign at once.',
  permission: 'keys.write',
  dangerous: true,
  method: 'POST',
  path: '/keys/rotations',
  input: z.strictObject({
    purpose: z.enum(['signing', 'cookie']),
    alg: z.enum(signingAlgs).optional(),
    atOnce: z.boolean().default(false),
  }),
  output: z.object({
    items: z.array(
      z.object({
        kid: z.string(),
        alg: z.string().optional(),
        signsAt: time,
        /** False where a successor waited already. */
        isNew: z.boolean(),
      }),
    ),
  }),
  async run(ports, by, { purpose, alg, atOnce }) {
    const wanted = { purpose, atOnce, ...(alg ? { alg } : {}) }
    const rotated = await rotateKeys(ringPorts(ports, by), wanted)
    await ports.background.lookAtKeys()
    return done({ items: rotated.map((one) => ({ ...one, signsAt: isoTime(one.signsAt) })) })
  },
})

export const revokeFromKeyRing = operation({
  id: 'keys.revoke',
  summary: 'Takes a key out of the published ones at once: nothing it signed verifies any more.',
  permission: 'keys.write',
  dangerous: true,
  method: 'DELETE',
  path: '/keys/{kid}',
  input: z.strictObject({ kid: z.string().max(64) }),
  output: nothing,
  async run(ports, by, { kid }) {
    const outcome = await revokeKey(ringPorts(ports, by), kid)
    if (outcome === 'unknown') return unknown
    if (outcome !== 'revoked') return { kind: 'refused', why: `key-${outcome}` }
    await ports.background.lookAtKeys()
    return done({})
  },
})

export const keysOperations: readonly Operation[] = [listKeyRing, rotateKeyRing, revokeFromKeyRing]

const ringPorts = (
  { store, keyEncryption, now, config }: AdminPorts,
  { actor, where }: Pick<Acting, 'actor' | 'where'>,
) => ({ store, keyEncryption, now, site: config.site, actor, where })

const shapeOf = (key: DescribedKey): KeyShape => {
  const times = {
    signsAt: key.state === 'permanent' ? undefined : key.signs_at,
    retiresAt: key.retires_at,
    leavesAt: key.leaves_at,
    successorPublishedAt: key.due?.publishes_at,
    successorSignsAt: key.due?.signs_at,
  }
  return {
    kid: key.kid,
    purpose: key.purpose,
    ...(key.alg ? { alg: key.alg } : {}),
    state: key.state,
    publishedAt: isoTime(key.published_at),
    ...Object.fromEntries(
      Object.entries(times).flatMap(([name, at]) =>
        at === undefined ? [] : [[name, isoTime(at)]],
      ),
    ),
  }
}
