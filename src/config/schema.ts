/** What an operator may write in `site.yaml` and the environment, as zod schemas. */
import { z } from 'zod'
import { isMailAddress, readSender } from '#lib/mail.ts'
import { readNetwork } from '#lib/networks.ts'
import { day } from '#lib/time.ts'
import { envName, id, words } from './words.ts'

const url = z.url({ protocol: /^https?$/ })
const seconds = z.int().positive()
const atMost = z.int().positive()
const network = z
  .string()
  .refine(
    readNetwork,
    'must be an address or a network, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32',
  )

const scopeName = z
  .string()
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must be a scope token (RFC 6749 §3.3)')

/** Scopes that mean claims about a person: an API's must not be mistaken for one. */
const ownScopes = new Set([
  'openid',
  'offline_access',
  'profile',
  'email',
  'phone',
  'eduinfo',
  'openid2',
])

/** A day of any year but a leap one: 08-01. */
const dayOfYear = z
  .string()
  .refine(
    (text) => /^\d\d-\d\d$/.test(text) && new Date(`2001-${text}`).toJSON()?.slice(5, 10) === text,
    'must be month and day, such as "08-01"',
  )

/** `site.yaml`: one deployment's rules. */
export const siteFile = z.strictObject({
  id,
  title: words,
  local_accounts: z
    .strictObject({
      domain: z
        .string()
        .regex(/^[a-z0-9.-]+$/)
        .optional(),
    })
    .default({})
    .describe('Accounts kept here. domain is added to a name typed without @.'),
  session: z
    .strictObject({
      idle_seconds: seconds
        .default(30 * 60)
        .describe('A session ends after this long without a visit here.'),
      absolute_seconds: seconds
        .default(12 * 60 * 60)
        .describe('A session ends after this long in any case.'),
      remember: z
        .boolean()
        .default(true)
        .describe('Whether people are offered to stay signed in on a device of their own.'),
      remembered_seconds: seconds
        .default(14 * day)
        .describe('How long somebody who wanted to stay signed in does, visited or not.'),
    })
    .prefault({}),
  affiliations: z
    .strictObject({
      school_year_begins: dayOfYear
        .optional()
        .describe(
          'The day (in Taiwan) after which what a county said before is last year’s. Unset: nothing grows old.',
        ),
    })
    .prefault({}),
  lifetimes: z
    .strictObject({
      interaction_seconds: seconds.default(60 * 60),
      upstream_trip_seconds: seconds.default(10 * 60),
      access_token_seconds: seconds.default(60 * 60),
      id_token_seconds: seconds.default(60 * 60),
      refresh_token_seconds: seconds.default(14 * day),
      grant_seconds: seconds
        .default(365 * day)
        .describe('The longest an app may go on renewing without the person.'),
      device_code_seconds: seconds.default(10 * 60),
      reset_link_seconds: seconds
        .default(60 * 60)
        .describe('How long a mailed link to a new password is good.'),
    })
    .prefault({}),
  keys: z
    .strictObject({
      publish_ahead_seconds: seconds
        .default(day)
        .describe(
          'A new key is published for so long before it signs: by then everybody has read it.',
        ),
      signing_days: z
        .int()
        .positive()
        .default(90)
        .describe('How long a key signs tokens before its successor does.'),
      cookie_days: z.int().positive().default(30),
      jwks_max_age_seconds: seconds
        .default(10 * 60)
        .describe('How long apps may keep our public keys before they read them again.'),
      follow_seconds: seconds
        .max(3600)
        .default(30)
        .describe('How often a running process looks for keys that another one made or revoked.'),
    })
    .superRefine((keys, ctx) => {
      const complain = (message: string) =>
        ctx.addIssue({ code: 'custom', path: ['publish_ahead_seconds'], message })
      const { publish_ahead_seconds: ahead } = keys
      const least = keys.jwks_max_age_seconds + 2 * keys.follow_seconds
      if (ahead < least) {
        complain(`must be at least jwks_max_age_seconds + 2 × follow_seconds, ${least}`)
      }
      if (ahead >= Math.min(keys.signing_days, keys.cookie_days) * day) {
        complain('must be shorter than signing_days and cookie_days')
      }
    })
    .prefault({}),
  limits: z
    .strictObject({
      sign_in: z
        .strictObject({
          waits_seconds: z
            .array(z.int().min(0).max(86_400))
            .min(1)
            .refine(
              (waits) => (waits.at(-1) ?? 0) >= Math.max(1, ...waits),
              'must end with its longest wait',
            )
            .default([0, 0, 2, 4, 15 * 60])
            .describe(
              'Seconds to wait after the first wrong password, the second, …, for this account at this address. The last one holds for every further one, and so long failures are remembered (附表十: 5 failures, 15 minutes).',
            ),
          failures_per_source_per_minute: atMost.default(20),
          failures_per_account_per_hour: atMost
            .default(100)
            .describe(
              'From everywhere together; then only browsers she signed in with before are let try, until the hour is over.',
            ),
        })
        .prefault({}),
      sources: z
        .strictObject({
          requests_per_minute: atMost
            .default(1_200)
            .describe('Authorization requests, pushed ones included.'),
          departures_per_minute: atMost
            .default(60)
            .describe('Trips to a county, and as many forms that tell of a sign-out there.'),
          shared: z
            .array(network)
            .default([])
            .describe('Networks many people share one address of: a school, a mobile network.'),
          shared_factor: atMost
            .default(50)
            .describe('Shared networks get so many times what one address gets.'),
        })
        .prefault({}),
      joining: z
        .strictObject({
          starts_per_source_per_hour: atMost
            .default(10)
            .describe('Applications begun from one address.'),
          answers_per_source_per_minute: atMost
            .default(60)
            .describe('Pages of joining sent in from one address; names looked up: twice as many.'),
        })
        .prefault({}),
      clients: z
        .strictObject({
          requests_per_second: atMost.default(50),
          requests_per_second_of: z
            .record(z.string(), atMost)
            .default({})
            .describe('Other numbers for some, by client id.'),
          failures_per_minute: atMost
            .default(10)
            .describe('Failed client authentications, of one client from one address.'),
        })
        .prefault({}),
      devices: z
        .strictObject({
          codes_per_minute: atMost
            .default(30)
            .describe('Codes asked for, by one client from one address.'),
          wrong_codes: atMost
            .default(10)
            .describe('Wrong codes typed in, in one browser, and from one address.'),
          wrong_codes_seconds: seconds.default(10 * 60),
        })
        .prefault({}),
      recovery: z
        .strictObject({
          pause_seconds: seconds
            .default(120)
            .describe('For one account, as typed: one in so many seconds.'),
          per_account_per_hour: atMost.default(5).describe('So many in an hour, for one account.'),
          per_source_per_hour: atMost.default(20),
        })
        .prefault({})
        .describe('Links to a new password.'),
    })
    .prefault({})
    .describe(
      'How much is let pass before somebody has to wait. Counted by all processes together.',
    ),
  acr: z
    .strictObject({
      password: z
        .string()
        .min(1)
        .default('urn:citygate:acr:password')
        .describe('acr of a sign-in with a password kept here.'),
      upstream: z
        .string()
        .min(1)
        .default('urn:citygate:acr:upstream')
        .describe('acr of a sign-in vouched for by an upstream.'),
      two_factor: z
        .string()
        .min(1)
        .default('urn:citygate:acr:two-factor')
        .describe('acr of a sign-in with a second factor (TOTP or a passkey) beside either.'),
    })
    .superRefine(({ password, upstream, two_factor: both }, ctx) => {
      // Else one factor would do for both, and nobody would be asked for the second.
      if (both === password || both === upstream) {
        const message = 'must differ from the acr of a sign-in with one factor'
        ctx.addIssue({ code: 'custom', path: ['two_factor'], message })
      }
    })
    .prefault({}),
  resources: z
    .array(
      z.strictObject({
        id: z.url(),
        label: words,
        scopes: z.array(z.strictObject({ scope: scopeName, label: words })).min(1),
        signing_alg: z.enum(['RS256', 'ES256']).default('RS256'),
        access_token_seconds: seconds.default(10 * 60),
      }),
    )
    .superRefine((resources, ctx) => {
      const complain = (path: PropertyKey[], message: string) =>
        ctx.addIssue({ code: 'custom', path, message })
      for (const [i, { id, scopes }] of resources.entries()) {
        const first = resources.findIndex((one) => one.id === id)
        if (first !== i) complain([i, 'id'], `is the id of resources.${first} already`)
        for (const [j, { scope }] of scopes.entries()) {
          if (ownScopes.has(scope))
            complain([i, 'scopes', j, 'scope'], 'is a scope of our own; name it otherwise')
        }
      }
    })
    .default([])
    .describe('Resource servers that take JWT access tokens (RFC 8707, RFC 9068).'),
  agreements: z
    .array(z.string().min(1))
    .default([])
    .describe('Terms everybody who signs in must have agreed to, in the version that is in force.'),
  profile: z
    .strictObject({
      editable: z
        .array(z.enum(['nickname', 'title', 'phone_number', 'gender']))
        .default(['nickname', 'title', 'phone_number', 'gender'])
        .describe(
          'What members may change of their profile by themselves, beside their name; never what an upstream vouched for.',
        ),
    })
    .prefault({}),
  account: z
    .strictObject({
      grace_days: z
        .int()
        .positive()
        .max(365)
        .default(30)
        .describe('So long a closed account can be had back; then what it holds is erased.'),
    })
    .prefault({}),
  staff: z
    .strictObject({
      alerts: z
        .array(z.string().refine(isMailAddress, 'must be one bare e-mail address'))
        .default([])
        .describe(
          'Who is written to when a county login seems to have been given to somebody else: once a day for each.',
        ),
      idle_minutes: z
        .int()
        .positive()
        .max(8 * 60)
        .default(15)
        .describe(
          'Who does nothing at the console for so long shows her second factor again before she goes on.',
        ),
    })
    .prefault({}),
  registration: z
    .strictObject({
      dynamic: z
        .boolean()
        .default(false)
        .describe(
          'Whether programs may register themselves (RFC 7591), with a token staff gave them.',
        ),
    })
    .prefault({}),
  provisioning: z
    .record(id, z.strictObject({ url_env: envName, secret_env: envName }))
    .default({})
    .describe(
      'Systems that hear of what happens here, by id: mailbox makes a mailbox for each new account.',
    ),
  outbound: z
    .strictObject({
      allow: z
        .array(
          z
            .string()
            .regex(
              /^https?:\/\/[a-z0-9.[\]:-]+$/,
              'must be an origin such as https://app.intra.example',
            ),
        )
        .default([])
        .describe(
          'Origins inside our own network that we may call all the same: an internal app’s back-channel logout.',
        ),
    })
    .prefault({}),
})
export type SiteFile = z.infer<typeof siteFile>

/** Who is told of new accounts and the like. Without an endpoint messages wait, and name the variable that lacks. */
export type Receiver = { urlVariable: string; endpoint?: { url: string; secret: Buffer } }

/** A whole number as text. */
const number = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`
  return z.coerce.number({ error }).int(error).min(least, error).max(most, error)
}
const port = number(0, 65_535)
/** Whoever reads user and password of an address decodes them. */
const percentEncoded = (address: string) => {
  try {
    const { username, password } = new URL(address)
    return decodeURIComponent(username + password).length >= 0
  } catch {
    return false
  }
}
const lonePercent = 'has a % in user or password that stands for itself: write it as %25'
const flag = z.enum(['on', 'off'])

/** The folder of rules when none is named. */
export const defaultRules = 'config/educloud'

/** The environment variables we read. */
export const environment = z.object({
  NODE_ENV: z.enum(['production', 'development', 'test']).default('development'),
  PORT: port.default(3000),
  ISSUER: url
    .refine(
      (u) => !u.endsWith('/') && URL.parse(u)?.origin === u,
      'must be an origin without path or trailing slash, e.g. https://id.example.gov.tw',
    )
    .optional(),
  DEMO_PORT: port.default(3001),
  SANDBOX_PORT: port.default(3002),
  /** Addresses to listen on, comma separated. Default: loopback outside production, every address in production. */
  HOST: z.string().optional(),
  /** Addresses or networks of reverse proxies whose X-Forwarded-For counts, comma separated. */
  TRUSTED_PROXIES: z.string().optional(),
  /** Processes that answer requests. One: there are no others. */
  WORKERS: number(1, 128).default(1),
  /** At the end: how long balancers hear that we are not ready before connections are refused. */
  DRAIN_DELAY_MS: number(0, 60_000).default(0),
  SANDBOX: flag.optional(),
  DATA_DIR: z.string().min(1).default('data'),
  /** PostgreSQL; unset: an SQLite file in DATA_DIR. */
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be postgres://user:password@host/database' })
    .refine(percentEncoded, lonePercent)
    .optional(),
  /** The most connections one process holds. */
  DATABASE_POOL: number(2, 200).default(10),
  /** How long PostgreSQL may take to connect, or for one statement of a request. */
  DATABASE_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(2_000),
  /** What SQLite waits for before a write counts as kept. */
  SQLITE_SYNCHRONOUS: z.enum(['normal', 'full']).default('normal'),
  CITYGATE_CONFIG: z.string().min(1).default(defaultRules),
  CITYGATE_KEK: z.string().optional(),
  CITYGATE_KEK_FILE: z.string().optional(),
  /** The one before, while hosts are moved to another one after another. */
  CITYGATE_KEK_PREVIOUS: z.string().optional(),
  CITYGATE_KEK_PREVIOUS_FILE: z.string().optional(),
  /** Read by `citygate key change-kek` only. */
  CITYGATE_NEW_KEK: z.string().optional(),
  CITYGATE_NEW_KEK_FILE: z.string().optional(),
  /** The server that takes our mails, credentials inside: smtps://user:password@mail.example.gov.tw. */
  SMTP_URL: z
    .url({
      protocol: /^smtps?$/,
      hostname: /./,
      error: 'must be smtps://user:password@host or smtp://host:587',
    })
    .refine(percentEncoded, lonePercent)
    .optional(),
  /** Whom they come from. */
  MAIL_FROM: z
    .string()
    .refine(readSender, 'must be id@example.gov.tw or 教育雲 <id@example.gov.tw>')
    .optional(),
  /** Where metrics are served, on a port of their own. Unset: nothing is counted. */
  METRICS_PORT: port.optional(),
  METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})
export type Environment = z.infer<typeof environment>
