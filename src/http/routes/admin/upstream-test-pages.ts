/** Test sign-ins at the console: where staff leave for an upstream, and what it said of them. */
import { findKnown } from '#accounts/rekey.ts'
import { getUpstream } from '#admin/operations/upstreams.ts'
import { reachesUpstream, reachOf } from '#admin/staff.ts'
import type { UpstreamDetail } from '#admin/upstreams/shapes.ts'
import type { TestResult } from '#admin/upstreams/tests.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import type { House } from '../../house.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { problemOf, valueIn } from './console-problems.ts'
import { testOf } from './upstream-pages.ts'
import { openTestTrips, testPath } from './upstream-tests.ts'

const list = '/admin/upstreams'
const path = `${list}/:id/test`
const rules = { permission: 'upstreams.write' } as const

export function upstreamTestRoutes({ show, act, page }: Console, house: House): void {
  const { config, store, messages } = house
  const testing = openTestTrips(house)

  /** The file of one she reaches. */
  async function fileFor(staff: Staff, id: string): Promise<[ConnectorConfig, UpstreamDetail]> {
    const found = valueIn(await staff.perform(getUpstream, { id }), list)
    const file = config.connectors.find((one) => one.id === found.id)
    if (!file) throw problemOf({ kind: 'unknown' }, list)
    return [file, found]
  }

  show(path, rules, async (ctx, staff) => {
    const [file, one] = await fileFor(staff, ctx.params.id ?? '')
    // Whoever asks for the head alone does not see it.
    const result =
      ctx.method === 'HEAD' ? undefined : await testing.take(ctx, file.id, staff.account.id)
    const { opening } = one
    const missing = one.facts.missing.join(', ')
    const key = `admin.upstreams.trial.away.${opening}`
    page(
      ctx,
      staff,
      'admin-upstream-test',
      {
        id: file.id,
        label: file.label[ctx.state.language],
        path: testPath(file.id),
        away:
          opening === 'open'
            ? undefined
            : { key, params: opening === 'not-connected' ? { missing } : {} },
        canTest: opening !== 'not-connected',
        result: result && testOf(result, file, await accountOf(staff, file, result), messages),
      },
      { formAction: house.upstreams.opened.get(file.id)?.origins ?? [] },
    )
  })

  /** Whether somebody here is known by it, as far as she may know. */
  async function accountOf(staff: Staff, file: ConnectorConfig, result: TestResult) {
    const may = reachesUpstream(reachOf(staff.by, 'people.read'), file.id)
    if (!may || result.kind !== 'well') return { account: 'hidden' as const }
    const { issuer, subject, former, openid2Ids } = result.said
    const who = { connector: file.id, issuer, subject, former, openid2Ids }
    const known = await findKnown(store, { ...who, profile: {}, affiliations: [], raw: {} })
    return known
      ? { account: 'yes' as const, accountPath: `/admin/people/${known.id}` }
      : { account: 'no' as const }
  }

  act(path, { ...rules, page: ({ id = '' }) => testPath(id) }, async (ctx, staff) => {
    const [file] = await fileFor(staff, ctx.params.id ?? '')
    await testing.begin(ctx, file, staff.account.id)
  })
}
