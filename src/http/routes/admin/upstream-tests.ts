/** Test sign-ins: staff go to an upstream and back, and see what it says of them. Nobody is signed in by it. */
import { brought, failed, keepTest, type TestResult, takeTest } from '#admin/upstreams/tests.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import { leaveOn, type Return, type TestErrand } from '#interaction/trips.ts'
import { seconds } from '#lib/time.ts'
import { circumstancesOf } from '../../circumstances.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { spendDeparture } from '../../middleware/limits.ts'
import { Problem } from '../../problem.ts'
import { afterLostErrand } from '../next-steps.ts'

export const testPath = (connector: string): string => `/admin/upstreams/${connector}/test`

/** Leaving for the upstream, coming back, and what was brought. */
export function openTestTrips(house: House) {
  const { trips, limits, answer, config, keys, store, now } = house
  const ports = { store, now, dataKey: keys.data }
  const placeOf = (ctx: Context, connector: string, staff: string) => ({
    connector,
    staff,
    device: ctx.state.device ?? '',
  })

  async function show(ctx: Context, errand: TestErrand, result: TestResult) {
    const place = placeOf(ctx, errand.connector, errand.staff)
    await keepTest(ports, place, result, circumstancesOf(ctx))
    const line = { connector: errand.connector, outcome: result.kind }
    ctx.state.log.info(line, 'test sign-in')
    answer.redirect(ctx, testPath(errand.connector))
  }

  const timesOf = ({ leftAt }: TestErrand) => ({
    at: seconds(now),
    away: Math.max(0, now() - leftAt),
  })

  /** Off to the upstream, whether or not people may go there. */
  async function begin(ctx: Context, file: ConnectorConfig, staff: string): Promise<void> {
    const { id: connector } = file
    const wait = spendDeparture(limits, ctx)
    if (wait > 0) {
      const { next } = afterLostErrand('test', testPath(connector), 'limited.source').options
      const params = { seconds: String(wait) }
      throw new Problem(429, 'limited.source', { params, retryAfterSeconds: wait, next })
    }
    const errand: TestErrand = { kind: 'test', connector, staff, leftAt: now() }
    const device = ctx.state.device ?? ''
    // She tests with an account of the upstream's own, not with whichever is signed in there.
    const where = { connector, device, locales: [ctx.state.language], fresh: true }
    const leaving = await leaveOn(trips, errand, where)
    if (leaving.kind === 'leave') return answer.redirect(ctx, leaving.url)
    const cause = leaving.kind === 'failed' ? leaving.cause : undefined
    await show(ctx, errand, failed(file, cause, timesOf(errand)))
  }

  /** Back: what she brought is for the account she left from, while that is the one signed in here. */
  async function arrive(ctx: Context, errand: TestErrand, back: Return): Promise<void> {
    const path = testPath(errand.connector)
    if (back.kind === 'lost') throw afterLostErrand('test', path, `trip.${back.why}`)
    const session = await house.provider.Session.get(ctx as never)
    if (session.accountId !== errand.staff) throw afterLostErrand('test', path, 'admin.test-over')
    const file = config.connectors.find(({ id }) => id === errand.connector)
    if (!file) throw new Problem(404, 'not-found')
    const times = timesOf(errand)
    if (back.kind === 'tested')
      return show(ctx, errand, brought(file, back.identity, { ...times, took: back.took }))
    const cause = back.kind === 'failed' ? back.cause : undefined
    if (cause) ctx.state.log.warn({ connector: file.id, err: cause }, 'test sign-in')
    await show(ctx, errand, failed(file, cause, times))
  }

  /** What waits for her, once. */
  const take = (ctx: Context, connector: string, staff: string) =>
    takeTest(ports, placeOf(ctx, connector, staff))

  return { begin, arrive, take }
}
