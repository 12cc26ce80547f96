/** A database of one's own for each test, on either engine, which goes with it. */
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import pg from 'pg'
import { once } from '#lib/once.ts'
import { openStore, type Store, type Where } from '#store/store.ts'
import { madeOnce } from './made-once.ts'
import { startPostgres } from './postgres.ts'

export type Engine = Where['engine']

/** Both, for what holds on both. */
export const engines: Engine[] = ['sqlite', 'postgres']

/** Which one whole worlds are built on: `npm test` runs them on each in turn. */
export const testEngine: Engine = process.env.TEST_ENGINE === 'postgres' ? 'postgres' : 'sqlite'

export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'citygate-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The server `npm test` started or was told of; a test file that runs alone starts its own. */
const server = once(async () => process.env.TEST_DATABASE_URL ?? (await startPostgres()).url)

/** On a connection of its own, which waits as long as it takes. */
async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: await server() })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** An empty PostgreSQL database, or a copy of another one nobody is connected to. */
export async function createPostgres(template?: Where): Promise<Where & { engine: 'postgres' }> {
  const name = `citygate_${randomBytes(8).toString('hex')}`
  const from = template?.engine === 'postgres' ? new URL(template.url).pathname.slice(1) : ''
  await administer(`CREATE DATABASE ${name}${from && ` TEMPLATE ${from}`}`)
  const url = new URL(await server())
  url.pathname = `/${name}`
  // Dozens of tests share a process and two cores: what is slow here is not down.
  return { engine: 'postgres', url: url.href, connections: 5, patienceMs: 20_000 }
}

export const dropPostgres = ({ url }: { url: string }): Promise<void> =>
  administer(`DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`)

/** An empty database without a schema, or a copy of one. */
export async function createDatabase(
  t: ExecutionContext,
  engine = testEngine,
  template?: Where,
): Promise<Where> {
  if (engine === 'postgres') {
    const where = await createPostgres(template)
    t.teardown(() => dropPostgres(where))
    return where
  }
  const file = join(temporaryFolder(t), 'test.sqlite3')
  if (template?.engine === 'sqlite') copyFileSync(template.file, file)
  return { engine, file }
}

const migrated = (engine: Engine) =>
  madeOnce(`store-${engine}`, async (folder) => {
    const where: Where =
      engine === 'sqlite' ? { engine, file: join(folder, 'test.sqlite3') } : await createPostgres()
    const store = openStore(where)
    await store.migrate()
    await store.close()
    noteWhere(folder, where)
  })

/** Databases with nothing but the schema. */
export const storeTemplates = { sqlite: migrated('sqlite'), postgres: migrated('postgres') }

/** Which database belongs to a template’s folder: said beside it, so that a copy of the folder does not. */
export const noteWhere = (folder: string, where: Where): void =>
  writeFileSync(`${folder}.json`, JSON.stringify(where))

export const whereOf = (folder: string): Where => JSON.parse(readFileSync(`${folder}.json`, 'utf8'))

export async function buildStore(t: ExecutionContext, engine = testEngine): Promise<Store> {
  const template = whereOf(await storeTemplates[engine]())
  const store = openStore(await createDatabase(t, engine, template))
  store.beginAudit(Buffer.alloc(32, 7))
  store.beginOutbox(Buffer.alloc(32, 8))
  t.teardown(() => store.close())
  return store
}
