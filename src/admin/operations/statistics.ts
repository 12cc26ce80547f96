/** What staff can learn of how many sign in. */

import { z } from 'zod'
import { isoOr } from '#lib/time.ts'
import { done, type Operation, operation } from '../operation.ts'
import { type Span, signInStatistics, spans } from '../statistics.ts'
import { time } from '../times.ts'

const tally = { ok: z.int(), failed: z.int() }

const statistics = z.object({
  /** Days in Taiwan, both in it. */
  from: z.string(),
  until: z.string(),
  /** Until when sign-ins are counted; absent while nobody counts, or counting fails. */
  countedAt: time.optional(),
  all: z.object(tally),
  days: z.array(z.object({ day: z.string(), ...tally })),
  ways: z.array(z.object({ way: z.string(), connector: z.string(), ...tally })),
  apps: z.array(z.object({ clientId: z.string(), name: z.string().optional(), ...tally })),
  failures: z.array(z.object({ outcome: z.string(), count: z.int() })),
})
export type StatisticsShape = z.infer<typeof statistics>

const word = z.string().trim().max(255)

/** Apps that are named; what is seldom used is added to the days all the same. */
const mostApps = 200

export const readStatistics = operation({
  id: 'statistics.signIns',
  summary: 'Counts sign-ins a day, by way, county and app.',
  permission: 'statistics.read',
  method: 'GET',
  path: '/statistics/sign-ins',
  input: z.strictObject({
    /** How many, today the last. */
    days: z.coerce.number().pipe(z.literal(spans)).default(30),
    way: word.optional(),
    connector: word.optional(),
    clientId: word.optional(),
  }),
  output: statistics,
  async run({ store }, by, { days, ...only }) {
    const asked = Object.fromEntries(Object.entries(only).filter(([, value]) => value))
    const wanted = { days: days as Span, ...asked }
    const [found, ran] = await Promise.all([
      signInStatistics(store, by.reach, wanted, by.at),
      store.jobPositions.find('ran:count-sign-ins'),
    ])
    // A time at which it failed is none until when they are counted.
    const countedAt = ran?.position.outcome === 'ok' ? ran.at : undefined
    const apps = found.apps.slice(0, mostApps)
    const clients = apps.flatMap(({ clientId }) => (clientId ? [clientId] : []))
    const names = await store.auditSearch.names({ accounts: [], clients })
    return done({
      ...found,
      apps: apps.map((app) => {
        const name = names.get(app.clientId)
        return name === undefined ? app : { ...app, name }
      }),
      countedAt: isoOr(countedAt),
    })
  },
})

export const statisticsOperations: readonly Operation[] = [readStatistics]
