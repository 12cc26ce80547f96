/** `citygate upstream …`: how the upstreams fare, and what staff say of them. */
import type { Command } from 'commander'
import type { z } from 'zod'
import type { Operation } from '#admin/operation.ts'
import type { UpstreamEvent } from '#admin/upstreams/shapes.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import { dayOf } from '#federation/days.ts'
import type { House } from '#http/house.ts'
import { isoSecond, seconds } from '#lib/time.ts'
import type { UpstreamSwitchRow } from '#store/store.ts'
import { carryOut } from './outcome.ts'
import { exits, inHouse, print, Stop } from './tools.ts'

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
    .description(
      'what its file tells staff: protocol, days, former names, quirks; and who switched it off',
    )
    .argument('<connector>')
    .action(async (id) => {
      const { loadConfig } = await import('#config/load.ts')
      const one = loadConfig(process.env).connectors.find((file) => file.id === id)
      if (!one) throw new Stop(exits.unknown, `there is no upstream ${id}`)
      const { label, type, profile, opens, closes, former, quirks } = one
      const off = await inHouse(({ store }) => store.upstreamSwitches.find(id))
      print(
        [
          `${id}  ${Object.values(label).join('  ')}`,
          ...(off ? [`off         ${offLine(off)}`] : []),
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
    .action(async (id) => {
      const probed = await act('probeUpstream', { id })
      if (!probed.answers) throw new Stop(exits.unavailable, `${probed.failure}: ${probed.why}`)
      print(`${id}: answers (${probed.took} ms)`)
    })

  upstream
    .command('events')
    .description('what happened there: changes of state, switching, people who came back in vain')
    .argument('<connector>')
    .option('--kind <kind>', 'state, switch or failure')
    .option('--limit <number>', 'the newest so many, 50 if not said')
    .option('--json', 'print as JSON')
    .action(async (id, { kind, limit, json }) => {
      const { items } = await act('listUpstreamEvents', { id, kind, limit })
      if (json) print(JSON.stringify(items, null, 2))
      else for (const one of items) print(Object.values(eventLine(one)).join('  '))
    })

  upstream
    .command('off')
    .description(
      'let nobody in from there any more, also those on their way; links and accounts stay',
    )
    .argument('<connector>')
    .requiredOption('--reason <text>', 'why: for staff and the audit trail, people do not read it')
    .action(async (id, { reason }) => {
      await act('switchUpstreamOff', { id, reason })
      print(`${id} is switched off; every process follows within 5 seconds`)
    })

  upstream
    .command('on')
    .description('let people in from there again')
    .argument('<connector>')
    .action(async (id) => {
      await act('switchUpstreamOn', { id })
      print(`${id} is switched on; every process follows within 5 seconds`)
    })

  upstream
    .command('announce')
    .description('tell people of maintenance: at the selector, on /status, and where a trip fails')
    .argument('<connector>')
    .requiredOption('--zh <text>', 'what to say in Chinese')
    .requiredOption('--en <text>', 'what to say in English')
    .requiredOption('--from <moment>', 'such as "2026-12-01 18:00", Taiwan’s time')
    .requiredOption('--until <moment>', 'after which it is shown no more')
    .action(async (connector, { zh, en, from, until }) => {
      const text = { 'zh-TW': zh, en }
      const notice = await act('addUpstreamNotice', { id: connector, text, from, until })
      print(`${notice.id}  shown from a day before until ${notice.until.replace('.000', '')}`)
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
          print(
            [id, connector, isoSecond(startsAt), isoSecond(endsAt), ...Object.values(text)].join(
              '  ',
            ),
          )
    })

  upstream
    .command('withdraw')
    .description('take an announcement back')
    .argument('<id>')
    .action(async (id) => {
      const found = await inHouse(({ store }) => store.upstreamNotices.find(id))
      if (!found) throw new Stop(exits.unknown, `there is no announcement ${id}`)
      await act('removeUpstreamNotice', { id: found.connector, notice: id })
      print(`withdrawn ${id}`)
    })
}

type Staffed = typeof import('#admin/operations/upstreams.ts')

/** One of the operations upon upstreams, in a house of its own. */
async function act<Name extends Acts>(
  name: Name,
  input: z.input<Staffed[Name]['input']>,
): Promise<z.output<Staffed[Name]['output']>> {
  const operations = await import('#admin/operations/upstreams.ts')
  const one = operations[name] as Operation
  const none = `there is no upstream ${input.id}`
  const value = await inHouse((house) => carryOut(house, one, input, none))
  return value as z.output<Staffed[Name]['output']>
}

type Acts =
  | 'probeUpstream'
  | 'listUpstreamEvents'
  | 'switchUpstreamOff'
  | 'switchUpstreamOn'
  | 'addUpstreamNotice'
  | 'removeUpstreamNotice'

const offLine = ({ offAt, switchedBy, reason }: UpstreamSwitchRow) =>
  `since ${isoSecond(offAt)}, by ${switchedBy}: ${reason}`

const eventLine = ({ at, what, errand, stage, status, by, reason, ref }: UpstreamEvent) => ({
  at: at.replace('.000', ''),
  what,
  ...(errand ? { errand } : {}),
  ...(stage ? { stage } : {}),
  ...(status ? { status } : {}),
  ...(by ? { by } : {}),
  ...(reason ? { reason } : {}),
  ...(ref ? { ref } : {}),
})

function standingOf(
  { trips, upstreamHealth, now }: House,
  file: House['config']['connectors'][number],
) {
  const { id, label } = file
  const known = upstreamHealth.find(id)
  const moment = (at: number | undefined) => (at === undefined ? undefined : isoSecond(at))
  return {
    id,
    label: label['zh-TW'],
    connected: trips.connectors.has(id),
    days: daysOf(file, now()),
    switched_off: moment(upstreamHealth.offSince(id)),
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
  const why = one.switched_off ? `switched off since ${one.switched_off}` : one.days
  const away = why ? `not connected: ${why}` : 'not connected'
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
