/** `citygate outbox …`: what waits to reach the outside, and what was given up. */
import type { Command } from 'commander'
import type { House } from '#http/house.ts'
import { isoSecond, seconds } from '#lib/time.ts'
import type { OutboxRow } from '#store/store.ts'
import { exits, inHouse, operator, print, Stop } from './tools.ts'

export function addOutboxCommands(program: Command): void {
  const outbox = program
    .command('outbox')
    .description('logouts, mails and provisioning events that wait to be delivered')

  outbox
    .command('list')
    .description('what waits, and what was given up; never what it says')
    .option('--dead', 'only what was given up')
    .option('--json', 'print as JSON')
    .action(async ({ dead, json }) => {
      const rows = await inHouse(({ store }) => store.outbox.list(dead ? 'dead' : undefined))
      if (json) print(JSON.stringify(rows.map(toJson), null, 2))
      else for (const row of rows) print(describe(row))
    })

  outbox
    .command('retry')
    .description('try again at once: one message, or with --all every one that failed')
    .argument('[id]')
    .option('--all', 'every message that failed')
    .action(async (id, { all }) => {
      if (!id === !all) throw new Stop(exits.usage, 'give the id of a message, or --all')
      const { retryMessage, retryMessages } = await import('#admin/outbox.ts')
      const retried = await inHouse(async (house) =>
        all ? retryMessages(ports(house)) : Number(await retryMessage(ports(house), id)),
      )
      if (!all && retried === 0) {
        throw new Stop(
          exits.unknown,
          `there is no message ${id}, or it is being delivered just now`,
        )
      }
      print(`${retried} due now: a running server tries within five seconds`)
    })

  outbox
    .command('drop')
    .description('forget a message: nobody will hear of it')
    .argument('<id>')
    .action(async (id) => {
      const { dropMessage } = await import('#admin/outbox.ts')
      const dropped = await inHouse((house) => dropMessage(ports(house), id))
      if (!dropped) throw new Stop(exits.unknown, `there is no message ${id}`)
      print(`dropped ${id}`)
    })
}

const ports = ({ store, now }: House) => ({ store, at: seconds(now), actor: operator() })

const toJson = ({ createdAt, dueAt, lastError, ...row }: OutboxRow) => ({
  ...row,
  created_at: createdAt,
  due_at: dueAt,
  last_error: lastError,
})

function describe({ id, kind, target, state, attempts, dueAt, lastError }: OutboxRow): string {
  const when = state === 'dead' ? 'given up' : `next try ${isoSecond(dueAt)}`
  const columns = [id, kind.padEnd(18), target, `${attempts} tries`, when]
  return [...columns, ...(lastError ? [lastError] : [])].join('  ')
}
