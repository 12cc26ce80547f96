/** Every metric we have, with its labels. Read only where an operator asked for metrics: prom-client is not small. */
import cluster from 'node:cluster'
import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  Registry,
} from 'prom-client'
import type { Metrics } from './measure.ts'

export type Pool = { used: number; free: number; waiting: number }

/** What has a value at every moment, read when somebody scrapes. Absent, or failing, it has no sample. */
export type Watched = {
  passwordsWaiting: () => number
  pool?: () => Pool | undefined
  outbox?: () => Promise<{ waiting: number; dead: number }>
  upstreams?: () => Promise<Iterable<readonly [connector: string, up: boolean]>>
  /** Seconds since 1970, where it is known. */
  certificates?: () => Iterable<readonly [connector: string, expires: number | undefined]>
  /** Seconds since the key we sign with was made. */
  signingKeyAge?: () => Promise<number | undefined>
}

/** How several processes' values become one. */
type Together = 'sum' | 'max' | 'min'

const milliseconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
const answers = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const grantTypes = new Set([
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
])
const tokenOutcomes = new Set([
  'issued',
  'server_error',
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'unauthorized_client',
  'unsupported_grant_type',
  'authorization_pending',
  'slow_down',
  'expired_token',
  'access_denied',
])

/** `connectors`: the ids there are. Any other id comes from a stranger's address bar and gets no series of its own. */
export function openMetrics(connectors: Iterable<string>, watched: Watched): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const known = new Set(['', ...connectors])
  const connectorOf = (id: string) => (known.has(id) ? id : 'unknown')

  const signIns = new Counter({
    name: 'citygate_sign_ins_total',
    help: 'Sign-ins tried, by the way people came and how it ended.',
    labelNames: ['way', 'connector', 'outcome'],
    registers,
  })
  const upstreamSeconds = new Histogram({
    name: 'citygate_upstream_seconds',
    help: 'How long upstreams took, at the departure and at the return of a trip.',
    labelNames: ['connector', 'step'],
    buckets: answers,
    registers,
  })
  const upstreamErrors = new Counter({
    name: 'citygate_upstream_errors_total',
    help: 'Trips an upstream failed, by kind of failure.',
    labelNames: ['connector', 'failure'],
    registers,
  })
  const tokens = new Counter({
    name: 'citygate_tokens_issued_total',
    help: 'Answers of the token endpoint: issued, or the OAuth error.',
    labelNames: ['grant_type', 'outcome'],
    registers,
  })
  const hashing = new Histogram({
    name: 'citygate_password_hash_seconds',
    help: 'How long one password hash took, without the wait before it.',
    buckets: answers,
    registers,
  })
  const requests = new Histogram({
    name: 'citygate_http_request_seconds',
    help: 'How long requests took, by route pattern.',
    labelNames: ['route', 'method', 'status'],
    buckets: answers,
    registers,
  })
  const database = new Histogram({
    name: 'citygate_database_seconds',
    help: 'How long statements took, the wait for a connection included.',
    labelNames: ['statement'],
    buckets: milliseconds,
    registers,
  })
  const limited = new Counter({
    name: 'citygate_rate_limited_total',
    help: 'Requests turned away for being too many, by what was counted.',
    labelNames: ['endpoint', 'key'],
    registers,
  })

  /** A gauge that asks when it is read. Whoever cannot answer just now must not spoil the whole scrape. */
  const gauge = <Label extends string = never>(
    name: string,
    help: string,
    aggregator: Together,
    read: (it: Gauge<Label>) => Promise<void>,
    labelNames: Label[] = [],
  ) => {
    const settings: GaugeConfiguration<Label> = { name, help, aggregator, labelNames, registers }
    const made: Gauge<Label> = new Gauge<Label>({
      ...settings,
      async collect() {
        // `reset` would say zero where nothing is known.
        if (labelNames.length > 0) made.reset()
        else made.remove()
        await read(made).catch(() => {})
      },
    })
  }
  const value = (
    name: string,
    help: string,
    together: Together,
    read: () => Promise<number | undefined> | number | undefined,
  ) =>
    gauge(name, help, together, async (it) => {
      const now = await read()
      if (now !== undefined) it.set(now)
    })

  value('citygate_password_queue_waiting', 'Hashes that wait for their turn.', 'sum', () =>
    watched.passwordsWaiting(),
  )
  const { pool, outbox } = watched
  value('citygate_database_pool_used', 'Connections at work.', 'sum', () => pool?.()?.used)
  value('citygate_database_pool_free', 'Connections open and idle.', 'sum', () => pool?.()?.free)
  value(
    'citygate_database_pool_waiting',
    'Statements that wait for a connection.',
    'sum',
    () => pool?.()?.waiting,
  )
  value(
    'citygate_outbox_waiting',
    'Messages not delivered yet.',
    'max',
    async () => (await outbox?.())?.waiting,
  )
  value(
    'citygate_outbox_dead',
    'Messages given up: somebody must look.',
    'max',
    async () => (await outbox?.())?.dead,
  )
  value('citygate_signing_key_age_seconds', 'Age of the newest signing key.', 'max', () =>
    watched.signingKeyAge?.(),
  )
  gauge(
    'citygate_upstream_up',
    'Whether an upstream answered when last asked.',
    'min',
    async (it) => {
      for (const [connector, up] of (await watched.upstreams?.()) ?? []) {
        it.set({ connector: connectorOf(connector) }, up ? 1 : 0)
      }
    },
    ['connector'],
  )

  gauge(
    'citygate_upstream_certificate_expiry_seconds',
    'When the first of an upstream’s certificates expires, seconds since 1970.',
    'min',
    async (it) => {
      for (const [connector, expires] of watched.certificates?.() ?? []) {
        if (expires !== undefined) it.set({ connector: connectorOf(connector) }, expires)
      }
    },
    ['connector'],
  )

  if (cluster.isWorker) answerPrimary(registry)

  return {
    signIn: (way, connector, outcome) =>
      signIns.inc({ way, connector: connectorOf(connector), outcome }),
    upstream(connector, step, seconds, failure) {
      const id = connectorOf(connector)
      upstreamSeconds.observe({ connector: id, step }, seconds)
      if (failure) upstreamErrors.inc({ connector: id, failure })
    },
    token: (grantType, outcome) =>
      tokens.inc({
        grant_type: grantTypes.has(grantType) ? grantType : 'other',
        outcome: tokenOutcomes.has(outcome) ? outcome : 'other',
      }),
    passwordHash: (seconds) => hashing.observe(seconds),
    request: (route, method, status, seconds) =>
      requests.observe({ route, method: methods.has(method) ? method : 'other', status }, seconds),
    statement: (statement, seconds) => database.observe({ statement }, seconds),
    rateLimited: (endpoint, key) => limited.inc({ endpoint, key }),
    text: () => registry.metrics(),
  }
}

/** In a worker of a cluster nobody scrapes us: the primary asks. */
function answerPrimary(registry: Registry) {
  AggregatorRegistry.setRegistries([registry])
  new AggregatorRegistry()
}

/** In the primary of a cluster: all workers' metrics as one text. */
export function openClusterMetrics(): Pick<Metrics, 'text'> {
  const workers = new AggregatorRegistry()
  return { text: () => workers.clusterMetrics() }
}
