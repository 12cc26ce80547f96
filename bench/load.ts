/** The load generator: a process of its own, which the bench tells what to do. */
import { performance } from 'node:perf_hooks'
import { answerCalls } from './ipc.ts'
import { percentiles } from './numbers.ts'
import { measurePasswords } from './passwords-load.ts'
import { localAccount, password, type Site } from './site.ts'
import {
  type Lane,
  openStage,
  prepareLane,
  type Stage,
  type WorkloadName,
  workloads,
} from './workloads.ts'

/** How many flows run at once. */
const concurrency = 16

/** After so many failures a lane stops: what it has at hand is spent. */
const patience = 20

export type Order = {
  target: string
  workload: WorkloadName
  /** Ends after so many milliseconds … */
  ms?: number
  /** … or after so many flows, one after the other. */
  flows?: number
}

export type Preparation = { target: string; site: Site; locally?: boolean }

export type Result = {
  flows: number
  seconds: number
  requests: number
  p50: number
  p99: number
  failed: number
  /** What went wrong, the first few times. */
  failures: string[]
}

const stages = new Map<string, { stage: Stage; lanes: Lane[] }>()

function stageOf(target: string) {
  const one = stages.get(target)
  if (!one) throw new Error(`${target} was not prepared`)
  return one
}

/** Sixteen people who are signed in; `locally` where no stub county sends them back. */
async function prepare({ target, site, locally }: Preparation) {
  const person = locally ? { account: localAccount(0), password } : ('from the county' as const)
  const stage = openStage(site, person, concurrency)
  const lanes: Lane[] = []
  for (let n = 0; n < concurrency; n++) lanes.push(await prepareLane(stage))
  stages.set(target, { stage, lanes })
}

async function run({ target, workload, ms, flows }: Order): Promise<Result> {
  const { stage, lanes } = stageOf(target)
  const work = workloads[workload]
  const latencies: number[] = []
  const failures: string[] = []
  let failed = 0
  const sentBefore = stage.http.sent()
  const started = performance.now()
  const ends = started + (ms ?? Infinity)

  async function runLane(lane: Lane) {
    let left = patience
    for (let n = 0; n < (flows ?? Infinity) && left > 0; n++) {
      const from = performance.now()
      if (from >= ends) break
      try {
        await work(stage, lane)
        latencies.push(performance.now() - from)
      } catch (error) {
        left -= 1
        failed += 1
        if (failures.length < 3) failures.push(String(error))
      }
    }
  }
  await Promise.all(lanes.slice(0, flows ? 1 : concurrency).map(runLane))
  const seconds = (performance.now() - started) / 1000
  return {
    flows: latencies.length,
    seconds,
    requests: stage.http.sent() - sentBefore,
    ...percentiles(latencies),
    failed,
    failures,
  }
}

answerCalls({ prepare, run, passwords: measurePasswords, stop: () => process.exit(0) })
