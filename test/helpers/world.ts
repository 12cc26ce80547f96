/** A whole Citygate on ports of its own, with its sandbox, for one test. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { PasswordCost } from '#accounts/passwords.ts'
import { addClient, type NewClient } from '#admin/clients.ts'
import { type Config, loadConfig } from '#config/load.ts'
import type { House } from '#http/house.ts'
import { openLog } from '#lib/log.ts'
import { openMessages } from '#lib/messages.ts'
import type { Where } from '#store/store.ts'
import { openApp } from '../../src/app.ts'
import { listen } from '../../src/opening/listening.ts'
import {
  createPostgres,
  dropPostgres,
  noteWhere,
  temporaryFolder,
  testEngine,
  whereOf,
} from './database.ts'
import { freePort } from './free-port.ts'
import { makeLocalAccount } from './local-account.ts'
import { madeOnce } from './made-once.ts'
import { openRelyingParty, type RelyingParty } from './relying-party.ts'
import { beginWhenTold } from './when-told.ts'

const root = join(import.meta.dirname, '..', '..')

export type World = {
  issuer: string
  /** Of the sandbox. */
  demo: string
  counties: string
  house: House
  /** Takes over at once what another process did to the key ring. */
  lookAtKeys(): Promise<void>
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

type Site = Config['site']
type LimitRules = Site['limits']

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
  /** Other numbers than the real ones, where a test is about something else or has no patience. */
  limits?: { [Group in keyof LimitRules]?: Partial<LimitRules[Group]> }
  session?: Partial<Site['session']>
  passwordCost?: PasswordCost
  /** Upstreams have no longer than they usually have: where one hangs. */
  hurries?: boolean
  /** What requests under way have when it closes. */
  graceMs?: number
  affiliations?: Site['affiliations']
  registration?: Site['registration']
  /** What everybody must have agreed to; nothing, where a test is about something else. */
  agreements?: Site['agreements']
  terms?: Config['terms']
  /** Ways to join; none, where a test is about something else: who comes from a county has an account at once. */
  enrolments?: Config['enrolments'] | 'as configured'
}

/** Read once for all worlds of a file. */
const messages = openMessages(join(root, 'views', 'messages'))

/** Databases of worlds by their data directory: a restart comes back to its own. */
const databases = new Map<string, Where>()

/** A data directory and a database with schema and keys: RSA keys take a second each. */
export const worldTemplate = madeOnce(`world-${testEngine}`, async (folder) => {
  const env = { SANDBOX: 'off', DATA_DIR: folder, ...(await databaseOf(folder)) }
  const config = loadConfig(env, root)
  await (await openApp(config, { log: openLog('silent') })).close()
  noteWhere(folder, config.database)
})

/** What the pretend world makes for itself, in a folder of its own: its schema, certificates that take a while. */
export const pretendTemplate = madeOnce('pretend', async (folder) => {
  const config = loadConfig({ SANDBOX: 'on', DATA_DIR: folder }, root)
  const { prepareSandbox } = await import('#sandbox/wiring.ts')
  if (config.sandbox) await (await prepareSandbox(config, config.sandbox)).close()
})

/** The environment that names a data directory's database, made from the template where there is none yet. */
async function databaseOf(
  dataDir: string,
  template?: Where,
  t?: ExecutionContext,
): Promise<NodeJS.ProcessEnv> {
  if (testEngine === 'sqlite') return {}
  const known = databases.get(dataDir)
  const where = known ?? (await createPostgres(template))
  databases.set(dataDir, where)
  if (where.engine !== 'postgres') throw new Error('a world changes its engine')
  if (!known && t) t.teardown(() => dropPostgres(where))
  return { DATABASE_URL: where.url, DATABASE_POOL: '5', DATABASE_TIMEOUT_MS: '20000' }
}

function withLimits(rules: LimitRules, { limits = {} }: Options): LimitRules {
  return {
    sign_in: { ...rules.sign_in, ...limits.sign_in },
    sources: { ...rules.sources, ...limits.sources },
    clients: { ...rules.clients, ...limits.clients },
    devices: { ...rules.devices, ...limits.devices },
    joining: { ...rules.joining, ...limits.joining },
    recovery: { ...rules.recovery, ...limits.recovery },
  }
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

/** A data directory with schema and keys, on SQLite: for programs that are processes of their own. */
export async function preparedFolder(t: ExecutionContext): Promise<string> {
  const folder = temporaryFolder(t)
  if (testEngine === 'sqlite') cpSync(await worldTemplate(), folder, { recursive: true })
  return folder
}

async function openWorld(t: ExecutionContext, options: Options): Promise<World> {
  const ports = options.ports ?? (await Promise.all([freePort(), freePort(), freePort()]))
  const [PORT, DEMO_PORT, SANDBOX_PORT] = ports
  const dataDir = options.dataDir ?? temporaryFolder(t)
  let template: Where | undefined
  if (!options.dataDir && !options.freshKeys) {
    const folder = await worldTemplate()
    template = whereOf(folder)
    cpSync(folder, dataDir, { recursive: true })
    if (options.sandbox) cpSync(await pretendTemplate(), dataDir, { recursive: true })
  }
  const read = loadConfig(
    {
      PORT: String(PORT),
      DEMO_PORT: String(DEMO_PORT),
      SANDBOX_PORT: String(SANDBOX_PORT),
      SANDBOX: options.sandbox ? 'on' : 'off',
      HOST: '127.0.0.1,::1',
      DATA_DIR: dataDir,
      ...(await databaseOf(dataDir, template, t)),
      ...options.env,
    },
    root,
  )
  const config: Config = {
    ...read,
    terms: options.terms ?? read.terms,
    site: {
      ...read.site,
      limits: withLimits(read.site.limits, options),
      session: { ...read.site.session, ...options.session },
      affiliations: { ...read.site.affiliations, ...options.affiliations },
      registration: options.registration ?? read.site.registration,
      agreements: options.agreements ?? [],
    },
    enrolments:
      options.enrolments === 'as configured' ? read.enrolments : (options.enrolments ?? []),
  }
  const lines: string[] = []
  // Read only where it is wanted: most tests do without the pretend counties.
  const wiring = config.sandbox && (await import('#sandbox/wiring.ts'))
  const opened: { close(): Promise<void> }[] = []
  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one)
    return one
  }
  const openAll = async () => {
    const town =
      config.sandbox && wiring && keep(await wiring.prepareSandbox(config, config.sandbox))
    const app = keep(
      await openApp(config, {
        log: openLog('info', { write: (line: string) => lines.push(line) }),
        now: options.now,
        messages,
        // Hundreds of people sign in here; what a real hash costs is for test/accounts/local to say.
        passwordCost: options.passwordCost ?? { memoryCost: 1_024, timeCost: 1 },
        // The counties are in this process, and many worlds are: what is slow here is not down.
        ...(options.hurries ? {} : { upstreamPatienceMs: 20_000 }),
        ...town?.appPorts,
      }),
    )
    keep(await listen(app.house, { graceMs: options.graceMs }))
    if (town) keep(await town.open(app.house))
    // Jobs run when a test says so: a clock that jumps must not set them off at a moment of their own.
    beginWhenTold(app.background.delivery)
    return app
  }
  const close = async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
  }
  const app = await openAll().catch(async (error: unknown) => {
    await close()
    throw error
  })
  t.teardown(close)
  const { house } = app
  const counties = `http://localhost:${SANDBOX_PORT}`

  return {
    issuer: config.issuer,
    demo: `http://localhost:${DEMO_PORT}`,
    counties,
    house,
    lookAtKeys: app.lookAtKeys,
    log: lines,
    dataDir,
    ports,
    close,
    async buildApp(overrides = {}) {
      const redirectUri = overrides.redirectUris?.[0] ?? 'https://app.example/callback'
      const added = await addClient(
        { ...house, resources: config.site.resources, actor: 'operator:test' },
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
      return { ...wanted, sub: await makeLocalAccount(house, wanted) }
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
