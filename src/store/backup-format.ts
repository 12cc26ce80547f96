/** What both engines' backups have in common. */
import { closeSync, openSync, readSync } from 'node:fs'
import { BackupError } from '#errors.ts'
import type { KeyRow } from './key-ring.ts'

/** Rows that sign people in, or say who does what just now: no part of a backup. */
export const passing = [
  'oidc_payload',
  'upstream_trip',
  'mail_link',
  'outbox',
  'lease',
  'rate_limit',
  'used_once',
  'upstream_session',
  'link_offer',
  'staff_invitation',
  'sealed_note',
  'initial_token',
  'upstream_test',
]

/** Rows that make a database one nobody wants to lose. */
export const lasting = ['key_ring', 'client', 'account']

const formats = { sqlite: 'SQLite format 3\0', postgres: 'PGDMP' } as const
const names = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const
const howTo = {
  sqlite: 'leave DATABASE_URL out to restore it',
  postgres: 'set DATABASE_URL to restore it',
} as const

/** Throws in words when the file is no backup for this engine. */
export function checkFormat(file: string, wanted: keyof typeof formats): void {
  const start = readStart(file)
  const engine = (['sqlite', 'postgres'] as const).find((one) => start.startsWith(formats[one]))
  if (engine === wanted) return
  throw new BackupError(
    'unusable',
    engine
      ? `${file} is a backup of ${names[engine]}, and the data is kept in ${names[wanted]} here: ${howTo[engine]}`
      : `${file} is no backup that citygate wrote`,
  )
}

function readStart(file: string): string {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (cause) {
    throw new BackupError('unusable', `${file} cannot be read`, { cause })
  }
  try {
    const start = Buffer.alloc(16)
    return start.toString('latin1', 0, readSync(handle, start))
  } catch (cause) {
    throw new BackupError('unusable', `${file} cannot be read`, { cause })
  } finally {
    closeSync(handle)
  }
}

/** A row of the ring as any release wrote it. */
export function readKeyRow(row: Record<string, unknown>): KeyRow {
  const { name, purpose, sealed, created_at, signs_at, kek_id } = row
  return {
    name: String(name),
    purpose: String(purpose),
    sealed: String(sealed),
    createdAt: Number(created_at),
    ...(signs_at == null ? {} : { signsAt: Number(signs_at) }),
    ...(kek_id == null ? {} : { kekId: String(kek_id) }),
  }
}
