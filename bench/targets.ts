/** The servers under load: each a process of its own, alive for the whole run. */
import { spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CallTo, callsTo } from './ipc.ts'
import { freePort, type Placement } from './machine.ts'
import type { Site } from './site.ts'

export const root = join(import.meta.dirname, '..')

export type TargetName = 'ceiling' | 'sqlite' | 'pg'

/** How a server is started: what follows `node`, and its environment. */
export type Recipe = { name: TargetName; port: number; command: string[]; env: NodeJS.ProcessEnv }

export type Target = {
  name: TargetName
  recipe: Recipe
  pid: number
  site: Site
  call: CallTo
  /** Ends it in order, so that a profile is written. */
  stop(): Promise<void>
}

const bare = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR }

/** The bare provider, with plain node flags and keys of our sizes. */
export async function ceilingRecipe(): Promise<Recipe> {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const keys = [
    { ...rsa.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' },
    { ...ec.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' },
  ]
  const port = await freePort()
  const env = {
    ...bare,
    NODE_ENV: 'production',
    PORT: String(port),
    BENCH_JWKS: JSON.stringify(keys),
  }
  return { name: 'ceiling', port, command: ['bench/ceiling.ts'], env }
}

/** Ours, as in production: https issuer, a key-encryption key, log level info. */
export async function ourRecipe(
  name: 'sqlite' | 'pg',
  storage: { DATA_DIR: string; DATABASE_URL?: string },
  flags: string[],
): Promise<Recipe> {
  const port = await freePort()
  const env = {
    ...bare,
    NODE_ENV: 'production',
    PORT: String(port),
    HOST: '127.0.0.1',
    ISSUER: 'https://id.bench.example',
    CITYGATE_CONFIG: 'bench/config',
    CITYGATE_KEK: randomBytes(32).toString('base64'),
    BENCH_CLIENT_ID: 'citygate',
    BENCH_CLIENT_SECRET: 'nobody asks for it',
    ...storage,
  }
  return { name, port, command: [...startFlags(), ...flags, 'bench/server.ts'], env }
}

/** The node flags of `npm start`: what operators run is what is measured. */
function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return /^node (.*?)bin\/citygate\.js/.exec(scripts.start)?.[1]?.split(' ').filter(Boolean) ?? []
}

/** The same deployment as the operator starts it, on a port of its own. */
export async function serveRecipe(recipe: Recipe): Promise<Recipe> {
  const port = await freePort()
  const command = [...recipe.command.slice(0, -1), 'bin/citygate.js', 'serve']
  return { ...recipe, port, command, env: { ...recipe.env, PORT: String(port) } }
}

/** Starts `command` under node. Its log goes to BENCH_LOG or nowhere, its complaints to our standard error. */
export function startNode(
  placement: Placement,
  where: 'measured' | 'everywhere' | 'beside',
  { command, env }: Pick<Recipe, 'command' | 'env'>,
) {
  const whole = [process.execPath, ...command]
  const [file = '', ...args] = where === 'beside' ? whole : placement.place(where, whole)
  const log = openSync(process.env.BENCH_LOG ?? '/dev/null', 'a')
  return spawn(file, args, { cwd: root, env, stdio: ['ignore', log, 'inherit', 'ipc'] })
}

export async function startTarget(placement: Placement, recipe: Recipe): Promise<Target> {
  const child = startNode(placement, 'measured', recipe)
  const call = callsTo(child, recipe.name)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const site = await call<Site>('open')
  const pid = child.pid ?? 0
  return {
    name: recipe.name,
    recipe,
    pid,
    site,
    call,
    async stop() {
      if (child.connected) await Promise.race([call('stop').catch(() => undefined), ended])
      await ended
    },
  }
}

/** Starts the load generator. */
export function startLoad(placement: Placement) {
  const child = startNode(placement, 'beside', { command: ['bench/load.ts'], env: bare })
  return { call: callsTo(child, 'the load generator'), stop: () => child.disconnect() }
}
