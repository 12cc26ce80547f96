/** Every workload on every server, in rounds that take turns, so that a slow minute hits all of them. */
import type { CallTo } from './ipc.ts'
import type { Order, Result } from './load.ts'
import { cpuSeconds } from './machine.ts'
import { median } from './numbers.ts'
import type { Target, TargetName } from './targets.ts'
import type { WorkloadName } from './workloads.ts'

export type Measured = {
  workload: WorkloadName
  target: TargetName
  perSecond: number
  p50: number
  p99: number
  /** The server's CPU time per flow, in milliseconds. */
  cpu: number
  /** The share of its core the server used: below nine tenths something else was the limit. */
  busy: number
  requests: number
  statements: number | undefined
  failed: number
  failures: string[]
}

export type Plan = { workloads: WorkloadName[]; rounds: number; ms: number; warmUpMs: number }

type Sample = Result & { cpu: number }

/** Flows done one after the other, to count their statements. */
const counted = 20

export async function measure(load: CallTo, targets: Target[], plan: Plan): Promise<Measured[]> {
  const samples = new Map<string, Sample[]>()
  const cells = plan.workloads.flatMap((workload) =>
    targets.map((target) => ({ workload, target, key: `${workload} ${target.name}` })),
  )
  const run = (order: Order) => load<Result>('run', order)
  for (const { workload, target } of cells) {
    await run({ target: target.name, workload, ms: plan.warmUpMs })
  }
  for (let round = 0; round < plan.rounds; round++) {
    for (const { workload, target, key } of cells) {
      const before = cpuSeconds(target.pid)
      const result = await run({ target: target.name, workload, ms: plan.ms })
      const sample = { ...result, cpu: cpuSeconds(target.pid) - before }
      samples.set(key, [...(samples.get(key) ?? []), sample])
    }
  }
  const rows: Measured[] = []
  for (const { workload, target, key } of cells) {
    const statements = await countStatements(run, target, workload)
    rows.push({ workload, target: target.name, ...summary(samples.get(key) ?? []), statements })
  }
  return rows
}

/** SQL statements per flow, where the server counts them. */
async function countStatements(
  run: (order: Order) => Promise<Result>,
  target: Target,
  workload: WorkloadName,
): Promise<number | undefined> {
  const before = await target.call<number | undefined>('statements')
  if (before === undefined) return undefined
  const { flows } = await run({ target: target.name, workload, flows: counted })
  const after = await target.call<number | undefined>('statements')
  return flows > 0 && after !== undefined ? (after - before) / flows : undefined
}

function summary(samples: Sample[]) {
  const of = (value: (sample: Sample) => number) => median(samples.map(value))
  return {
    perSecond: of(({ flows, seconds }) => flows / seconds),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    cpu: of(({ cpu, flows }) => (cpu * 1000) / flows),
    busy: of(({ cpu, seconds }) => cpu / seconds),
    requests: of(({ requests, flows, failed }) => Math.round(requests / (flows + failed))),
    failed: samples.reduce((sum, { failed }) => sum + failed, 0),
    failures: samples.flatMap(({ failures }) => failures).slice(0, 3),
  }
}
