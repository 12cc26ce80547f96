/** What leaves the server of an upstream: the API's document is made of it. */
import { z } from 'zod'
import { upstreamEventKinds } from '#store/store.ts'
import { time } from '../times.ts'

const words = z.record(z.string(), z.string())
export const eventKinds = upstreamEventKinds
export const failureNames = ['unreachable', 'slow', 'nonsense', 'refused', 'forged'] as const

/** Whether people can go there now, else why not. */
export const openings = ['open', 'off', 'early', 'over', 'not-connected'] as const
export type Opening = (typeof openings)[number]

export const upstreamShape = z.object({
  id: z.string(),
  label: words,
  /** The protocol. */
  type: z.string(),
  opening: z.enum(openings),
  /** How it fares; absent where it was never asked. */
  state: z.enum(['ok', 'slow', 'down']).optional(),
  /** It answers us and fails those who come back. */
  relapsed: z.boolean(),
  since: time.optional(),
  checkedAt: time.optional(),
  failure: z.string().optional(),
  /** Milliseconds its last good answer took. */
  took: z.number().optional(),
  certificateExpiresAt: time.optional(),
  /** People who came back in vain in the last 24 hours; of very many the last 200 are known: `atLeast`. */
  failures: z.object({ count: z.number(), atLeast: z.boolean() }),
})

export const noticeShape = z.object({
  id: z.string(),
  text: words,
  from: time,
  until: time,
})

const dayShape = z.object({
  day: z.string(),
  /** Seconds. */
  known: z.number(),
  slow: z.number(),
  down: z.number(),
  off: z.number(),
})

export const upstreamDetail = upstreamShape.extend({
  switchedOff: z.object({ at: time, by: z.string(), reason: z.string() }).optional(),
  notices: z.array(noticeShape),
  /** Of the last 24 hours. */
  failuresBy: z.array(z.object({ failure: z.string(), count: z.number(), last: time })),
  availability: z.object({
    /** Share of the known time in which people could come, 0 to 1. */
    share: z.number().optional(),
    days: z.array(dayShape),
  }),
  certificates: z.array(
    z.object({
      /** Of its servers, in its file, our own. */
      of: z.enum(['server', 'file', 'own']),
      name: z.string(),
      expiresAt: time,
    }),
  ),
  facts: z.object({
    profile: z.string(),
    issuer: z.string(),
    servers: z.array(z.string()),
    former: z.array(z.string()),
    linking: z.string(),
    fingerprint: z.string().optional(),
    opens: z.string().optional(),
    closes: z.string().optional(),
    contact: z.string().optional(),
    quirks: z.array(z.string()),
    /** Environment variables that are not set, by name. */
    missing: z.array(z.string()),
  }),
  /** Ours, which the upstream has to know. */
  addresses: z.array(
    z.object({ what: z.enum(['callback', 'metadata', 'logout', 'realm']), url: z.string() }),
  ),
})

export const eventShape = z.object({
  id: z.string(),
  at: time,
  kind: z.enum(eventKinds),
  /** A state (`relapse`: it answers us and fails those who come back), `off` or `on`, or a failure. */
  what: z.string(),
  /** What a person reads out to you; finds the log line. */
  ref: z.string().optional(),
  /** What somebody who failed was sent for, and how far she came. */
  errand: z.string().optional(),
  stage: z.string().optional(),
  status: z.number().optional(),
  /** Who switched it, and why. */
  by: z.string().optional(),
  reason: z.string().optional(),
})

export const probeShape = z.object({
  answers: z.boolean(),
  took: z.number(),
  failure: z.string().optional(),
  /** English words for whoever mends it. */
  why: z.string().optional(),
})

export type UpstreamItem = z.input<typeof upstreamShape>
export type UpstreamDetail = z.input<typeof upstreamDetail>
export type UpstreamEvent = z.input<typeof eventShape>
export type Probed = z.input<typeof probeShape>
