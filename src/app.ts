/** The composition root: the only file that knows every room. */

import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCounters } from '#accounts/counters.ts'
import { openPasswordRules } from '#accounts/password-rules.ts'
import { openPasswords } from '#accounts/passwords.ts'
import type { RecoveryPorts } from '#accounts/recovery.ts'
import { openSchoolYear } from '#accounts/school-year.ts'
import type { Config } from '#config/load.ts'
import type { ConnectorConfig, Receiver } from '#config/schema.ts'
import { openConnectors } from '#federation/registry.ts'
import { failureOf, type Watch, watchConnector } from '#federation/watched.ts'
import { openAnswer } from '#http/answer.ts'
import { openAssets } from '#http/assets.ts'
import type { House } from '#http/house.ts'
import { formToken } from '#http/input.ts'
import { openKnownDevices } from '#http/known-devices.ts'
import { openLimits } from '#http/limits.ts'
import { linkPaths } from '#http/link-paths.ts'
import { openMetricsServer } from '#http/metrics-server.ts'
import { openClientLimits } from '#http/middleware/limits.ts'
import { openProviderPages } from '#http/pages.ts'
import { openRenderer } from '#http/render.ts'
import { openHealth } from '#http/routes/health.ts'
import { callbackPath } from '#http/routes/upstream.ts'
import { openHttp } from '#http/server.ts'
import { type Background, openBackground } from '#jobs/background.ts'
import { deriveKey } from '#lib/crypto.ts'
import { type Listening, listenOn } from '#lib/listen.ts'
import type { Log } from '#lib/log.ts'
import { type Metrics, timed, unmeasured } from '#lib/measure.ts'
import { openMessages } from '#lib/messages.ts'
import type { Watched } from '#lib/metrics.ts'
import { seconds } from '#lib/time.ts'
import { type Tracing, untraced } from '#lib/tracing.ts'
import { followKeys } from '#oidc/follow-keys.ts'
import { type KeyEncryption, openKeyEncryption } from '#oidc/key-encryption.ts'
import { keyRules } from '#oidc/key-schedule.ts'
import { openKeys } from '#oidc/keys.ts'
import { openLiveProvider } from '#oidc/live-provider.ts'
import { cookieNames, openProvider } from '#oidc/provider.ts'
import { findQuestion } from '#oidc/questions.ts'
import { openGuardedFetch } from '#outside/fetch.ts'
import { openLetters } from '#outside/letters.ts'
import type { SendMail } from '#outside/mail.ts'
import { openPictures } from '#outside/pictures.ts'
import { openStore, type Store } from '#store/store.ts'

import { openJoining } from './open-joining.ts'

const views = join(import.meta.dirname, '..', 'views')

export type AppPorts = {
  log: Log
  /** Milliseconds since 1970. */
  now?: () => number
  /** Origins that may be called although they are inside our network: the sandbox's. */
  allowOrigins?: string[]
  /** Upstreams in place of config's: the sandbox connects some. */
  connectors?: ConnectorConfig[]
  /** Takes mails in place of the mail server: the sandbox's mailbox. */
  sendMail?: SendMail
  /** Receivers of provisioning events in place of config's: the sandbox is one. */
  provisioning?: Record<string, Receiver>
  tracing?: Tracing
}

export type App = {
  house: House
  /** Takes over at once what another process did to the key ring; it is looked at every so often anyway. */
  lookAtKeys(): Promise<void>
  background: Background
  close(): Promise<void>
}

/** Opens everything but the port: files, database, schema, keys. Throws when one of them cannot be had. */
export async function openApp(config: Config, ports: AppPorts): Promise<App> {
  const { log, now = Date.now, tracing = untraced } = ports
  const connectors = ports.connectors ?? config.connectors
  const metrics = await openMeasures(config, connectors, {
    passwordsWaiting: () => passwords.waiting(),
    pool: () => store.pool(),
    outbox: () => store.outbox.counts(),
    signingKeyAge: () => signingKeyAge(store, seconds(now)),
  })
  const passwords = openPasswords({
    watch: (work) =>
      tracing.span('password hash', {}, () => timed(work, (took) => metrics.passwordHash(took))),
  })
  const pictures = openPictures()
  const database = openStore(config.database, {
    observe: config.metrics && metrics.statement,
    queued: () => background?.delivery.nudge(),
  })
  let background: Background | undefined
  const store: Store = {
    ...database,
    transaction: (work) =>
      tracing.span('database transaction', {}, () => database.transaction(work)),
  }
  try {
    const migrated = await store.migrate()
    if (migrated.length > 0) log.info({ migrated }, 'schema is up to date')
    const { keyEncryptionKey = ownKek(config.dataDir), previousKeyEncryptionKey: before } = config
    const kek = openKeyEncryption(keyEncryptionKey, ...(before ? [before] : []))
    const rules = keyRules(config.site)
    const keys = await openKeys(store, kek, now, rules)
    store.beginAudit(keys.audit)
    store.beginOutbox(keys.data)
    const fetch = openGuardedFetch({
      allow: [...config.site.outbound.allow, ...(ports.allowOrigins ?? [])],
    })
    const messages = openMessages(join(views, 'messages'))
    const assets = openAssets(join(views, 'assets'))
    const render = openRenderer({ viewsDir: views, messages, assets, site: config.site })
    const answer = openAnswer({
      render,
      messages,
      tokenFor: (ctx) => formToken(keys.form, ctx.state.device ?? ''),
    })
    const { issuer, site } = config
    const writeLetter = openLetters({ viewsDir: views, messages, site, issuer })
    const recovery: RecoveryPorts = {
      writeLetter,
      dataKey: keys.data,
      domain: site.local_accounts.domain,
      linkTo: (token) => `${issuer}${linkPaths.reset}/${token}`,
      linkSeconds: site.lifetimes.reset_link_seconds,
    }
    const counters = openCounters({ store, now, key: deriveKey(keys.data, 'counters') })
    const limits = openLimits({ rules: config.site.limits, counters, metrics, log, now })
    const clientLimits = openClientLimits(limits, now)
    const cookies = cookieNames(config.issuer)
    const pages = openProviderPages(answer)
    const providerPorts = {
      store,
      keys,
      now,
      fetch,
      pages,
      terms: config.terms,
      waitOf: clientLimits.waitOf,
    }
    const provider = openLiveProvider(() => openProvider(config.issuer, config.site, providerPorts))
    const judgePassword = openPasswordRules()
    const upstreams = watched(openConnectors(connectors, { fetch, now }), metrics, tracing)
    const enrolments = openJoining(
      { ...config, connectors },
      {
        store,
        now,
        dataKey: keys.data,
        writeLetter,
        linkUrl: (purpose, token) => `${issuer}${linkPaths[purpose]}/${token}`,
        resetUrl: `${issuer}${linkPaths.reset}`,
        passwords,
        judgePassword,
        counters,
        encodePicture: pictures.encode,
        connectors: upstreams,
      },
    )
    background = openBackground({
      store,
      log,
      now,
      random: Math.random,
      kek,
      keyRules: rules,
      provider: () => provider.current,
      fetch,
      sendMail:
        ports.sendMail ??
        (config.mail && (await import('#outside/mail.ts')).openMail(config.mail, now)),
      recovery,
      enrolments,
      graceSeconds: config.site.account.grace_days * 24 * 60 * 60,
      provisioning: openProvisioning(ports.provisioning ?? config.provisioning),
    })
    const house: House = {
      config: { ...config, connectors },
      store,
      get provider() {
        return provider.current
      },
      keys,
      keyEncryption: kek,
      trips: {
        store,
        now,
        dataKey: keys.data,
        connectors: upstreams,
        findQuestion: (uid) => findQuestion(provider.current, uid),
        callbackUrl: (connector) => `${config.issuer}${callbackPath(connector)}`,
        tripSeconds: config.site.lifetimes.upstream_trip_seconds,
        acr: config.site.acr.upstream,
        enrolmentOf: enrolments.enrolmentOf,
      },
      enrolments,
      passwords,
      judgePassword,
      pictures,
      limits,
      clientLimits,
      knownDevices: openKnownDevices(cookies.known, deriveKey(keys.data, 'known devices')),
      messages,
      writeLetter,
      recovery,
      schoolYear: openSchoolYear(site.affiliations.school_year_begins, now),
      assets,
      answer,
      log,
      metrics,
      tracing,
      health: openHealth({
        checks: {
          database: async () => {
            await store.ping()
            return true
          },
          migrations: async () => (await store.pendingMigrations()).length === 0,
          keys: async () => keys.signing.length > 0,
        },
        changed: (report) => log.warn(report, 'readiness'),
      }),
      now,
      cookies,
    }
    const follower = followKeys(keys, {
      store,
      kek,
      now,
      rules,
      log,
      onSigningKeys: provider.renew,
    })
    return {
      house,
      lookAtKeys: follower.look,
      background,
      async close() {
        await background?.close()
        await follower.close()
        await passwords.close()
        await pictures.close()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Counts only where an operator asked for it. */
async function openMeasures(
  { metrics }: Config,
  connectors: ConnectorConfig[],
  watched: Watched,
): Promise<Metrics> {
  if (!metrics) return unmeasured
  const { openMetrics } = await import('#lib/metrics.ts')
  return openMetrics(
    connectors.map(({ id }) => id),
    watched,
  )
}

/** The operator named these addresses, so they may be inside our network; nobody else's calls get there by that. */
function openProvisioning(receivers: Record<string, Receiver>) {
  const allow = Object.values(receivers).flatMap(({ endpoint }) => endpoint?.url ?? [])
  return { receivers, fetch: openGuardedFetch({ allow, totalMs: 10_000 }) }
}

async function signingKeyAge(store: Store, at: number): Promise<number | undefined> {
  const ring = await store.keyRing.list()
  const made = ring.filter(({ purpose }) => purpose === 'signing').map((key) => key.createdAt)
  return made.length > 0 ? at - Math.max(...made) : undefined
}

function watched(
  connectors: ReturnType<typeof openConnectors>,
  metrics: Metrics,
  tracing: Tracing,
) {
  const watch: Watch = (id, step, work) =>
    tracing.span(`upstream ${step}`, { 'citygate.connector': id }, () =>
      timed(work, (took, error) =>
        metrics.upstream(id, step, took, error === undefined ? undefined : failureOf(error)),
      ),
    )
  return new Map([...connectors].map(([id, one]) => [id, watchConnector(one, watch)]))
}

/** Outside production the key-encryption key is made at first start and stays beside the database. */
function ownKek(dataDir: string): Buffer {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'key-encryption-key')
  if (!existsSync(file)) {
    // Whole or not at all, and of two first starts the first one's.
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, randomBytes(32).toString('base64'), { mode: 0o400 })
    try {
      linkSync(draft, file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    } finally {
      unlinkSync(draft)
    }
  }
  return readKek(file)
}

function readKek(file: string): Buffer {
  const key = Buffer.from(readFileSync(file, 'utf8'), 'base64')
  if (key.length !== 32) throw new Error(`${file} is damaged: put it back from a backup`)
  return key
}

/** What seals the key ring, if it is there: makes nothing. */
export function findKeyEncryption(config: Config): KeyEncryption | undefined {
  const file = join(config.dataDir, 'key-encryption-key')
  const first = config.keyEncryptionKey ?? (existsSync(file) ? readKek(file) : undefined)
  const { previousKeyEncryptionKey: before } = config
  return first && openKeyEncryption(first, ...(before ? [before] : []))
}

/** How long a proxy may keep idle connections for its next request: most of them do so for a minute. */
const proxyKeepAlive = 65_000

/**
 * Serves the house on every configured address. Rejects in words when the port is taken. At the end idle connections
 * are left for `idleMs` to a proxy: it may be sending on one just now, and would not repeat a POST.
 */
export function listen(house: House, idleMs = 0): Promise<Listening> {
  const { port, hosts, trustedProxies, production } = house.config
  // Node-oidc-provider makes four errors for each token it accepts, in case; nobody reads where: the log has no stacks.
  if (production) Error.stackTraceLimit = 0
  const where = { port, hosts, variable: 'PORT', idleMs: trustedProxies.length > 0 ? idleMs : 0 }
  return listenOn(where, openHttp(house).callback(), {
    // Slow clients are cut off (slowloris); no request of ours needs large headers.
    headersTimeout: 15_000,
    requestTimeout: 30_000,
    keepAliveTimeout: trustedProxies.length > 0 ? proxyKeepAlive : 5_000,
    maxHeaderSize: 16_384,
  })
}

/** Serves the metrics if they are wanted. A worker's are its primary's to serve. */
export async function listenMetrics({ config, metrics }: House): Promise<Listening | undefined> {
  if (!config.metrics) return undefined
  const { default: cluster } = await import('node:cluster')
  return cluster.isWorker ? undefined : openMetricsServer(config.metrics, metrics.text)
}

/** In a cluster's primary: serves the metrics of all workers as one, if they are wanted. */
export async function serveClusterMetrics(config: Config): Promise<Listening | undefined> {
  if (!config.metrics) return undefined
  const { openClusterMetrics } = await import('#lib/metrics.ts')
  return openMetricsServer(config.metrics, openClusterMetrics().text)
}
