/** `citygate audit …`: what happened, and whether the record of it is whole. */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { Heads, Verdict } from '#admin/audit.ts'
import { isoSecond } from '#lib/time.ts'
import type { AuditRow } from '#store/store.ts'
import { exits, inHouse, print, readCount, Stop } from './tools.ts'

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('the record of what was done to whom')

  audit
    .command('list')
    .description('events, newest first if not said')
    .option('--actor <actor>', 'an account’s id, client:<id>, operator:<name>, system')
    .option('--action <action>', 'how it begins, such as session.sign-in or key.')
    .option('--target <target>', 'an account’s id, client:<id>, key:<kid>')
    .option('--since <time>', 'such as 2026-11-21 or 2026-11-21T08:00:00+08:00')
    .option('--until <time>', 'the same')
    .addOption(
      new Option('--order <order>', 'which come first')
        .choices(['newest', 'oldest'])
        .default('newest'),
    )
    .option('--limit <number>', 'at most so many', '100')
    .option('--json', 'print as JSON')
    .action(async ({ actor, action, target, since, until, order, limit, json }) => {
      const { firstOf } = await import('#admin/audit-trail.ts')
      const count = readCount('--limit', limit)
      const last = readTime('--until', until)
      const filter = {
        actor,
        action,
        target,
        since: readTime('--since', since),
        // The moment itself is still in it.
        until: last === undefined ? undefined : last + 1,
      }
      const events = await inHouse(({ store }) => firstOf(store, filter, { order, limit: count }))
      if (json) print(JSON.stringify(events, null, 2))
      else for (const event of events) print(describe(event))
    })

  audit
    .command('verify')
    .description('walk every chain: is anything missing, changed, moved, cut off or forged?')
    .option(
      '--anchor <file>',
      'compare with the heads this file keeps, then keep the present ones; store it elsewhere',
    )
    .option('--json', 'print as JSON')
    .action(async ({ anchor, json }) => {
      const { verifyAudit } = await import('#admin/audit.ts')
      const kept = anchor ? readAnchor(anchor) : {}
      const verdict = await inHouse(({ store, keys }) =>
        verifyAudit({ auditReads: store.auditReads, key: keys.audit }, kept),
      )
      if (json) print(JSON.stringify(verdict, null, 2))
      else for (const line of report(verdict)) print(line)
      if (verdict.faults.length > 0) throw new Stop(exits.rejected, 'the audit trail is broken')
      if (anchor) writeAnchor(anchor, { ...kept, ...verdict.heads })
    })
}

function readTime(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new Stop(exits.usage, `${option} ${text} is no time: 2026-11-21`)
  return Math.floor(at / 1000)
}

function describe({ at, action, outcome, actor, target, address, ref, details }: AuditRow): string {
  const time = isoSecond(at)
  const more = Object.keys(details).length > 0 ? JSON.stringify(details) : ''
  const columns = [time, action, outcome, actor, target, address, ref, more]
  return columns.map((column) => column || '-').join('  ')
}

function report({ events, heads, faults }: Verdict): string[] {
  const chains = new Set([...Object.keys(heads), ...faults.map(({ chain }) => chain)]).size
  const state = faults.length > 0 ? 'BROKEN' : 'whole'
  return [
    ...faults.map(({ chain, seq, kind, message }) => `chain ${chain}  ${seq}  ${kind}: ${message}`),
    `${state}: ${events} events are as they were written, in ${chains} chains`,
    ...Object.entries(heads).map(([chain, [seq, hash]]) => `head ${chain} ${seq} ${hash}`),
  ]
}

function readAnchor(file: string): Heads {
  if (!existsSync(file)) return {}
  try {
    const { heads } = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof heads === 'object' && heads !== null) return heads
  } catch {
    // Said below: whatever stands in the file, it is no anchor.
  }
  throw new Stop(exits.rejected, `${file} is no anchor that audit verify wrote`)
}

function writeAnchor(file: string, heads: Heads) {
  // Whole or not at all.
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify({ heads }, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, file)
}
