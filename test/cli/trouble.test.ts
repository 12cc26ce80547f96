/** What an operator reads when a database, an address or a folder is not there: what, where, how to mend it. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openDatabase } from '#store/database.ts'
import { createPostgres, dropPostgres, temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import { until } from '../helpers/program.ts'

const root = join(import.meta.dirname, '..', '..')

function cli(args: string[], env: NodeJS.ProcessEnv) {
  const ran = spawnSync(process.execPath, ['bin/citygate.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env.PATH, SANDBOX: 'off', ...env },
  })
  return { exit: ran.status, out: ran.stdout, err: ran.stderr }
}

test('a database that is not there is named with the variable to mend, exit code 69, and no password', (t) => {
  const DATA_DIR = temporaryFolder(t)
  for (const [host, words] of [
    ['127.0.0.1:1', /the database refuses the connection: .*DATABASE_URL/],
    ['nobody.invalid', /the database has a host name nobody knows: .*DATABASE_URL/],
  ] as const) {
    const DATABASE_URL = `postgres://citygate:sesame@${host}/citygate`
    for (const args of [['migrate'], ['client', 'list']]) {
      const ran = cli(args, { DATA_DIR, DATABASE_URL })
      t.is(ran.exit, 69, ran.err)
      t.regex(ran.err, words)
      t.false(ran.err.includes('sesame'))
    }
  }
})

test('a user who may not make tables, and a database that is not there, are said in words', async (t) => {
  const where = await createPostgres()
  const role = `weak_${randomBytes(6).toString('hex')}`
  const knex = openDatabase(where)
  t.teardown(async () => {
    await knex.raw(`DROP ROLE IF EXISTS ${role}`)
    await knex.destroy()
    await dropPostgres(where)
  })
  await knex.raw(`CREATE ROLE ${role} LOGIN`)
  const address = new URL(where.url)
  address.username = role
  const env = { DATA_DIR: temporaryFolder(t), DATABASE_URL: address.href }
  const refused = cli(['migrate'], env)
  t.is(refused.exit, 69, refused.err)
  t.regex(refused.err, /the database does not let us .*tables: let the user of DATABASE_URL own/)
  t.regex(cli(['doctor'], env).out, /warn {2}database rights: .*\n +mend: /)

  address.pathname = '/nowhere_at_all'
  const absent = cli(['migrate'], { ...env, DATABASE_URL: address.href })
  t.is(absent.exit, 69, absent.err)
  t.regex(absent.err, /the database has no such database|there is no such database/)
})

test('an SQLite file that is none, and a data folder that cannot be made, name DATA_DIR', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'citygate.sqlite3'), 'anything but a database, and long enough')
  const damaged = cli(['migrate'], { DATA_DIR: folder })
  t.is(damaged.exit, 69, damaged.err)
  t.regex(damaged.err, /DATA_DIR/)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  for (const DATA_DIR of [file, join(file, 'below')]) {
    const blocked = cli(['migrate'], { DATA_DIR })
    t.is(blocked.exit, 69, blocked.err)
    t.regex(blocked.err, /DATA_DIR/)
  }
})

test('an address we cannot listen on names itself and its variable', (t) => {
  const env = { DATA_DIR: temporaryFolder(t), PORT: '0', METRICS_PORT: '0' }
  for (const [wrong, words] of [
    [{ HOST: '192.0.2.1' }, /port 0 on 192\.0\.2\.1 .*set HOST/],
    [{ HOST: 'nobody.invalid' }, /port 0 on nobody\.invalid .*set HOST/],
    [{ HOST: '127.0.0.1', METRICS_HOST: 'nobody.invalid' }, /nobody\.invalid .*set METRICS_HOST/],
  ] as const) {
    const ran = cli(['serve'], { ...env, ...wrong })
    t.is(ran.exit, 69, ran.err)
    t.regex(ran.err, words)
  }
})

test('a backup that cannot be written or read is said in words, and leaves nothing behind', (t) => {
  const env = { DATA_DIR: temporaryFolder(t) }
  t.is(cli(['migrate'], env).exit, 0)
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const below = cli(['backup', join(file, 'below')], env)
  t.is(below.exit, 69, below.err)
  t.regex(below.err, /below cannot be written/)
  const onto = join(folder, 'onto')
  mkdirSync(onto)
  const over = cli(['backup', onto, '--force'], env)
  t.is(over.exit, 69, over.err)
  t.regex(over.err, /onto cannot be written/)
  const restored = cli(['restore', onto], env)
  t.is(restored.exit, 65, restored.err)
  t.regex(restored.err, /onto cannot be read/)
})

test('on a full disk for its log the server starts, answers, and ends in order', async (t) => {
  const PORT = String(await freePort())
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const child = spawn(process.execPath, ['bin/citygate.js', 'serve'], {
    cwd: root,
    stdio: ['ignore', full, 'pipe'],
    env: { PATH: process.env.PATH, SANDBOX: 'off', PORT, DATA_DIR: temporaryFolder(t) },
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const ask = async (path: string) => {
    try {
      return (await fetch(`http://localhost:${PORT}${path}`)).status
    } catch {
      return 0
    }
  }
  t.true(await until(async () => (await ask('/health/live')) === 200, 20_000), said)
  for (let i = 0; i < 50; i++) await ask(`/nothing-${i}`)
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  t.is(await ask('/health/ready'), 200, said)
  child.kill('SIGTERM')
  t.is(await ended, 0, said)
})
