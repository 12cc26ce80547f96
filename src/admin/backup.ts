/** Makes a backup, and puts one back only where that does no harm. */
import { existsSync, linkSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { BackupError } from '#errors.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import { openRing } from '#oidc/ring.ts'
import { occupancy, openArchive, writeBackup } from '#store/backup.ts'
import type { Where } from '#store/store.ts'

/** Its size in bytes. The file appears whole or not at all, readable by its owner only. */
export async function makeBackup(
  where: Where,
  file: string,
  { force = false }: { force?: boolean } = {},
): Promise<number> {
  const refuse = () =>
    new BackupError('refused', `${file} is there already: name another file, or add --force`)
  if (!force && existsSync(file)) throw refuse()
  const draft = `${file}.${process.pid}.part`
  try {
    await writeBackup(where, draft)
    if (force) renameSync(draft, file)
    else {
      try {
        // Unlike a rename it takes nobody's place: two backups may be made at the same moment.
        linkSync(draft, file)
      } catch (error) {
        throw error instanceof Error && 'code' in error && error.code === 'EEXIST'
          ? refuse()
          : error
      }
      unlinkSync(draft)
    }
  } catch (cause) {
    // What is wrong with the database is said where every command says it.
    if (cause instanceof BackupError || isBroken(cause)) throw cause
    const why = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
    throw new BackupError(
      'unavailable',
      `${file} cannot be written${why}: is there room, and may we write there?`,
      { cause },
    )
  } finally {
    discard(draft)
  }
  return statSync(file).size
}

/** SQLite: locked, damaged, or none at all. */
const isBroken = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && [5, 11, 26].includes(Number(error.errcode) & 0xff)

function discard(draft: string) {
  for (const one of [draft, `${draft}-journal`]) {
    try {
      rmSync(one, { force: true })
    } catch {
      // A path that cannot be: nothing was written there either.
    }
  }
}

/** What is there now is replaced. Nothing is changed unless the whole backup can be read and its keys opened. */
export async function restoreBackup(
  where: Where,
  file: string,
  { force = false, kek }: { force?: boolean; kek: KeyEncryption | undefined },
): Promise<{ migrations: string[]; keys: number }> {
  const there = await occupancy(where)
  if (there === 'foreign') {
    throw new BackupError(
      'refused',
      'the database holds tables of another program: give Citygate one of its own',
    )
  }
  if (there !== 'empty' && !force) {
    throw new BackupError(
      'refused',
      there === 'ours'
        ? 'the database holds apps, people or keys already: back it up, then add --force to replace it'
        : 'the database cannot be read: keep a copy of the file, then add --force to replace it',
    )
  }
  const archive = await openArchive(where, file)
  try {
    checkKeys(archive.keys, kek, file)
    await archive.restore()
    return { migrations: archive.migrations, keys: archive.keys.length }
  } finally {
    await archive.close()
  }
}

function checkKeys(
  keys: Parameters<typeof openRing>[0],
  kek: KeyEncryption | undefined,
  file: string,
) {
  if (keys.length === 0) return
  if (!kek) {
    throw new BackupError(
      'refused',
      `the keys in ${file} are sealed: set CITYGATE_KEK, or put the file key-encryption-key into DATA_DIR, first`,
    )
  }
  try {
    openRing(keys, kek)
  } catch (cause) {
    throw new BackupError(
      'refused',
      `this key-encryption key does not open ${file}: give the CITYGATE_KEK that was in use when it was made`,
      { cause },
    )
  }
}
