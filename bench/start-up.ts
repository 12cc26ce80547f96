/** What a server holds in memory, and how long it takes from exec to the first answer of discovery. */
import type { ChildProcess } from 'node:child_process'
import { get } from 'node:http'
import { performance } from 'node:perf_hooks'
import { type Placement, rssMegabytes } from './machine.ts'
import { median } from './numbers.ts'
import { type Section, table } from './report.ts'
import { ceilingRecipe, type Recipe, serveRecipe, startNode, type Target } from './targets.ts'

export async function resourceSection(
  placement: Placement,
  targets: Target[],
  starts: number,
): Promise<Section> {
  const rows: string[][] = []
  for (const { name, pid, recipe } of targets) {
    // Ours as `citygate serve`, on the database that is there already: the bench's own server has more to read.
    const fresh = name === 'ceiling' ? await ceilingRecipe() : await serveRecipe(recipe)
    const after = rssMegabytes(pid)
    const { ms, idle } = await measureStartUp(placement, fresh, starts)
    rows.push([name, ...[idle, after, ms].map((value) => value.toFixed(0))])
  }
  const head = ['server', 'RSS idle MB', 'RSS after MB', 'exec to first answer ms']
  return { text: table(head, rows), failed: 0 }
}

/** Medians of `times` starts, in milliseconds and megabytes; one more before them, which nobody counts. */
async function measureStartUp(placement: Placement, recipe: Recipe, times: number) {
  const starts: Awaited<ReturnType<typeof startOnce>>[] = []
  for (let n = 0; n <= times; n++) {
    const start = await startOnce(placement, recipe)
    if (n > 0) starts.push(start)
  }
  return {
    ms: median(starts.map(({ ms }) => ms)),
    idle: median(starts.map(({ idle }) => idle)),
  }
}

/** How long a server that has answered is left alone before its memory is read, in milliseconds. */
const settleMs = 1_000

async function startOnce(placement: Placement, recipe: Recipe) {
  const started = performance.now()
  const child = startNode(placement, 'measured', recipe)
  try {
    await untilItAnswers(recipe, child)
    const ms = performance.now() - started
    await new Promise((resolve) => setTimeout(resolve, settleMs))
    return { ms, idle: rssMegabytes(child.pid ?? 0) }
  } finally {
    await end(child, 'SIGKILL')
  }
}

/** Ends a server we started, and waits until it has ended. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill(signal)
  await ended
}

/** Asks for discovery until it is given. */
export async function untilItAnswers(recipe: Recipe, child: ChildProcess): Promise<void> {
  const host = new URL(recipe.env.ISSUER ?? `http://127.0.0.1:${recipe.port}`).host
  const patience = performance.now() + 60_000
  while (!(await answers(recipe.port, host))) {
    if (child.exitCode !== null) throw new Error(`${recipe.name} ended while starting`)
    if (performance.now() > patience) throw new Error(`${recipe.name} does not start`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const path = '/.well-known/openid-configuration'
    const options = { host: '127.0.0.1', port, path, headers: { host }, agent: false }
    get(options, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    }).once('error', () => resolve(false))
  })
}
