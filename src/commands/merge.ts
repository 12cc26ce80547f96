/** `citygate merge …`: two accounts of one person that were joined. */

import type { Command } from 'commander'
import type { Conflict } from '#accounts/merging.ts'
import { isoSecond } from '#lib/time.ts'
import type { MergeRow } from '#store/store.ts'
import { exits, inHouse, operator, print, readCount, Stop } from './tools.ts'

export function addMergeCommands(program: Command): void {
  const merge = program.command('merge').description('accounts their member joined')

  merge
    .command('list')
    .description('newest first: which account stayed, which was joined to it, and when')
    .option('--account <id>', 'only those this account had part in')
    .option('--limit <number>', 'at most so many', '100')
    .option('--json', 'print as JSON')
    .action(async ({ account, limit, json }) => {
      const filter = { accountId: account, limit: readCount('--limit', limit) }
      const rows = await inHouse(({ store }) => store.accountMerges.list(filter))
      if (json) print(JSON.stringify(rows.map(toJson), null, 2))
      else for (const row of rows) print(describe(row))
    })

  merge
    .command('undo')
    .description(
      'part them again: puts back what is still as it was left, and ends every session of both',
    )
    .argument('<id>', 'as `merge list` or the member’s letter says it')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--force', 'also where something cannot be put back: that stays as it is now')
    .option('--json', 'print as JSON')
    .action(async (id, { reason, force = false, json }) => {
      if (!reason.trim()) throw new Stop(exits.usage, '--reason must say why')
      const [{ undoMerge }, { numberKeyOf }] = await Promise.all([
        import('#admin/merges.ts'),
        import('#accounts/personal-numbers.ts'),
      ])
      const parted = await inHouse(({ store, now, keys, writeLetter }) =>
        undoMerge(
          store,
          { id, reason: reason.trim().slice(0, 500), force },
          { now, writeLetter, numberKey: numberKeyOf(keys.data), actor: operator() },
        ),
      )
      switch (parted.kind) {
        case 'unknown':
          throw new Stop(exits.unknown, `there is no merge ${id}: see citygate merge list`)
        case 'refused':
          throw new Stop(exits.rejected, `not undone: ${parted.why}`)
        case 'conflicts':
          throw new Stop(
            exits.rejected,
            [
              'not undone, nothing was changed; this is not as it was left:',
              ...parted.conflicts.map(sayConflict),
              'with --force the rest is put back, and this stays as it is now',
            ].join('\n'),
          )
        case 'undone': {
          const { kept, merged, conflicts } = parted
          if (json) {
            print(JSON.stringify({ id, kept, merged, left: conflicts }, null, 2))
            return
          }
          print(`undone: ${merged} is an account of its own again, beside ${kept}`)
          print('every session and token of both has ended; letters went to the addresses of both')
          for (const one of conflicts) print(`left as it is:${sayConflict(one)}`)
        }
      }
    })
}

const meaning: Record<Conflict['why'], string> = {
  gone: 'was removed since',
  changed: 'was changed since',
  elsewhere: 'belongs to a third account now',
  'in the way': 'has a newer one where it was',
}

function sayConflict({ row: { table, key, label }, why }: Conflict): string {
  const which = [label, ...Object.values(key)].filter(Boolean).join(' ')
  return `  ${table}${which && ` ${which}`} ${meaning[why]}`
}

const describe = ({ id, kept, merged, mergedAt, undoneAt }: MergeRow): string =>
  [
    id,
    isoSecond(mergedAt),
    `kept ${kept}`,
    `merged ${merged}`,
    undoneAt === undefined ? 'joined' : `undone ${isoSecond(undoneAt)}`,
  ].join('  ')

const toJson = ({ id, kept, merged, mergedAt, undoneAt }: MergeRow) => ({
  id,
  kept,
  merged,
  merged_at: mergedAt,
  undone_at: undoneAt,
})
