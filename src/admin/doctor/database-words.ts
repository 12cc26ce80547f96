/** Why the database cannot be had: what it does, and how to mend it. */
import { isUnavailable } from '#errors.ts'
import { codeOf } from './finding.ts'
import { type Trouble, trouble } from './sayings.ts'

const postgres = [
  [/^(28P01|28000)$/, 'database.credentials'],
  [/^3D000$/, 'database.absent'],
  [/^53300$/, 'database.full'],
  [/^ECONNREFUSED$/, 'database.refuses'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'database.unknown'],
  [/^42501$/, 'database.rights'],
  [/CERT|SIGNATURE|TLS|SSL/, 'database.certificate'],
] as const

/** SQLite's result codes: sqlite.org/rescode.html. */
const sqlite = {
  5: 'database.locked',
  8: 'database.read-only',
  10: 'database.unreadable',
  11: 'database.damaged',
  13: 'database.no-room',
  14: 'database.closed',
  26: 'database.no-sqlite',
} as const

/** Undefined when the error is about something else. */
export function explainDatabase(error: unknown): Trouble | undefined {
  if (error instanceof Error && 'errcode' in error) {
    // The low byte is the kind, what is above it says more than an operator needs.
    const known = sqlite[(Number(error.errcode) & 0xff) as keyof typeof sqlite]
    return known && trouble(known)
  }
  const code = codeOf(error)
  const [, known] = postgres.find(([codes]) => codes.test(code)) ?? []
  if (known) return trouble(known)
  return isUnavailable(error) ? trouble('database.silent') : undefined
}
