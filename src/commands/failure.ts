/** What a command that failed says, and the exit code it ends with. */
import { explainDatabase } from '#admin/doctor/database-words.ts'
import { tellTrouble } from '#admin/doctor/in-english.ts'
import { ConfigError, WorkersError } from '#errors.ts'
import { exits, Stop } from './tools.ts'
import { openWords } from './words.ts'

export type Failure = { exit: number; message: string }

export function describeFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof Stop || error instanceof WorkersError) return { exit: error.exit, message }
  if (error instanceof ConfigError) return { exit: exits.config, message }
  if (/^port \d+/.test(message)) return { exit: exits.unavailable, message }
  const database = explainDatabase(error)
  if (!database) return describeFolder(error) ?? { exit: 1, message }
  const { says, mend } = tellTrouble(openWords(), database)
  return { exit: exits.unavailable, message: `the database ${says}: ${mend}` }
}

const folderCodes = ['EACCES', 'EEXIST', 'ENOTDIR', 'EROFS', 'EPERM', 'ENOSPC', 'EISDIR']

/** A file or folder we could not write: mostly the data folder. */
function describeFolder(error: unknown): Failure | undefined {
  if (!(error instanceof Error && 'code' in error && 'path' in error)) return undefined
  if (!folderCodes.includes(String(error.code))) return undefined
  return {
    exit: exits.unavailable,
    message: `${error.path} cannot be written (${error.code}): give it to the user who runs this, or name another place (the database's is DATA_DIR)`,
  }
}
