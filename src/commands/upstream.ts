/** `citygate upstream …`: how the upstreams fare, and what staff say of them. */
import type { Command } from 'commander'
import type { ConnectorConfig } from '#config/connector.ts'
import { UpstreamError } from '#errors.ts'
import { dayOf } from '#federation/days.ts'
import type { House } from '#http/house.ts'
import { seconds } from '#lib/time.ts'
import { exits, inHouse, operator, print, rejected, Stop } from './tools.ts'

export function addUpstreamCommands(program: Command): void {
  const upstream = program
    .command('upstream')
    .description('counties and other places people come in from: how they fare, announcements')

  upstream
    .command('list')
    .description('state, since when, last answer and certificate of each')
    .option('--json', 'print as JSON')
    .action(async ({ json }) => {
      const list = await inHouse(async (house) => {
        await house.upstreamHealth.look()
        return house.config.connectors.map((one) => standingOf(house, one))
      })
      if (json) print(JSON.stringify(list, null, 2))
      else for (const one of list) print(describe(one))
    })

  upstream
    .command('show')
    .description('what its file tells staff: protocol, days, former names, quirks')
    .argument('<connector>')
    .action(async (id) => {
      const { loadConfig } = await import('#config/load.ts')
      const one = loadConfig(process.env).connectors.find((file) => file.id === id)
      if (!one) throw new Stop(exits.unknown, `there is no upstream ${id}`)
      const { label, type, profile, opens, closes, former, quirks } = one
      print(
        [
          `${id}  ${Object.values(label).join('  ')}`,
          `protocol    ${type}, read as ${profile}`,
          ...(opens ? [`opens       ${opens}`] : []),
          ...(closes ? [`closes      ${closes}`] : []),
          ...former.map(({ issuer }) => `formerly    ${issuer}`),
          ...quirks.map((quirk) => `to know     ${quirk}`),
        ].join('\n'),
      )
    })

  upstream
    .command('probe')
    .description('ask one now whether somebody could sign in there; what comes of it counts')
    .argument('<connector>')
    .action((id) => inHouse((house) => probe(house, id)))

  upstream
    .command('announce')
    .description('tell people of maintenance: at the selector, on /status, and where a trip fails')
    .argument('<connector>')
    .requiredOption('--zh <text>', 'what to say in Chinese')
    .requiredOption('--en <text>', 'what to say in English')
    .requiredOption('--from <moment>', 'such as "2026-12-01 18:00", Taiwan’s time')
    .requiredOption('--until <moment>', 'after which it is shown no more')
    .action(async (connector, { zh, en, from, until }) => {
      const { announce } = await import('#admin/notices.ts')
      const announced = await inHouse(({ store, now, config }) =>
        announce(
          { store, now, actor: operator(), connectors: config.connectors.map(({ id }) => id) },
          { connector, text: { 'zh-TW': zh, en }, from, until },
        ),
      )
      if (announced.kind === 'rejected') throw rejected(announced.problems)
      print(
        `${announced.notice.id}  shown from a day before until ${time(announced.notice.endsAt)}`,
      )
    })

  upstream
    .command('notices')
    .description('announcements that are not over')
    .option('--json', 'print as JSON')
    .action(async ({ json }) => {
      const notices = await inHouse(({ store, now }) => store.upstreamNotices.list(seconds(now)))
      if (json) print(JSON.stringify(notices, null, 2))
      else
        for (const { id, connector, startsAt, endsAt, text } of notices)
          print([id, connector, time(startsAt), time(endsAt), ...Object.values(text)].join('  '))
    })

  upstream
    .command('withdraw')
    .description('take an announcement back')
    .argument('<id>')
    .action(async (id) => {
      const { withdraw } = await import('#admin/notices.ts')
      const gone = await inHouse(({ store, now }) =>
        withdraw({ store, now, actor: operator() }, id),
      )
      if (!gone) throw new Stop(exits.unknown, `there is no announcement ${id}`)
      print(`withdrawn ${id}`)
    })
}

async function probe({ config, trips, upstreamHealth, now }: House, id: string) {
  const file = config.connectors.find((one) => one.id === id)
  if (!file) throw new Stop(exits.unknown, `there is no upstream ${id}`)
  if (dayOf(file, now()) !== 'open')
    throw new Stop(exits.rejected, `${id} ${daysOf(file, now())}: it is not connected`)
  const connector = trips.connectors.get(id)
  if (!connector) throw new Stop(exits.rejected, `${id} has no credentials: it is not connected`)
  await upstreamHealth.look()
  const began = performance.now()
  try {
    await connector.probe().finally(() => upstreamHealth.note(id))
    print(`${id}: answers (${Math.round(performance.now() - began)} ms)`)
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    throw new Stop(exits.unavailable, `${error.failure}: ${error.message}${causeOf(error)}`)
  }
}

/** What the network said, where that is what failed. */
function causeOf(error: Error): string {
  let deepest: unknown = error
  while (deepest instanceof Error && deepest.cause) deepest = deepest.cause
  const code = deepest instanceof Error && 'code' in deepest ? String(deepest.code) : ''
  return code ? ` (${code})` : ''
}

function standingOf(
  { trips, upstreamHealth, now }: House,
  file: House['config']['connectors'][number],
) {
  const { id, label } = file
  const known = upstreamHealth.find(id)
  const moment = (at: number | undefined) => (at === undefined ? undefined : time(at))
  return {
    id,
    label: label['zh-TW'],
    connected: trips.connectors.has(id),
    days: daysOf(file, now()),
    state: known?.state,
    since: moment(known?.since),
    checked_at: moment(known?.checkedAt),
    failure: known?.failure,
    took_ms: known?.took,
    certificate_expires: moment(known?.certificateExpiresAt),
  }
}

/** Why it is not offered today, by its days. */
function daysOf(file: Pick<ConnectorConfig, 'opens' | 'closes'>, now: number) {
  const day = dayOf(file, now)
  if (day === 'open') return undefined
  return day === 'early' ? `opens on ${file.opens}` : `closed on ${file.closes}`
}

function describe(one: ReturnType<typeof standingOf>): string {
  const away = one.days ? `not connected: ${one.days}` : 'not connected'
  const state = one.connected ? (one.state ?? 'not asked yet') : away
  return [
    one.id.padEnd(8),
    one.label,
    state,
    ...(one.connected && one.since ? [`since ${one.since}`] : []),
    ...(one.failure ? [one.failure] : []),
    ...(one.took_ms === undefined ? [] : [`${one.took_ms} ms`]),
    ...(one.certificate_expires ? [`certificate until ${one.certificate_expires}`] : []),
  ].join('  ')
}

const time = (at: number) => new Date(at * 1000).toISOString().replace('.000', '')
