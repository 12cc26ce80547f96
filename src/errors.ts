/** The failures we foresee, each with a stable code. What a person did wrong is data, not one of these. */

/** Where an upstream trip failed, in the three kinds that matter to a person plus the two that matter to us. */
export type UpstreamFailure =
  /** The network or the server: connection refused, DNS, TLS, HTTP 5xx. */
  | 'unreachable'
  /** No answer within the time limit. */
  | 'slow'
  /** An answer that is not what the protocol allows: HTML, broken JSON, missing fields, too large. */
  | 'nonsense'
  /** The upstream answered `error=…`: the person cancelled there, or the upstream refused her. */
  | 'refused'
  /** An answer that could be forged: wrong issuer, audience, nonce, state or signature. */
  | 'forged'

/** An upstream let us down. `message` is for the log only and never holds a token, code or personal number. */
export class UpstreamError extends Error {
  readonly connector: string
  readonly failure: UpstreamFailure
  /** The HTTP status it answered with, where that is what failed. */
  readonly status: number | undefined
  /** What was under way, in a word of ours: `token endpoint`. */
  readonly stage: string | undefined

  constructor(
    connector: string,
    failure: UpstreamFailure,
    message: string,
    options?: { cause?: unknown; status?: number | undefined; stage?: string },
  ) {
    super(`${connector}: ${message}`, options)
    this.name = 'UpstreamError'
    this.connector = connector
    this.failure = failure
    this.status = options?.status
    this.stage = options?.stage
  }
}

/** One thing wrong with the operator's configuration, with the place to mend it. */
export type ConfigProblem = {
  /** Path of the file as the operator wrote it, or `environment`. */
  file: string
  /** 1-based; absent for the environment and for files that are missing altogether. */
  line?: number
  /** Dotted key inside the file, e.g. `settings.issuer`. */
  key: string
  /** What is wrong and how to mend it. */
  message: string
}

/** The configuration cannot be used. Carries every problem found, not only the first. Exit code 78 (EX_CONFIG). */
export class ConfigError extends Error {
  readonly problems: ConfigProblem[]

  constructor(problems: ConfigProblem[]) {
    super(
      [
        'config is invalid:',
        ...problems.map(
          (p) =>
            `  ${p.file}${p.line ? `:${p.line}` : ''}  ${p.key ? `${p.key}: ` : ''}${p.message}`,
        ),
      ].join('\n'),
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** A worker process ended. Carries the exit code the whole program ends with when no other one takes its place. */
export class WorkersError extends Error {
  readonly exit: number

  constructor(exit: number, how: string) {
    super(`a worker process ended (${how}); what it said stands above`)
    this.name = 'WorkersError'
    this.exit = exit
  }
}

/** A backup cannot be made or restored. `message` is for the operator and says what to do. */
export class BackupError extends Error {
  readonly reason: 'unusable' | 'refused' | 'unavailable'

  constructor(reason: BackupError['reason'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'BackupError'
    this.reason = reason
  }
}

/** None of the key-encryption keys given opens the key ring. */
export class WrongKeyError extends Error {
  override name = 'WrongKeyError'
  /** The id of the one that does, where the ring says so. */
  readonly sealedUnder: string | undefined
  /** The ids of those that were given. */
  readonly given: string[]

  constructor(sealedUnder: string | undefined, given: string[], options?: { cause?: unknown }) {
    const whose = sealedUnder ? ` (sealed under ${sealedUnder}, given ${given.join(', ')})` : ''
    super(
      `the key-encryption key does not open this database${whose}: give the CITYGATE_KEK it was made with or last changed to`,
      options,
    )
    this.sealedUnder = sealedUnder
    this.given = given
  }
}

/** A queue is full: the person should try again shortly. Answered with 503. */
export class BusyError extends Error {
  override name = 'BusyError'
  readonly retryAfterSeconds = 5
}

/** SQLITE_BUSY, and SQLITE_BUSY_RECOVERY while another process reads the log after a crash. */
const busyCodes = [5, 261]

/** SQLite: another one writes. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  (('errcode' in error && busyCodes.includes(Number(error.errcode))) ||
    ('code' in error && error.code === 'SQLITE_BUSY'))

/** SQLSTATE classes of a server that is going, full or failing over, of a deadlock it broke, and of one that became read-only. */
const awayStates = /^(08|40|53|57|25006)/
const awayCodes = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_)/
const awayWords = /Connection terminated|Query read timeout|timeout (expired|exceeded)/i

/** True when the database cannot be had just now: nothing is wrong with the request, it may come again. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return (
    isBusy(error) ||
    awayStates.test(code) ||
    awayCodes.test(code) ||
    error.name === 'KnexTimeoutError' ||
    awayWords.test(error.message)
  )
}
