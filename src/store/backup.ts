/** One database as one file, and back: what a backup is, whatever the engine. */
import { BackupError } from '#errors.ts'
import { openPostgresArchive, postgresOccupancy, writePostgresBackup } from './backup-postgres.ts'
import { openSqliteArchive, sqliteOccupancy, writeSqliteBackup } from './backup-sqlite.ts'
import type { Where } from './database.ts'
import type { KeyRow } from './key-ring.ts'
import { migrationNames } from './migrations/index.ts'

/** What stands where a backup is to be restored. */
export type Occupancy =
  | 'empty'
  /** Apps, people or keys. */
  | 'ours'
  /** Tables of another program. */
  | 'foreign'
  /** A file that is no database any more. */
  | 'unreadable'

/** A backup that was read from its beginning to its end. Nothing is changed until `restore`. */
export type Archive = {
  migrations: string[]
  keys: KeyRow[]
  /** Puts it in place of what is there: all of it, or on failure nothing. */
  restore(): Promise<void>
  close(): Promise<void>
}

/**
 * Copies the database as it is at one moment, while others go on writing, to a file that is not there yet. What
 * signs people in is left out: sessions, codes, tokens, trips and messages that wait. What was used, ended or revoked
 * since could otherwise be used again after a restore, and a stolen backup has none of it either.
 */
export async function writeBackup(where: Where, file: string): Promise<void> {
  if (where.engine === 'sqlite') await writeSqliteBackup(where, file)
  else await writePostgresBackup(where, file)
}

export const occupancy = async (where: Where): Promise<Occupancy> =>
  where.engine === 'sqlite' ? sqliteOccupancy(where) : postgresOccupancy(where)

/** Throws a BackupError when the file is damaged, of the other engine, or of a later release. */
export async function openArchive(where: Where, file: string): Promise<Archive> {
  const archive =
    where.engine === 'sqlite'
      ? await openSqliteArchive(where, file)
      : await openPostgresArchive(where, file)
  try {
    const later = archive.migrations.filter((name) => !migrationNames.includes(name))
    if (archive.migrations.length === 0) {
      throw new BackupError('unusable', `${file} holds a database, but none of Citygate's`)
    }
    if (later.length > 0) {
      throw new BackupError(
        'unusable',
        `${file} was made by a later release (it has ${later.join(', ')}): restore it with that one`,
      )
    }
    return archive
  } catch (error) {
    await archive.close()
    throw error
  }
}
