/** A whole Citygate on ports of its own, with its sandbox, for one test. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { addClient, type NewClient } from '#admin/clients.ts'
import { addPerson } from '#admin/people.ts'
import { loadConfig } from '#config/load.ts'
import type { House } from '#http/house.ts'
import { openLog } from '#lib/log.ts'
import { listen, openApp } from '../../src/app.ts'
import { temporaryFolder } from './database.ts'
import { openRelyingParty, type RelyingParty } from './relying-party.ts'

const root = join(import.meta.dirname, '..', '..')

// Below the range that outgoing connections take theirs from, in a block of this process's own.
let nextPort = 10_240 + (process.pid % 107) * 200

/** A port nobody listens on just now, and no other world of this process was given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}

export type World = {
  issuer: string
  /** Of the sandbox. */
  demo: string
  counties: string
  house: House
  /** Every log line so far. */
  log: string[]
  dataDir: string
  /** Ours, the demo app's, the counties'. */
  ports: [number, number, number]
  /** Registers an app and gives a relying party that acts as it. */
  buildApp(overrides?: Partial<NewClient>): Promise<RelyingParty>
  /** A local account with a password. */
  buildPerson(overrides?: {
    account?: string
    name?: string
  }): Promise<typeof person & { sub: string }>
  /** Breaks or mends a county of the sandbox. */
  switchCounty(county: string, mode: string): Promise<void>
  close(): Promise<void>
}

const person = { account: 'wang@mail.edu.tw', name: '王小明', password: 'a long enough password' }

type Options = {
  sandbox?: boolean
  /** Of an earlier world: a restart. */
  dataDir?: string
  /** Makes its own keys: its key-encryption key is not the template's. */
  freshKeys?: boolean
  /** Ports of an earlier world. */
  ports?: World['ports']
  now?: () => number
  env?: NodeJS.ProcessEnv
}

let template: Promise<string> | undefined

/** A database with schema and keys, made once per test file: RSA keys take a second each. */
function prepareTemplate(): Promise<string> {
  template ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'citygate-template-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    const config = { ...loadConfig({ SANDBOX: 'off' }, root), dataDir: folder }
    await (await openApp(config, { log: openLog('silent') })).close()
    return folder
  })()
  return template
}

export async function buildWorld(t: ExecutionContext, options: Options = {}): Promise<World> {
  for (let tries = 1; ; tries++) {
    try {
      return await openWorld(t, options)
    } catch (error) {
      // Another test run was faster to a port; one that was asked for by number is not exchanged.
      if (options.ports || tries === 5 || !/is taken by another/.test(String(error))) throw error
    }
  }
}

async function openWorld(t: ExecutionContext, options: Options): Promise<World> {
  const ports = options.ports ?? (await Promise.all([freePort(), freePort(), freePort()]))
  const [PORT, DEMO_PORT, SANDBOX_PORT] = ports
  const dataDir = options.dataDir ?? temporaryFolder(t)
  if (!options.dataDir && !options.freshKeys)
    cpSync(await prepareTemplate(), dataDir, { recursive: true })
  const config = loadConfig(
    {
      PORT: String(PORT),
      DEMO_PORT: String(DEMO_PORT),
      SANDBOX_PORT: String(SANDBOX_PORT),
      SANDBOX: options.sandbox ? 'on' : 'off',
      HOST: '127.0.0.1,::1',
      ...options.env,
    },
    root,
  )
  const lines: string[] = []
  // Read only where it is wanted: most tests do without the pretend counties.
  const wiring = config.sandbox && (await import('#sandbox/wiring.ts'))
  const pretend = config.sandbox && wiring?.prepareSandbox({ ...config, dataDir }, config.sandbox)
  const app = await openApp(
    { ...config, dataDir },
    {
      log: openLog('info', { write: (line: string) => lines.push(line) }),
      now: options.now,
      ...pretend?.appPorts,
    },
  )
  const opened: { close(): Promise<void> }[] = [app]
  try {
    opened.push(await listen(app.house))
    const sandbox = await pretend?.open(app.house)
    if (sandbox) opened.push(sandbox)
  } catch (error) {
    for (const one of opened.reverse()) await one.close()
    throw error
  }
  let open = true
  const close = async () => {
    if (!open) return
    open = false
    for (const one of opened.reverse()) await one.close()
  }
  t.teardown(close)
  const { house } = app
  const counties = `http://localhost:${SANDBOX_PORT}`

  return {
    issuer: config.issuer,
    demo: `http://localhost:${DEMO_PORT}`,
    counties,
    house,
    log: lines,
    dataDir,
    ports,
    close,
    async buildApp(overrides = {}) {
      const redirectUri = overrides.redirectUris?.[0] ?? 'https://app.example/callback'
      const added = await addClient(
        { ...house, resources: config.site.resources },
        {
          name: '課程平台',
          type: 'web',
          redirectUris: overrides.type === 'machine' ? [] : [redirectUri],
          firstParty: true,
          ...overrides,
        },
      )
      if (added.kind === 'rejected') throw new Error(JSON.stringify(added.problems))
      return openRelyingParty(config.issuer, added.registration, redirectUri)
    },
    async buildPerson(overrides = {}) {
      const wanted = { ...person, ...overrides }
      const added = await addPerson(house.store, wanted, house)
      if (added.kind === 'rejected') throw new Error(JSON.stringify(added.problems))
      return { ...wanted, sub: added.accountId }
    },
    async switchCounty(county, mode) {
      const body = new URLSearchParams({ mode })
      const answer = await fetch(`${counties}/${county}/switch`, {
        method: 'POST',
        body,
        redirect: 'manual',
      })
      if (answer.status >= 400) throw new Error(`switch ${county} ${mode}: ${answer.status}`)
    },
  }
}
