/** What is said of one person, as it leaves the server. */

import { z } from 'zod'
import { accountStatuses } from '#store/store.ts'
import { time } from '../times.ts'

export { accountStatuses }

export const person = z.object({
  sub: z.string(),
  kind: z.string(),
  status: z.enum(accountStatuses),
  name: z.string(),
  createdAt: time,
  updatedAt: time,
  closedAt: time.optional(),
  /** What is typed to confirm a dangerous act. */
  phrase: z.string(),
  /** The profile’s: sent with a change, it makes a change somebody else made since a conflict. */
  version: z.string(),
  /** She has a role of her own; which, for those who may read it. */
  staff: z.boolean(),
  roles: z.array(z.object({ role: z.string(), reach: z.string(), grantedAt: time })).optional(),
  profile: z.array(
    z.object({
      claim: z.string(),
      value: z.string(),
      masked: z.boolean(),
      /** An upstream's id, `self`, `staff`, or `elsewhere` for an upstream out of reach. */
      by: z.string(),
      at: time,
      verified: z.boolean().optional(),
    }),
  ),
  identifiers: z.array(
    z.object({ type: z.string(), value: z.string(), verifiedAt: time.optional() }),
  ),
  password: z.object({ changedAt: time }).optional(),
  recovery: z.object({ address: z.string(), since: time, confirmedAt: time.optional() }).optional(),
  guardian: z.object({ name: z.string(), address: z.string(), agreedAt: time }).optional(),
  /** Sealed: shown one by one, for a reason. */
  numbers: z.array(z.object({ type: z.string(), since: time })),
  identities: z.array(
    z.object({
      id: z.string(),
      county: z.string(),
      subject: z.string(),
      linkedAt: time,
      readAt: time,
      unread: z.array(z.string()),
      fingerprint: z.boolean(),
    }),
  ),
  /** Links that lead to upstreams out of reach. */
  elsewhere: z.number(),
  affiliations: z.array(
    z.object({
      school: z.string(),
      schoolName: z.string().optional(),
      role: z.string(),
      titles: z.array(z.string()),
      county: z.string(),
      readAt: time,
      /** Last school year's. */
      stale: z.boolean(),
    }),
  ),
  secondFactors: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      label: z.string(),
      createdAt: time,
      usedAt: time.optional(),
    }),
  ),
  sessions: z.array(
    z.object({
      id: z.string(),
      signedInAt: time,
      lastSeenAt: time.optional(),
      acr: z.string().optional(),
      agent: z.string().optional(),
      /** From where, without who: a network, not an address. */
      network: z.string().optional(),
      apps: z.array(z.string()),
    }),
  ),
  apps: z.array(
    z.object({
      client: z.string(),
      scopes: z.array(z.string()),
      consentedAt: time.optional(),
      active: z.boolean(),
    }),
  ),
  agreements: z.array(
    z.object({ terms: z.string(), version: z.string(), language: z.string(), agreedAt: time }),
  ),
  applications: z.array(
    z.object({
      id: z.string(),
      enrolment: z.string(),
      state: z.string(),
      createdAt: time,
      updatedAt: time,
    }),
  ),
  merges: z.array(
    z.object({
      id: z.string(),
      role: z.enum(['kept', 'merged']),
      /** The other account, for who reaches everybody. */
      other: z.string().optional(),
      mergedAt: time,
      undoneAt: time.optional(),
    }),
  ),
})

export const signIn = z.object({
  at: time,
  way: z.enum(['password', 'upstream']),
  /** Where it is within reach. */
  county: z.string().optional(),
  app: z.string(),
  network: z.string(),
  /** `ok`, or what kept her out. */
  outcome: z.string(),
})
