/** A PostgreSQL of one's own from this machine's binaries, as a user that is not root, in a temporary folder. */
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Postgres = {
  /** Of the server's first database, as its superuser. */
  url: string
  /** The server process, for tests that stop, freeze or kill it. */
  pid: number
  stop(): Promise<void>
  /** Starts it again on the same data after it was stopped or killed. */
  restart(): Promise<void>
}

type Options = {
  /** False for the bench and for tests that kill the server: what is acknowledged is on the disk. */
  careless?: boolean
}

/** Starts the server and waits until it answers. Throws in words where there are no binaries. */
export async function startPostgres({ careless = true }: Options = {}): Promise<Postgres> {
  const bin = findBinaries()
  const user = otherUser()
  const folder = mkdtempSync(join(tmpdir(), 'citygate-postgres-'))
  const data = join(folder, 'data')
  if (user) chownSync(folder, user.uid, user.gid)
  const asUser = { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' } }
  const init = ['-D', data, '-U', 'citygate', '-A', 'trust', '-E', 'UTF8', '--no-sync']
  execFileSync(join(bin, 'initdb'), init, { ...asUser, stdio: ['ignore', 'ignore', 'inherit'] })
  const port = await freePort()
  const url = `postgres://citygate@127.0.0.1:${port}/postgres`
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    max_connections: 200,
    shared_buffers: '128MB',
    ...(careless ? { fsync: 'off' } : {}),
  }
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])

  const run = async () => {
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...flags], {
      ...asUser,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    const up = /ready to accept connections/
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk).slice(-4_000)
        if (up.test(said)) resolve()
      })
      child.once('exit', () => reject(new Error(`PostgreSQL did not start: ${said}`)))
    })
    // The tests end when they end: neither the server nor its pipe keeps them.
    child.stderr.removeAllListeners('data').resume()
    if (child.stderr instanceof Socket) child.stderr.unref()
    child.unref()
    return child
  }
  let child = await run()
  const ended = () =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      // Whoever waits for its end must not end first.
      child.ref()
      child.once('exit', () => resolve())
    })
  const clean = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', () => {
    child.kill('SIGQUIT')
    clean()
  })
  return {
    url,
    get pid() {
      return child.pid ?? 0
    },
    async stop() {
      child.kill('SIGINT')
      await ended()
      clean()
    },
    async restart() {
      await ended()
      child = await run()
    },
  }
}

function findBinaries(): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root)
    ? readdirSync(root)
        .map(Number)
        .sort((a, b) => b - a)
    : []
  const found = versions.map((version) => join(root, String(version), 'bin')).find(existsSync)
  if (found) return found
  throw new Error(
    'PostgreSQL is not installed here: install it (Debian: apt-get install postgresql), or set TEST_DATABASE_URL',
  )
}

/** PostgreSQL refuses to run as root. */
function otherUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return { uid: 65_534, gid: 65_534 }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
