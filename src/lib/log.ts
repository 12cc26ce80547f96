/** One JSON line per event, with what must never be written down already taken out. */
import pino, { type Logger } from 'pino'

export type Log = Logger

/** Field names whose value is dropped wherever they stand, up to two levels deep. */
const secretFields = [
  'password',
  'secret',
  'client_secret',
  'code',
  'code_verifier',
  'state',
  'nonce',
  'memo',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'id_token_hint',
  'logout_token',
  'form_token',
  'user_code',
  'device_code',
  'cookie',
  'authorization',
  'set-cookie',
  'guid',
  'personid',
  'idno',
  'email',
]

/** Errors are written as type, message and cause chain: a stack is for developers, a response body is for nobody. */
function describe(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error) || depth > 3) return typeof error
  return {
    type: error.name,
    // A parser quotes what it could not parse: an upstream's body has no place in a log.
    message: error instanceof SyntaxError ? 'could not be parsed' : error.message.slice(0, 300),
    ...('code' in error && typeof error.code === 'string' ? { error_code: error.code } : {}),
    ...('failure' in error ? { failure: error.failure } : {}),
    ...(error.cause ? { cause: describe(error.cause, depth + 1) } : {}),
  }
}

/** Writes to standard output unless `destination` says otherwise. */
export function openLog(level: string, destination?: { write(line: string): void }): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((f) => [`["${f}"]`, `*["${f}"]`]), remove: true },
      serializers: { err: describe },
    },
    destination ?? openOutput(),
  )
}

/** As much is kept while standard output takes nothing; what comes after that is dropped. */
const mostKept = 4_000_000

/**
 * Written some kilobytes, or a second, at a time. At the end of the process, and before a fatal line, pino writes the
 * rest by itself.
 */
function openOutput() {
  const output = pino.destination({
    dest: 1,
    sync: false,
    minLength: 4_096,
    maxLength: mostKept,
    periodicFlush: 1_000,
  })
  const { flushSync } = output
  // A full disk under the log must not end a server people sign in at: what comes next is tried again. Only the last
  // words at the end are not: they would be tried for ever, and nothing would end.
  output.on('error', () => {
    output.flushSync = () => {}
  })
  output.on('write', () => {
    output.flushSync = flushSync
  })
  return output
}

/** Resolves when every line is written. A pipe cannot be synced and says so: what was written is written. */
export const flushLog = (log: Log): Promise<void> =>
  new Promise((resolve) => log.flush(() => resolve()))
