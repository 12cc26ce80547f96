/** `citygate statistics`: how many sign in, by way, county and app. */
import { type Command, Option } from 'commander'
import type { StatisticsShape } from '#admin/operations/statistics.ts'
import { carryOut } from './outcome.ts'
import { inApp, print } from './tools.ts'

export function addStatisticsCommand(program: Command): void {
  program
    .command('statistics')
    .description('sign-ins a day, by way, county and app; counted from the audit trail')
    .addOption(
      new Option('--days <number>', 'so many, today the last')
        .choices(['7', '30', '90', '365'])
        .default('30'),
    )
    .option('--connector <id>', 'only those who came through this upstream')
    .option('--client <id>', 'only those at this app')
    .option('--json', 'print as JSON')
    .action(async ({ days, connector, client, json }) => {
      const { readStatistics } = await import('#admin/operations/statistics.ts')
      const input = { days: Number(days), connector, clientId: client }
      const found = await inApp(async ({ house, background }) => {
        // Up to this moment, also where no server runs.
        await background.runner.runOnce('count-sign-ins')
        return carryOut(house, readStatistics, input)
      })
      if (json) print(JSON.stringify(found, null, 2))
      else for (const line of report(found)) print(line)
    })
}

type Counted = { ok: number; failed: number }

const line = (what: string, { ok, failed }: Counted) =>
  `${what.padEnd(40)}  ${String(ok).padStart(9)}  ${String(failed).padStart(9)}`

function report({ from, until, all, days, ways, apps, failures }: StatisticsShape): string[] {
  return [
    `${`${from} to ${until}`.padEnd(40)}  ${'signed in'.padStart(9)}  ${'failed'.padStart(9)}`,
    line('all', all),
    ...days.filter((one) => one.ok + one.failed > 0).map((one) => line(one.day, one)),
    ...ways.map((one) => line(one.connector ? `${one.way} ${one.connector}` : one.way, one)),
    ...apps.map((one) => line(one.name ? `${one.name} (${one.clientId})` : one.clientId, one)),
    ...failures.map(({ outcome, count }) => line(`failed: ${outcome}`, { ok: 0, failed: count })),
  ]
}
