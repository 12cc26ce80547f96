/** `citygate backup`, `citygate restore`: the whole database as one file, and back. */
import type { Command } from 'commander'
import { BackupError } from '#errors.ts'
import { exits, print, Stop } from './tools.ts'

export function addBackupCommands(program: Command): void {
  program
    .command('backup')
    .description('write the database to one file, beside a running server')
    .argument('<file>')
    .option('--force', 'in place of a file that is there')
    .action(async (file, { force }) => {
      const [{ loadConfig }, { makeBackup }] = await Promise.all([
        import('#config/load.ts'),
        import('#admin/backup.ts'),
      ])
      const { database } = loadConfig(process.env)
      const bytes = await inWords(() => makeBackup(database, file, { force }))
      print(`${file}: ${(bytes / 1e6).toFixed(1)} MB, keys sealed, no sessions and no tokens`)
      print(
        'keep the key-encryption key elsewhere: it is not in the file, and nothing opens without it',
      )
    })

  program
    .command('restore')
    .description('replace the database by a backup; stop every server on it first')
    .argument('<file>')
    .option('--force', 'although there are apps, people or keys in the database')
    .action(async (file, { force }) => {
      const [{ loadConfig }, { restoreBackup }, { findKeyEncryption }] = await Promise.all([
        import('#config/load.ts'),
        import('#admin/backup.ts'),
        import('../opening/key-file.ts'),
      ])
      const config = loadConfig(process.env)
      const kek = findKeyEncryption(config)
      const { keys } = await inWords(() => restoreBackup(config.database, file, { force, kek }))
      print(`restored ${file}: ${keys} keys, every session, code and token has ended`)
      print(
        'do again what was done since it was made: keys revoked, secrets rotated, apps removed, accounts closed',
      )
    })
}

const exitOf = {
  unusable: exits.rejected,
  refused: exits.rejected,
  unavailable: exits.unavailable,
} satisfies Record<BackupError['reason'], number>

async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof BackupError) throw new Stop(exitOf[error.reason], error.message)
    throw error
  }
}
