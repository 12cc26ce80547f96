/** `citygate client export` and `apply`: apps as code. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { operatorBy } from '#admin/staff.ts'
import { clip } from '#lib/prose.ts'
import { carryOut } from './outcome.ts'
import { exits, inHouse, operator, print, readStdin, Stop } from './tools.ts'

export function addClientFileCommands(client: Command): void {
  client
    .command('export')
    .description('apps as YAML, for `client apply`; never a secret')
    .argument('[client_id...]', 'left out: all of them')
    .action(async (ids: string[]) => {
      const { exportClients } = await import('#admin/operations/client-files.ts')
      const input = ids.length > 0 ? { ids: ids.join(',') } : {}
      const { yaml } = await inHouse((house) => carryOut(house, exportClients, input))
      process.stdout.write(yaml)
    })

  client
    .command('apply')
    .description(
      'make apps equal to a file, all of them or none; new secrets are printed this once',
    )
    .argument('<file>', 'YAML as `client export` writes it; - for standard input')
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--prune', 'remove apps the file does not name; those that registered themselves stay')
    .option('--json', 'print as JSON')
    .action(async (file, { dryRun = false, prune = false, json }) => {
      const yaml = await readText(file)
      const [{ perform }, { applyClients }] = await Promise.all([
        import('#admin/operation.ts'),
        import('#admin/operations/client-files.ts'),
      ])
      const outcome = await inHouse((house) =>
        perform(house, operatorBy(operator()), applyClients, { yaml, dryRun, prune }),
      )
      if (outcome.kind === 'rejected') {
        const lines = outcome.problems.map(({ field, message, params }) => {
          const place = params?.line ? `${file}:${params.line}` : file
          return `  ${place}  ${field ? `${field}: ` : ''}${params?.what ?? message}`
        })
        throw new Stop(exits.rejected, ['rejected, nothing was changed:', ...lines].join('\n'))
      }
      if (outcome.kind !== 'done') {
        const why = 'why' in outcome ? outcome.why : outcome.kind
        throw new Stop(exits.rejected, `nothing was changed: ${why}`)
      }
      if (json) return void print(JSON.stringify(outcome.value, null, 2))
      sayWhat(outcome.value.items, dryRun)
    })
}

type Difference = { field: string; from?: string | undefined; to?: string | undefined }

/** Without control and direction characters: an app's own words must not steer the terminal or reverse a line. */
const harmless = (line: string) => line.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, ' ')

/** Line by line, below what they are differences of. */
export function printDifferences(differences: Difference[]) {
  for (const { field, from, to } of differences) {
    for (const line of from?.split('\n') ?? []) print(`    - ${field}: ${harmless(line)}`)
    for (const line of to?.split('\n') ?? []) print(`    + ${field}: ${harmless(line)}`)
  }
}

type Items = {
  id: string
  name: string
  what: 'create' | 'change' | 'same' | 'remove'
  differences: Difference[]
  secret?: string | undefined
}[]

const signs = { create: '+', change: '~', remove: '-' } as const

function sayWhat(items: Items, dryRun: boolean) {
  for (const { id, name, what, differences, secret } of items) {
    if (what === 'same') continue
    print(`${signs[what]} ${id}  ${clip(name)}`)
    printDifferences(differences)
    if (secret) print(`    client_secret: ${secret}`)
  }
  const changed = items.filter(({ what }) => what !== 'same').length
  const words = dryRun ? 'would change' : 'changed'
  print(changed === 0 ? 'nothing to do' : `${changed} of ${items.length} ${words}`)
}

async function readText(file: string): Promise<string> {
  if (file === '-') return readStdin()
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'
    throw new Stop(exits.unknown, `${file} cannot be read (${reason})`)
  }
}
