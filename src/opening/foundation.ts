/** What everything else stands on: the database with its schema, the keys, what is counted. */
import { openPasswords, type PasswordCost, type Passwords } from '#accounts/passwords.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import type { Config } from '#config/load.ts'
import type { HealthBoard } from '#federation/health-board.ts'
import { closeInTime } from '#lib/close-in-time.ts'
import type { Log } from '#lib/log.ts'
import { type Metrics, timed } from '#lib/measure.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Tracing } from '#lib/tracing.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import { type KeyRules, keyRules } from '#oidc/key-schedule.ts'
import { type Keys, openKeys } from '#oidc/keys.ts'
import { openStore, type Store } from '#store/store.ts'
import { openKeyFile } from './key-file.ts'
import { openMeasures, signingKeyAge } from './measures.ts'
import { openUpstreamHealth } from './upstream-health.ts'

export type Foundation = {
  config: Config
  /** The sandbox connects some of its own. */
  connectors: ConnectorConfig[]
  store: Store
  keyEncryption: KeyEncryption
  keyRules: KeyRules
  keys: Keys
  passwords: Passwords
  upstreamHealth: HealthBoard
  metrics: Metrics
  log: Log
  now: Now
  tracing: Tracing
  close(): Promise<void>
}

export type FoundationPorts = Pick<Foundation, 'connectors' | 'log' | 'now' | 'tracing'> & {
  /** Told that the outbox has something new. */
  queued: () => void
  passwordCost?: PasswordCost
}

/** Throws when the database cannot be had, or the keys do not open. */
export async function openFoundation(config: Config, ports: FoundationPorts): Promise<Foundation> {
  const { connectors, log, now, tracing, queued, passwordCost } = ports
  const metrics = await openMeasures(config, connectors, {
    passwordsWaiting: () => passwords.waiting(),
    pool: () => store.pool(),
    outbox: () => store.outbox.counts(),
    signingKeyAge: () => signingKeyAge(store, seconds(now)),
    upstreams: async () => standings().map((one) => [one.connector, one.state !== 'down']),
    certificates: () => standings().map((one) => [one.connector, one.certificateExpiresAt]),
  })
  const passwords = openPasswords({
    ...(passwordCost ? { cost: passwordCost } : {}),
    watch: (work) =>
      tracing.span('password hash', {}, () => timed(work, (took) => metrics.passwordHash(took))),
  })
  const database = openStore(config.database, {
    observe: config.metrics && metrics.statement,
    queued,
  })
  const store: Store = {
    ...database,
    transaction: (work) =>
      tracing.span('database transaction', {}, () => database.transaction(work)),
  }
  const upstreamHealth = openUpstreamHealth({ store, connectors, log, now })
  const standings = () => connectors.flatMap(({ id }) => upstreamHealth.find(id) ?? [])
  try {
    const migrated = await store.migrate()
    if (migrated.length > 0) log.info({ migrated }, 'schema is up to date')
    const keyEncryption = openKeyFile(config)
    const rules = keyRules(config.site)
    const keys = await openKeys(store, keyEncryption, now, rules)
    store.beginAudit(keys.audit)
    store.beginOutbox(keys.data)
    // Before anybody is let in: what staff switched off is.
    await upstreamHealth.look()
    return {
      config,
      connectors,
      store,
      keyEncryption,
      keyRules: rules,
      keys,
      passwords,
      upstreamHealth,
      metrics,
      log,
      now,
      tracing,
      close: () =>
        closeInTime(
          [
            ['passwords', passwords.close],
            ['upstream health', upstreamHealth.close],
            ['database', store.close],
          ],
          log,
        ),
    }
  } catch (error) {
    await store.close()
    throw error
  }
}
