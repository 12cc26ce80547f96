/** `citygate statistics`: how many sign in, by way, county and app. */
import { type Command, Option } from 'commander'
import type { StatisticsShape } from '#admin/operations/statistics.ts'
import { exits, inApp, operator, print, rejected, Stop } from './tools.ts'

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
      const [{ perform }, { readStatistics }, { operatorBy }] = await Promise.all([
        import('#admin/operation.ts'),
        import('#admin/operations/statistics.ts'),
        import('#admin/staff.ts'),
      ])
      const input = { days: Number(days), connector, clientId: client }
      const outcome = await inApp(async ({ house, background }) => {
        // Up to this moment, also where no server runs.
        await background.runner.runOnce('count-sign-ins')
        return perform(house, operatorBy(operator()), readStatistics, input)
      })
      if (outcome.kind === 'rejected') throw rejected(outcome.problems)
      if (outcome.kind !== 'done') throw new Stop(exits.rejected, outcome.kind)
      if (json) print(JSON.stringify(outcome.value, null, 2))
      else for (const line of report(outcome.value)) print(line)
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
