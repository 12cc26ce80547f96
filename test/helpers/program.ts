/** `citygate serve` as a process of its own, and what its database holds before it starts. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { addClient } from '#admin/clients.ts'
import { loadConfig } from '#config/load.ts'
import { openLog } from '#lib/log.ts'
import { openApp } from '../../src/app.ts'
import { temporaryFolder } from './database.ts'
import { makeLocalAccount } from './local-account.ts'
import { plainRules } from './plain-rules.ts'
import { openRelyingParty, type RelyingParty } from './relying-party.ts'

const root = join(import.meta.dirname, '..', '..')

export type Program = {
  child: ChildProcess
  pid: number
  /** All it printed so far. */
  output(): string
  /** Process ids of its workers. */
  workers(): number[]
  /** Its exit code, null when a signal ended it. */
  ended: Promise<number | null>
  /** Sends the signal and waits for the end: exit code and milliseconds. */
  end(signal?: NodeJS.Signals): Promise<{ exit: number | null; ms: number }>
}

export const later = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until it is so, and says whether it was in time: long, where the time is not what the test is about. */
export async function until(
  is: () => boolean | Promise<boolean>,
  patienceMs = 60_000,
): Promise<boolean> {
  const end = performance.now() + patienceMs
  while (!(await is())) {
    if (performance.now() > end) return false
    await later(50)
  }
  return true
}

/** Starts it, without waiting until it answers. */
export function spawnProgram(t: ExecutionContext, env: NodeJS.ProcessEnv): Program {
  const child = spawn(process.execPath, ['bin/citygate.js', 'serve'], {
    cwd: root,
    env: { PATH: process.env.PATH, CITYGATE_CONFIG: plainRules(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const pid = child.pid ?? 0
  // Its workers end with it, and hold its output open until they have.
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    pid,
    ended,
    output: () => output,
    workers: () =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        .split(' ')
        .map(Number)
        .filter(Boolean),
    async end(signal = 'SIGTERM') {
      const started = performance.now()
      child.kill(signal)
      return { exit: await ended, ms: performance.now() - started }
    },
  }
}

/** Starts it and waits until it answers. Rejects with all it said when it does not. */
export async function startProgram(t: ExecutionContext, env: NodeJS.ProcessEnv): Promise<Program> {
  const program = spawnProgram(t, env)
  const over = program.ended.then((exit) => {
    throw new Error(`did not start, exit ${exit}: ${program.output()}`)
  })
  const up = until(() => program.output().includes('Citygate 城門'))
  if (!(await Promise.race([up, over]))) throw new Error(`does not answer: ${program.output()}`)
  over.catch(() => {})
  return program
}

/** The plain rules with something more at the end of `site.yaml`. */
export function writeConfig(t: ExecutionContext, more: string): string {
  const folder = join(temporaryFolder(t), 'site')
  cpSync(plainRules(), folder, { recursive: true })
  appendFileSync(join(folder, 'site.yaml'), more)
  return folder
}

export type Prepared = {
  rp: RelyingParty
  /** May ask for tokens in its own name. */
  machine: RelyingParty
  people: { account: string; password: string; sub: string }[]
}

/** Makes the database: its keys, an app, a machine, and people with passwords. */
export async function prepare(
  env: NodeJS.ProcessEnv,
  { firstParty = true, people = 1 } = {},
): Promise<Prepared> {
  const config = loadConfig(env, root)
  const app = await openApp(config, { log: openLog('silent') })
  const { house } = app
  const redirectUri = 'https://app.example/callback'
  const register = async (type: 'web' | 'machine') => {
    const added = await addClient(
      { ...house, resources: config.site.resources, actor: 'operator:test' },
      { name: '課程平台', type, redirectUris: type === 'web' ? [redirectUri] : [], firstParty },
    )
    if (added.kind === 'rejected') throw new Error(JSON.stringify(added.problems))
    return openRelyingParty(config.issuer, added.registration, redirectUri)
  }
  try {
    const made: Prepared['people'] = []
    for (let i = 0; i < people; i++) {
      const person = { account: `wang${i}@mail.edu.tw`, password: 'a long enough password' }
      const sub = await makeLocalAccount(house, { ...person, name: '王小明' })
      made.push({ ...person, sub })
    }
    const [rp, machine] = [await register('web'), await register('machine')]
    return { rp, machine, people: made }
  } finally {
    await app.close()
  }
}
