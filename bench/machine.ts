/** What the bench asks of the operating system: cores to run on, CPU time and memory of a process. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'

export type Placement = {
  /** In words, for the header. */
  words: string
  /** Puts a command line on the measured core, or on both. */
  place(where: 'measured' | 'everywhere', command: string[]): string[]
}

/** Puts this process, and so what it starts, on core 1 where that can be done: core 0 is for the measured server. */
export function placeProcesses(): Placement {
  const cores = availableParallelism()
  try {
    if (cores < 2) throw new Error('one core')
    execFileSync('taskset', ['-acp', '1', String(process.pid)], { stdio: 'pipe' })
  } catch {
    const words = `servers, load generator and database share ${cores} cores (no taskset, or one core)`
    return { words, place: (_where, command) => command }
  }
  return {
    words: 'the measured server on core 0; load generator and PostgreSQL on core 1',
    place: (where, command) => ['taskset', '-c', where === 'measured' ? '0' : '0,1', ...command],
  }
}

/** Clock ticks per second in /proc: the same on every Linux people run this on. */
const ticks = 100

/** Seconds of CPU a process and its children have used. */
export function cpuSeconds(pid: number): number {
  const parents = new Map<number, { parent: number; used: number }>()
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const stat = readStat(Number(name))
    if (stat) parents.set(Number(name), stat)
  }
  const used = (of: number): number => {
    let sum = parents.get(of)?.used ?? 0
    for (const [child, { parent }] of parents) if (parent === of) sum += used(child)
    return sum
  }
  return used(pid)
}

function readStat(pid: number): { parent: number; used: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command's name stands in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [, parent, user, system] = [fields[0], fields[1], fields[11], fields[12]].map(Number)
    return { parent: parent ?? 0, used: ((user ?? 0) + (system ?? 0)) / ticks }
  } catch {
    return undefined
  }
}

/** Megabytes of memory a process holds. */
export function rssMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
