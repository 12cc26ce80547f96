/** What the last release left behind and what it says to its database: test/fixtures/, made by make-release.ts. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import pg from 'pg'
import { openDatabase } from '#store/database.ts'
import type { Where } from '#store/store.ts'
import type { Fixture } from '../fixtures/make-release.ts'
import type { Recorded } from '../fixtures/recorder.ts'
import type { Engine } from './database.ts'

const fixtures = join(import.meta.dirname, '..', 'fixtures')
const folders = readdirSync(fixtures).filter((name) => name.startsWith('release-'))
const [folder] = folders
if (!folder || folders.length > 1) throw new Error(`one release, not ${folders}, in ${fixtures}`)

const place = join(fixtures, folder)
const read = (name: string) => readFileSync(join(place, name), 'utf8')

export const left: Fixture = JSON.parse(read('left.json'))
export const schema = read('schema.sql')
const tables: Record<string, Row[]> = JSON.parse(read('rows.json'))
type Row = Record<string, unknown>

/** The migrations it had. */
export const released = (tables.migration ?? []).map(({ name }) => String(name))

/** Fills an empty database as the release would have left it, `ago` seconds before now. */
export async function loadRelease(where: Where, ago = 0): Promise<void> {
  if (where.engine === 'sqlite') {
    const file = new DatabaseSync(where.file)
    file.exec(schema)
    file.close()
  }
  const knex = openDatabase(where)
  try {
    // A release without PostgreSQL left none of its words for it: there the migrations it had speak for it.
    if (where.engine === 'postgres') for (const _ of released) await knex.migrate.up()
    const later = Math.floor(Date.now() / 1000) - ago - left.writtenAt
    for (const [table, rows] of Object.entries(tables)) {
      const made = where.engine === 'postgres' && table.startsWith('migration')
      if (!made && rows.length > 0) await knex(table).insert(rows.map((row) => moved(row, later)))
    }
  } finally {
    await knex.destroy()
  }
}

const day = 24 * 60 * 60

/** Times, wherever they stand, move along; nothing else is as large a number. */
function moved<T>(value: T, by: number): T
function moved(value: unknown, by: number): unknown {
  if (Array.isArray(value)) return value.map((one) => moved(one, by))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, moved(one, by)]))
  if (typeof value === 'string' && /^[{[]/.test(value))
    return JSON.stringify(moved(JSON.parse(value), by))
  const time = typeof value === 'number' && Math.abs(value - left.writtenAt) < 400 * day
  return time ? value + by : value
}

/** A connection as the release has one, with knex and migrations out of the way. */
export type Line = {
  send(sql: string, bindings?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

export async function openLine(where: Where): Promise<Line> {
  if (where.engine === 'sqlite') {
    const file = new DatabaseSync(where.file)
    return {
      send: async (sql, bindings = []) => file.prepare(sql).all(...(bindings as SQLInputValue[])),
      close: async () => file.close(),
    }
  }
  const client = new pg.Client({ connectionString: where.url })
  await client.connect()
  return {
    send: async (sql, bindings = []) => (await client.query(sql, bindings)).rows,
    close: () => client.end(),
  }
}

/** What the release says, in the engine's words. */
export function statementsOf(engine: Engine): Recorded[] {
  const own = `statements.${engine}.json`
  const recorded = readdirSync(place).includes(own)
  const said: Recorded[] = JSON.parse(read(recorded ? own : 'statements.sqlite.json'))
  return recorded ? said : said.filter(({ sql }) => !isForSqlite(sql)).map(inPostgres)
}

/** JSON functions, and how knex inserts several rows there. */
const isForSqlite = (sql: string) => /\bjson_(set|patch|extract)\b|\bunion all\b/.test(sql)

function inPostgres({ sql, bindings }: Recorded): Recorded {
  let n = 0
  return { sql: sql.replaceAll('`', '"').replace(/\?/g, () => `$${++n}`), bindings }
}

/** The statements the database refuses, each with its reason. Nothing of what they did is kept. */
export async function refusedOf(where: Where): Promise<string[]> {
  const line = await openLine(where)
  const refused: string[] = []
  try {
    await line.send('BEGIN')
    for (const { sql, bindings } of statementsOf(where.engine)) {
      await line.send('SAVEPOINT one')
      try {
        await line.send(sql, bindings)
        await line.send('RELEASE SAVEPOINT one')
      } catch (error) {
        refused.push(`${error}: ${sql}`)
        await line.send('ROLLBACK TO SAVEPOINT one')
      }
    }
    await line.send('ROLLBACK')
  } finally {
    await line.close()
  }
  return refused
}
