/** Node's own SQLite: the file, how it is opened, and the lock beside it. */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'

export type Sqlite = {
  engine: 'sqlite'
  file: string
  /** `full`: a power cut takes nothing that was acknowledged either. */
  synchronous?: 'normal' | 'full'
}

/** How long a write waits for another one, in milliseconds. */
export const patience = 5_000

/** The file, made if missing, readable by its owner only. */
export function ensureFile({ file }: Pick<Sqlite, 'file'>): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
}

/** NORMAL in WAL mode: a killed process loses nothing; a power cut may lose the last moments, never the file. */
export const settings = ({ synchronous = 'normal' }: Sqlite) =>
  `PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous}; PRAGMA foreign_keys=ON`

/** Opens the file. Statements on it never wait: they throw busy. */
export function openFile(file: string): DatabaseSync {
  const { emitWarning } = process
  // Node says once that this module is young; an operator can do nothing about it.
  process.emitWarning = () => {}
  try {
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
    return new DatabaseSync(file, { timeout: 0 })
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Holds a lock beside the database until it is closed or its process ends. Throws busy while another holds it. */
export function openLockFile({ file }: Sqlite): { close(): void } {
  const beside = `${file}.lock`
  ensureFile({ file: beside })
  const held = openFile(beside)
  try {
    held.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    held.close()
    throw error
  }
  return held
}
