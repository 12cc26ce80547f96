/** Why the database cannot be had, in words: what it does, and how to mend it. */
import { isUnavailable } from '#errors.ts'
import { codeOf } from './finding.ts'

type Words = { says: string; mend: string }

const postgres: [RegExp, string, string][] = [
  [
    /^(28P01|28000)$/,
    'does not take our user or password',
    'check user and password in DATABASE_URL and pg_hba.conf',
  ],
  [
    /^3D000$/,
    'has no such database',
    'create it (createdb --encoding UTF8), or mend the name in DATABASE_URL',
  ],
  [/^53300$/, 'has no connection left', 'raise max_connections, or lower DATABASE_POOL'],
  [
    /^ECONNREFUSED$/,
    'refuses the connection',
    'is PostgreSQL running, and on this host and port? See DATABASE_URL',
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    'has a host name nobody knows',
    'mend the host in DATABASE_URL, or the name server',
  ],
  [
    /^42501$/,
    'does not let us make or read our tables',
    'let the user of DATABASE_URL own the database',
  ],
  [
    /CERT|SIGNATURE|TLS|SSL/,
    'shows a certificate we do not trust',
    'give its authority with sslrootcert in DATABASE_URL',
  ],
]

/** SQLite's result codes: sqlite.org/rescode.html. */
const sqlite: Record<number, [string, string]> = {
  5: ['is locked by another process', 'which one writes for so long? Try again'],
  8: ['may not be written to', 'give the file and DATA_DIR to the user who runs this'],
  10: ['cannot be read or written', 'is the disk under DATA_DIR well?'],
  11: ['is damaged', 'keep a copy, then `citygate restore` a backup into DATA_DIR'],
  13: ['has no room left', 'free some space on the disk of DATA_DIR'],
  14: ['cannot be opened', 'give DATA_DIR to the user who runs this'],
  26: [
    'is no SQLite file, or a damaged one',
    'is DATA_DIR right? Else `citygate restore` a backup',
  ],
}

/** Undefined when the error is about something else. */
export function explainDatabase(error: unknown): Words | undefined {
  if (error instanceof Error && 'errcode' in error) {
    // The low byte is the kind, what is above it says more than an operator needs.
    const [says, mend] = sqlite[Number(error.errcode) & 0xff] ?? []
    return says && mend ? { says, mend } : undefined
  }
  const code = codeOf(error)
  const [, says, mend] = postgres.find(([codes]) => codes.test(code)) ?? []
  if (says && mend) return { says, mend }
  if (!isUnavailable(error)) return undefined
  return {
    says: 'does not answer',
    mend: 'is it running and reachable from here? See DATABASE_URL',
  }
}
