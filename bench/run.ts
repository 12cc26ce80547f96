/**
 * `npm run bench`: how fast we are beside a bare node-oidc-provider that keeps everything in memory.
 *
 *   --quick               one round of a second each: does it work at all?
 *   --sqlite-only         without PostgreSQL
 *   --workloads=a,b       these, and nothing beside them
 *   --node-flags="…"      more flags for our servers, such as --cpu-prof --cpu-prof-dir=/tmp/profile
 *   BENCH_LOG=file        where the servers' logs go, for a failure that nobody understands
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Preparation } from './load.ts'
import { placeProcesses } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { passwordSection } from './passwords.ts'
import { idleCeilings, lastLine, workloadTable } from './report.ts'
import { measure } from './rounds.ts'
import { resourceSection } from './start-up.ts'
import {
  ceilingRecipe,
  ourRecipe,
  type Recipe,
  startLoad,
  startTarget,
  type Target,
} from './targets.ts'
import { workersSection } from './workers.ts'

const print = (text: string) => console.log(text)

/** What was opened: closed last first, however the run ends. */
const opened: { stop(): unknown }[] = []

/** Ours on each engine. PostgreSQL that cannot be started is an error: a figure left out says nothing. */
async function ourRecipes({ flags, sqliteOnly }: Options): Promise<Recipe[]> {
  const folder = mkdtempSync(join(tmpdir(), 'citygate-bench-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const sqlite = await ourRecipe('sqlite', { DATA_DIR: join(folder, 'sqlite') }, flags)
  if (sqliteOnly) return [sqlite]
  const { startPostgres } = await import('../test/helpers/postgres.ts')
  const postgres = await startPostgres({ careless: false })
  opened.push(postgres)
  const storage = { DATA_DIR: join(folder, 'pg'), DATABASE_URL: postgres.url }
  return [sqlite, await ourRecipe('pg', storage, flags)]
}

/** Runs everything and prints it. How many requests failed. */
async function runAll(options: Options): Promise<number> {
  const { plan } = options
  const placement = placeProcesses()
  const recipes = [await ceilingRecipe(), ...(await ourRecipes(options))]
  const load = startLoad(placement)
  opened.push(load)
  const targets: Target[] = []
  for (const recipe of recipes) {
    const target = await startTarget(placement, recipe)
    targets.push(target)
    opened.push(target)
  }
  for (const { name, site } of targets) {
    await load.call('prepare', { target: name, site } satisfies Preparation)
  }

  print(`# Bench: Node ${process.version}, ${placement.words}`)
  print(`${plan.rounds} × ${plan.ms / 1000} s each, 16 at once, medians; ratio: flows per s beside`)
  print('the ceiling, a bare node-oidc-provider whose storage, clients included, is a Map\n')
  const rows = await measure(load.call, targets, plan)
  print(workloadTable(rows) + idleCeilings(rows))
  for (const { workload, target, failures } of rows) {
    for (const failure of failures) print(`${workload} ${target}: ${failure}`)
  }
  let failed = rows.reduce((sum, row) => sum + row.failed, 0)

  if (!options.workloadsOnly) {
    const ours = targets.slice(1)
    const sections = {
      'Memory and start-up': () => resourceSection(placement, targets, options.starts),
      'Password sign-ins (argon2id)': () => passwordSection(load.call, ours, options.crowd),
      'Two workers': () => workersSection(placement, load.call, ours, plan.ms),
    }
    for (const [title, run] of Object.entries(sections)) {
      print(`\n## ${title}\n`)
      const section = await run()
      print(section.text)
      failed += section.failed
    }
  }
  print(`\n${failed === 0 ? 'no request failed' : `${failed} flows FAILED`}\n`)
  print(lastLine(rows))
  return failed
}

// An impatient Ctrl-C leaves neither a database nor a folder behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  if ((await runAll(readOptions(process.argv.slice(2)))) > 0) process.exitCode = 1
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  for (const one of opened.reverse()) await one.stop()
}
