/** `WORKERS=2` against `WORKERS=1`: `citygate serve` itself, its people signed in with passwords. */
import type { CallTo } from './ipc.ts'
import type { Preparation, Result } from './load.ts'
import { cpuSeconds, type Placement } from './machine.ts'
import { type Section, table } from './report.ts'
import { end, untilItAnswers } from './start-up.ts'
import { serveRecipe, startNode, type Target } from './targets.ts'
import type { WorkloadName } from './workloads.ts'

const workloads: WorkloadName[] = ['silent', 'refresh', 'client cred.', 'userinfo']

type Line = Result & { workload: WorkloadName; workers: number; cpu: number }

/** On the last engine, which is PostgreSQL where there is one. */
export async function workersSection(
  placement: Placement,
  load: CallTo,
  targets: Target[],
  ms: number,
): Promise<Section> {
  const target = targets.at(-1)
  if (!target) throw new Error('there is no server to start with workers')
  const lines = [
    ...(await measureWorkers(placement, load, target, 1, ms)),
    ...(await measureWorkers(placement, load, target, 2, ms)),
  ]
  const failures = lines.flatMap(({ failures }) => failures).slice(0, 3)
  return {
    text: [workersTable(lines), ...failures].join('\n'),
    failed: lines.reduce((sum, { failed }) => sum + failed, 0),
  }
}

async function measureWorkers(
  placement: Placement,
  load: CallTo,
  { recipe, site }: Target,
  workers: number,
  ms: number,
): Promise<Line[]> {
  const serve = await serveRecipe(recipe)
  const env = { ...serve.env, WORKERS: String(workers) }
  const child = startNode(placement, 'everywhere', { command: serve.command, env })
  const pid = child.pid ?? 0
  const target = `${workers} workers`
  const lines: Line[] = []
  try {
    await untilItAnswers(serve, child)
    const where = { ...site, origin: `http://127.0.0.1:${serve.port}` }
    await load('prepare', { target, site: where, locally: true } satisfies Preparation)
    for (const workload of workloads) {
      await load<Result>('run', { target, workload, ms: ms / 2 })
      const before = cpuSeconds(pid)
      const result = await load<Result>('run', { target, workload, ms })
      lines.push({ ...result, workload, workers, cpu: cpuSeconds(pid) - before })
    }
  } finally {
    await end(child, 'SIGTERM')
  }
  return lines
}

/**
 * Load generator, database and workers share the cores, so throughput alone says little: throughput per second
 * of the servers' CPU time does. A second worker that costs nothing leaves it as it was.
 */
function workersTable(lines: Line[]): string {
  const rows = workloads.flatMap((workload) => {
    const both = lines.filter((line) => line.workload === workload)
    const [one] = both
    return both.map((line) => [
      workload,
      `${line.workers}`,
      (line.flows / line.seconds).toFixed(0),
      (line.cpu / line.seconds).toFixed(2),
      (line.flows / line.cpu).toFixed(0),
      one ? (line.flows / line.cpu / (one.flows / one.cpu)).toFixed(2) : '-',
      line.p99.toFixed(1),
      String(line.failed),
    ])
  })
  const head = [
    'workload',
    'workers',
    'per s',
    'cores used',
    'per CPU s',
    'of 1’s',
    'p99 ms',
    'failed',
  ]
  return table(head, rows)
}
