/** Files and environment become one frozen Config, or a ConfigError that lists every problem at once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { readSender, type Sender } from '#lib/mail.ts'
import { type Network, readNetwork } from '#lib/networks.ts'
import type { Terms } from '#lib/terms.ts'
import { ConfigError, type ConfigProblem } from '../errors.ts'
import { checkConnectors } from './check-connectors.ts'
import { checkEnrolment } from './check-enrolment.ts'
import {
  type ConnectorConfig,
  type ConnectorFile,
  type ConnectorType,
  type Credentials,
  connectorFile,
} from './connector.ts'
import { type EnrolmentRules, enrolmentFile } from './enrolment.ts'
import { readReceivers } from './receivers.ts'
import {
  defaultRules,
  type Environment,
  environment,
  type Receiver,
  type SiteFile,
  siteFile,
} from './schema.ts'
import { readTerms } from './terms.ts'
import { readYaml } from './yaml.ts'

export type Config = {
  production: boolean
  /** Origin, no trailing slash. Every link and redirect of ours begins with it. */
  issuer: string
  port: number
  hosts: string[]
  /** Whose X-Forwarded-For counts. */
  trustedProxies: Network[]
  /** Processes that answer requests. */
  workers: number
  drainDelayMs: number
  /** Ports of the pretend world; absent where it must not run. */
  sandbox?: { demoPort: number; sandboxPort: number }
  dataDir: string
  database: DatabaseConfig
  /** 32 bytes given by the operator; absent outside production, where one is made in the data directory. */
  keyEncryptionKey?: Buffer
  /** The one before, which some rows of the ring may still be sealed under. */
  previousKeyEncryptionKey?: Buffer
  /** The one to seal the ring under, for the command that does it. */
  newKeyEncryptionKey?: Buffer
  /** Who takes our mails; absent, they wait in the outbox. */
  mail?: { url: string; from: Sender }
  /** Where metrics are served; absent where nobody asked for them. */
  metrics?: { port: number; host: string }
  logLevel: Environment['LOG_LEVEL']
  site: SiteFile
  /** In the selector's order. */
  connectors: ConnectorConfig[]
  /** What people agree to. */
  terms: Terms
  /** Who is told of what happens here, by id. */
  provisioning: Record<string, Receiver>
  /** The ways to join. */
  enrolments: EnrolmentRules[]
}

/** One of two engines. */
export type DatabaseConfig =
  | { engine: 'sqlite'; file: string; synchronous: 'normal' | 'full' }
  | { engine: 'postgres'; url: string; connections: number; patienceMs: number }

function readDatabase(vars: Environment, dataDir: string): DatabaseConfig {
  const { DATABASE_URL: url, DATABASE_POOL: connections, SQLITE_SYNCHRONOUS: synchronous } = vars
  return url
    ? { engine: 'postgres', url, connections, patienceMs: vars.DATABASE_TIMEOUT_MS }
    : { engine: 'sqlite', file: join(dataDir, 'citygate.sqlite3'), synchronous }
}

/** The key in our documentation's examples (43 times A): public, hence refused. */
const exampleKey = Buffer.alloc(32)

/** Reads `CITYGATE_CONFIG` and the environment. Throws ConfigError. Opens nothing but files. */
export function loadConfig(env: NodeJS.ProcessEnv, cwd = process.cwd()): Config {
  const problems: ConfigProblem[] = []
  const complain = (key: string, message: string) =>
    problems.push({ file: 'environment', key, message })

  // An empty variable means "not set": that is how compose files and systemd units blank one out.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = environment.safeParse(given)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) complain(issue.path.join('.'), issue.message)
    const root = resolve(cwd, given.CITYGATE_CONFIG ?? defaultRules)
    const terms = readTerms(root, cwd, problems)
    const site = readSite(root, cwd, terms, problems)
    const connectors = readConnectors(root, cwd, given, problems)
    readEnrolments(root, cwd, { connectors, terms, site }, problems)
    throw new ConfigError(problems)
  }
  const vars = parsed.data
  const production = vars.NODE_ENV === 'production'
  const issuer = vars.ISSUER ?? `http://localhost:${vars.PORT}`

  if (production) {
    if (!vars.ISSUER)
      complain('ISSUER', 'must be set in production to the https address people see')
    else if (!issuer.startsWith('https:')) complain('ISSUER', 'must be https in production')
    if (vars.SANDBOX === 'on') {
      complain(
        'SANDBOX',
        'the sandbox has public passwords and must not run in production; unset it',
      )
    }
  }
  // Its passwords are public: by itself it runs only where nobody else comes by.
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(URL.parse(issuer)?.hostname ?? '')
  const sandbox = vars.SANDBOX ?? (local ? 'on' : 'off')
  const hosts = vars.HOST?.split(',').map((host) => host.trim())
  if (hosts?.includes(''))
    complain('HOST', 'has a blank address; list addresses with commas between')
  const trustedProxies = readTrustedProxies(vars.TRUSTED_PROXIES, complain)
  const [keyEncryptionKey, previousKeyEncryptionKey, newKeyEncryptionKey] = kekNames.map((name) =>
    readKek(name, vars, production && name === 'CITYGATE_KEK', complain),
  )
  const mail = readMail(vars, complain)
  const root = resolve(cwd, vars.CITYGATE_CONFIG)
  const terms = readTerms(root, cwd, problems)
  const site = readSite(root, cwd, terms, problems)
  const provisioning = readReceivers(site?.provisioning ?? {}, given, complain)
  const connectors = readConnectors(root, cwd, given, problems)
  const enrolments = readEnrolments(root, cwd, { connectors, terms, site }, problems)
  if (problems.length > 0 || !site) throw new ConfigError(problems)

  return Object.freeze({
    production,
    issuer,
    port: vars.PORT,
    hosts: hosts ?? (production ? ['::'] : ['127.0.0.1', '::1']),
    trustedProxies,
    workers: vars.WORKERS,
    drainDelayMs: vars.DRAIN_DELAY_MS,
    sandbox:
      production || sandbox === 'off'
        ? undefined
        : { demoPort: vars.DEMO_PORT, sandboxPort: vars.SANDBOX_PORT },
    dataDir: resolve(cwd, vars.DATA_DIR),
    database: readDatabase(vars, resolve(cwd, vars.DATA_DIR)),
    keyEncryptionKey,
    previousKeyEncryptionKey,
    newKeyEncryptionKey,
    mail,
    metrics:
      vars.METRICS_PORT === undefined
        ? undefined
        : { port: vars.METRICS_PORT, host: vars.METRICS_HOST },
    logLevel: vars.LOG_LEVEL,
    site,
    connectors,
    terms,
    provisioning,
    enrolments,
  })
}

function readTrustedProxies(
  text: string | undefined,
  complain: (key: string, message: string) => void,
): Network[] {
  if (text === undefined) return []
  return text.split(',').flatMap((entry) => {
    const network = readNetwork(entry)
    if (network) return [network]
    complain(
      'TRUSTED_PROXIES',
      `has "${entry.trim()}"; list addresses or networks such as 10.0.0.5 or 10.0.0.0/8 with commas between, never everybody`,
    )
    return []
  })
}

function readMail(
  { SMTP_URL: url, MAIL_FROM: sender }: Environment,
  complain: (key: string, message: string) => void,
): Config['mail'] {
  if (url && !sender) complain('MAIL_FROM', 'must be set beside SMTP_URL')
  if (sender && !url) complain('SMTP_URL', 'must be set beside MAIL_FROM')
  const from = sender ? readSender(sender) : undefined
  return url && from ? { url, from } : undefined
}

const kekNames = ['CITYGATE_KEK', 'CITYGATE_KEK_PREVIOUS', 'CITYGATE_NEW_KEK'] as const

function readKek(
  name: (typeof kekNames)[number],
  vars: Environment,
  required: boolean,
  complain: (key: string, message: string) => void,
): Buffer | undefined {
  const howTo = 'make one with `openssl rand -base64 32`'
  const file = vars[`${name}_FILE`]
  let text = vars[name]
  if (file) {
    try {
      text = readFileSync(file, 'utf8').trim()
    } catch {
      complain(`${name}_FILE`, 'names a file that cannot be read')
      return undefined
    }
  }
  if (text === undefined) {
    if (required) complain(name, `must be set in production (or ${name}_FILE); ${howTo}`)
    return undefined
  }
  if (vars[name] && file) {
    complain(name, `is set beside ${name}_FILE; which one counts? unset one`)
  }
  const key = Buffer.from(text, 'base64')
  if (key.length !== 32) complain(name, `must be 32 bytes in base64; ${howTo}`)
  else if (vars.NODE_ENV === 'production' && key.equals(exampleKey)) {
    complain(name, `is the example from the documentation; ${howTo}`)
  }
  return key
}

function readSite(
  root: string,
  cwd: string,
  terms: Terms,
  problems: ConfigProblem[],
): SiteFile | undefined {
  const file = join(root, 'site.yaml')
  const read = readYaml(file, siteFile, ({ agreements }, complain) => {
    for (const [i, id] of agreements.entries()) {
      if (!terms.ids.includes(id))
        complain(['agreements', i], `has no file terms/${id}.<day>.<language>.md`)
    }
  })
  problems.push(...read.problems.map((p) => ({ ...p, file: relative(cwd, file) })))
  return read.value
}

/** Names of the files in a folder, if it is there. What is meant as one and would not be read is said. */
function yamlFiles(folder: string, cwd: string, problems: ConfigProblem[]): string[] {
  const names = existsSync(folder) ? readdirSync(folder).sort() : []
  for (const name of names.filter((one) => one.endsWith('.yml'))) {
    const file = relative(cwd, join(folder, name))
    problems.push({ file, key: '', message: 'is not read: its name must end in .yaml' })
  }
  return names.filter((name) => name.endsWith('.yaml'))
}

function readConnectors(
  root: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
  problems: ConfigProblem[],
): ConnectorConfig[] {
  const folder = join(root, 'connectors')
  const seen = new Map<string, string>()
  const connectors: ConnectorConfig[] = []
  const placed: { file: string; connector: ConnectorFile }[] = []
  for (const name of yamlFiles(folder, cwd, problems)) {
    const file = relative(cwd, join(folder, name))
    const read = readYaml(join(folder, name), connectorFile)
    problems.push(...read.problems.map((p) => ({ ...p, file })))
    if (!read.value) continue
    const before = seen.get(read.value.id)
    if (before) problems.push({ file, key: 'id', message: `is taken by ${before}` })
    seen.set(read.value.id, file)
    if (!before) placed.push({ file, connector: read.value })
    const credentials = readCredentials(read.value, env, file, problems)
    const missing = credentials ? [] : variablesOf(read.value, env)
    connectors.push({ ...read.value, credentials, ...(missing.length > 0 && { missing }) })
  }
  checkConnectors(placed, (file, key, message) => problems.push({ file, key, message }))
  return connectors.sort((a, b) => a.order - b.order)
}

function readEnrolments(
  root: string,
  cwd: string,
  {
    connectors,
    terms,
    site,
  }: { connectors: ConnectorConfig[]; terms: Terms; site?: SiteFile | undefined },
  problems: ConfigProblem[],
): EnrolmentRules[] {
  const folder = join(root, 'enrolments')
  const around = {
    terms: terms.ids,
    // By its file's name also one that is broken: it is told of already.
    connectors: [
      ...connectors.map(({ id }) => id),
      ...yamlFiles(join(root, 'connectors'), cwd, []).map((name) => name.slice(0, -'.yaml'.length)),
    ],
    receivers: site && Object.keys(site.provisioning),
  }
  const enrolments: EnrolmentRules[] = []
  for (const name of yamlFiles(folder, cwd, problems)) {
    const file = relative(cwd, join(folder, name))
    const read = readYaml(join(folder, name), enrolmentFile, (rules, complain) => {
      if (`${rules.id}.yaml` !== name) complain(['id'], `must be the file's name, ${rules.id}.yaml`)
      checkEnrolment(rules, around, complain)
    })
    problems.push(...read.problems.map((p) => ({ ...p, file })))
    if (read.value) enrolments.push(read.value)
  }
  return enrolments
}

/** Which variables a type needs, by the settings that name them, and what they give. */
const variables: {
  [T in ConnectorType]: (file: Extract<ConnectorFile, { type: T }>) => Partial<Variables>
} = {
  oidc: ({ settings }) => ({
    clientId: 'client_id_env',
    ...(settings.token_auth === 'private_key_jwt'
      ? { privateKey: 'private_key_env' }
      : { clientSecret: 'client_secret_env' }),
  }),
  oauth2: () => ({ clientId: 'client_id_env', clientSecret: 'client_secret_env' }),
  saml: () => ({ privateKey: 'private_key_env', certificate: 'certificate_env' }),
  ldap: ({ settings }) => ({
    ...(settings.bind_dn_env ? { bindDn: 'bind_dn_env', bindPassword: 'bind_password_env' } : {}),
    ...(settings.ca_env ? { ca: 'ca_env' } : {}),
  }),
  openid2: () => ({}),
}
type Variables = Record<keyof Credentials, string>

/** Names of the variables that would connect it. */
function variablesOf(connector: ConnectorFile, env: NodeJS.ProcessEnv): string[] {
  const names = connector.settings as Record<string, unknown>
  const ofType = variables[connector.type] as (file: ConnectorFile) => Partial<Variables>
  const needed = Object.values(ofType(connector)).map((key) => names[key])
  const isSet = (name: string) =>
    name === connector.enabled_env ? env[name] === 'on' : Boolean(env[name])
  return [connector.enabled_env, ...needed].filter(
    (one): one is string => typeof one === 'string' && !isSet(one),
  )
}

/** Undefined for one that is listed only: none of its variables is set, or it is not switched on. */
function readCredentials(
  connector: ConnectorFile,
  env: NodeJS.ProcessEnv,
  file: string,
  problems: ConfigProblem[],
): Credentials | undefined {
  if (connector.enabled_env && env[connector.enabled_env] !== 'on') return undefined
  const names = connector.settings as Record<string, unknown>
  const ofType = variables[connector.type] as (file: ConnectorFile) => Partial<Variables>
  const needed = Object.entries(ofType(connector)).map(([credential, key]) => {
    const variable = names[key]
    const value = typeof variable === 'string' ? env[variable] : undefined
    return { credential, key, variable, value }
  })
  const given = needed.find(({ value }) => value)
  if (needed.length > 0 && !given) return undefined
  const missing = needed.filter(({ value }) => !value)
  for (const { key, variable } of missing) {
    problems.push({
      file,
      key: `settings.${key}`,
      message: `${given?.variable} is set, but ${variable ?? 'the variable this key should name'} is not`,
    })
  }
  if (missing.length > 0) return undefined
  return Object.fromEntries(needed.map(({ credential, value }) => [credential, value]))
}
