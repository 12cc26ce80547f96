/** A backup of SQLite: the database itself, as one compact file. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { BackupError, isBusy } from '#errors.ts'
import type { Archive, Occupancy } from './backup.ts'
import { checkFormat, lasting, passing, readKeyRow } from './backup-format.ts'
import { ensureFile, openFile, type Sqlite } from './node-sqlite.ts'

export async function writeSqliteBackup({ file: source }: Sqlite, file: string): Promise<void> {
  if (!existsSync(source) || statSync(source).size === 0) {
    throw new BackupError('unavailable', `there is no database ${source}: is DATA_DIR right?`)
  }
  // Empty, so that SQLite writes into it and its mode stays.
  ensureFile({ file })
  // One read transaction: writers go on, and the file is of one moment. The online copy (sqlite3_backup) begins
  // anew whenever another process writes.
  within(source, (database) => database.prepare('VACUUM INTO ?').run(file))
  within(file, (database) => {
    forget(database)
    database.exec('VACUUM')
    checkWhole(database, file)
  })
  sync(file)
}

export function sqliteOccupancy({ file }: Sqlite): Occupancy {
  if (!existsSync(file) || statSync(file).size === 0) return 'empty'
  try {
    return within(file, (database) => {
      const tables = tablesOf(database)
      if (tables.length === 0) return 'empty'
      if (!tables.includes('migration')) return 'foreign'
      const kept = lasting.some(
        (table) => tables.includes(table) && database.prepare(`SELECT 1 FROM ${table}`).get(),
      )
      return kept ? 'ours' : 'empty'
    })
  } catch (error) {
    if (isBusy(error)) throw error
    return 'unreadable'
  }
}

/** Works on a copy beside the database, which then takes its place. */
export async function openSqliteArchive({ file: target }: Sqlite, file: string): Promise<Archive> {
  checkFormat(file, 'sqlite')
  const draft = `${target}.restore.${process.pid}`
  const discard = () => {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${draft}${end}`, { force: true })
  }
  ensureFile({ file: draft })
  try {
    copyFileSync(file, draft)
    chmodSync(draft, 0o600)
    const found = within(draft, (database) => {
      checkWhole(database, file)
      const tables = tablesOf(database)
      const read = (table: string) =>
        tables.includes(table) ? database.prepare(`SELECT * FROM ${table}`).all() : []
      const migrations = read('migration').map(({ name }) => String(name))
      // A copy that was not made by us still has what ours leave out.
      forget(database)
      return { migrations, keys: read('key_ring').map(readKeyRow) }
    })
    return {
      ...found,
      async restore() {
        sync(draft)
        const held = takeOver(target)
        try {
          renameSync(draft, target)
          // What is left of a file that could not be opened: a log beside the new one would be played into it.
          for (const end of ['-wal', '-shm']) rmSync(`${target}${end}`, { force: true })
        } finally {
          held?.close()
        }
      },
      close: async () => discard(),
    }
  } catch (error) {
    discard()
    throw error
  }
}

/** The database, locked against everybody. Throws in words while somebody has it open. */
function takeOver(file: string): DatabaseSync | undefined {
  if (!existsSync(file)) return undefined
  const database = openFile(file)
  try {
    // Leaving WAL mode needs the file to oneself: whoever has it open, idle or not, prevents it.
    const answer = database.prepare('PRAGMA journal_mode=DELETE').get()
    if (answer?.journal_mode === 'wal') throw inUse(file)
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if (isBusy(error)) throw inUse(file)
    if (error instanceof BackupError) throw error
    // Damaged: that is why it is replaced.
    return undefined
  }
}

const inUse = (file: string) =>
  new BackupError('refused', `${file} is in use: stop every Citygate that runs on it first`)

function within<T>(file: string, work: (database: DatabaseSync) => T): T {
  const database = openFile(file)
  try {
    database.exec('PRAGMA busy_timeout=5000')
    return work(database)
  } finally {
    database.close()
  }
}

const tablesOf = (database: DatabaseSync) =>
  database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map(({ name }) => String(name))

function forget(database: DatabaseSync) {
  const tables = tablesOf(database)
  // Zeroes what is deleted: the pages stay in the file until they are used again.
  database.exec('PRAGMA secure_delete=ON')
  for (const table of passing) if (tables.includes(table)) database.exec(`DELETE FROM ${table}`)
}

function checkWhole(database: DatabaseSync, file: string) {
  const say = (why: string) =>
    new BackupError('unusable', `${file} is damaged: ${why.replaceAll(/\s+/g, ' ')}`)
  let found: Record<string, unknown>[]
  try {
    found = database.prepare('PRAGMA integrity_check(3)').all()
  } catch (error) {
    throw say(error instanceof Error ? error.message : String(error))
  }
  const [first] = found
  if (first?.integrity_check !== 'ok') throw say(String(first?.integrity_check))
}

function sync(file: string) {
  const handle = openSync(file, 'r+')
  fsyncSync(handle)
  closeSync(handle)
}
