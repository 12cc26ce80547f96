/** PostgreSQL's own programs: found, given the address without its password, and run. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { BackupError } from '#errors.ts'
import type { Postgres } from './postgres.ts'

type Tool = 'pg_dump' | 'pg_restore' | 'psql'

/** Where Debian keeps them, one folder per version. */
const root = '/usr/lib/postgresql'

/** On PATH, else the newest of Debian's folders. */
export function findTool(name: Tool): string {
  const versions = existsSync(root) ? readdirSync(root).map(Number) : []
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    ...versions.sort((a, b) => b - a).map((version) => join(root, String(version), 'bin')),
  ]
  const found = folders.map((folder) => join(folder, name)).find(existsSync)
  if (found) return found
  throw new BackupError(
    'unavailable',
    `PostgreSQL's ${name} is not here: install its client programs (Debian: apt-get install postgresql-client), of the server's version or later`,
  )
}

/** A program that may connect gets the password in its environment: arguments are anybody's to read. */
export function startTool(
  name: Tool,
  args: string[],
  { url }: Postgres,
): ChildProcess & { ended: Promise<void> } {
  const address = new URL(url)
  // In the query it would count, too.
  const password = decodeURIComponent(address.password) || address.searchParams.get('password')
  address.password = ''
  address.searchParams.delete('password')
  const child = spawn(
    findTool(name),
    name === 'pg_restore' ? args : [...args, `--dbname=${address.href}`],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        LC_ALL: 'C',
        PGAPPNAME: 'citygate backup',
        PGCONNECT_TIMEOUT: '5',
        ...(password ? { PGPASSWORD: password } : {}),
      },
    },
  )
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 2_000)
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      // The first line says what; those below it may quote rows.
      else
        reject(new BackupError('unavailable', `${name}: ${said.split('\n')[0] || `exit ${code}`}`))
    })
  })
  // Whoever waits for it hears of it; until then it is no stray rejection.
  ended.catch(() => {})
  return Object.assign(child, { ended })
}

/** What the program writes to its standard output. */
export async function readTool(name: Tool, args: string[], where: Postgres): Promise<string> {
  const child = startTool(name, args, where)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  child.stdin?.end()
  await child.ended
  return text
}
