/** Statistics at the console: how many sign in, by way, county and app. */
import { byteOrderMark, openCsv } from '#admin/csv.ts'
import { readStatistics, type StatisticsShape } from '#admin/operations/statistics.ts'
import { type Span, spans } from '#admin/statistics.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { readQuery } from '../../input.ts'
import { connectorLabel } from '../account/labels.ts'
import { shownOf, withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'
import { columnsOf, shareOf } from './plots.ts'

const path = '/admin/statistics'
const read = { permission: 'statistics.read' } as const

export function statisticsRoutes({ show, page }: Console, house: House): void {
  async function find(ctx: Context, staff: Staff) {
    const { days = '', way, connector, clientId } = readQuery(ctx)
    const span: Span = spans.find((one) => String(one) === days) ?? 30
    const only = { way, connector, clientId }
    const given = Object.fromEntries(Object.entries(only).filter(([, value]) => value))
    const statistics = valueIn(await staff.perform(readStatistics, { days: span, ...given }), path)
    return { span, asked: { days: String(span), ...only }, statistics }
  }

  show(path, read, async (ctx, staff) => {
    const { span, asked, statistics } = await find(ctx, staff)
    const { all, ways, apps } = statistics
    const { language } = ctx.state
    const total = all.ok + all.failed
    const busiest = Math.max(0, ...apps.map(({ ok, failed }) => ok + failed))
    const named = apps.find(({ clientId }) => clientId === asked.clientId)?.name
    page(ctx, staff, 'admin-statistics', {
      asked,
      spans: spans.map((days) => ({
        days,
        href: withQuery(path, { ...asked, days: String(days) }),
        current: days === span,
      })),
      statistics,
      plot: columnsOf(statistics.days),
      ways: ways.map(({ way, connector, ok, failed }) => ({
        way,
        ok,
        failed,
        ...(connector ? { label: connectorLabel(house, language, connector) } : {}),
        href: withQuery(path, { ...asked, way, connector }),
        share: shareOf(ok + failed, total),
      })),
      apps: apps.map(({ clientId, name, ok, failed }) => ({
        shown: shownOf({ id: clientId, what: 'client', key: clientId, name }, staff.may),
        href: withQuery(path, { ...asked, clientId }),
        ok,
        failed,
        share: shareOf(ok + failed, busiest),
      })),
      only: [
        ...(asked.connector ? [connectorLabel(house, language, asked.connector)] : []),
        ...(asked.clientId ? [named ?? asked.clientId] : []),
      ],
      csv: withQuery(`${path}/csv`, asked),
    })
  })

  show(`${path}/csv`, read, async (ctx, staff) => {
    const { statistics } = await find(ctx, staff)
    house.answer.download(ctx, {
      name: `sign-ins-${statistics.from}-${statistics.until}.csv`,
      type: 'text/csv; charset=utf-8',
      text: csvOf(statistics),
    })
  })
}

/** One table after the other, told apart by the first column: a spreadsheet filters by it. */
async function* csvOf({ days, ways, apps, failures }: StatisticsShape): AsyncGenerator<string> {
  const write = await openCsv()
  yield byteOrderMark +
    write([
      ['what', 'id', 'name', 'signed in', 'failed'],
      ...days.map(({ day, ok, failed }) => ['day', day, '', ok, failed]),
      ...ways.map(({ way, connector, ok, failed }) => ['way', connector || way, way, ok, failed]),
      ...apps.map(({ clientId, name, ok, failed }) => ['app', clientId, name, ok, failed]),
      ...failures.map(({ outcome, count }) => ['failure', outcome, '', '', count]),
    ])
}
