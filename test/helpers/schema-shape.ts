/** What a schema asks of whoever writes into it, and whether a later one asks for more. */
import type { Where } from '#store/store.ts'
import { type Line, openLine } from './release.ts'

type Column = {
  type: string
  nullable: boolean
  /** Whoever leaves it out is refused. */
  required: boolean
}

type Table = {
  columns: Record<string, Column>
  /** Unique indexes, references, checks and triggers, in the database's words. */
  rules: string[]
}

export type Shape = Record<string, Table>

export async function readShape(where: Where): Promise<Shape> {
  const line = await openLine(where)
  try {
    return await readers[where.engine](line)
  } finally {
    await line.close()
  }
}

/** Everything by which `after` hinders a program that was written for `before`. */
export function hindrances(before: Shape, after: Shape): string[] {
  return Object.entries(before).flatMap(([name, table]) => {
    const later = after[name]
    if (!later) return [`${name} is gone`]
    const columns = Object.entries(table.columns).flatMap(([column, was]) => {
      const is = later.columns[column]
      const where = `${name}.${column}`
      if (!is) return [`${where} is gone`]
      if (is.type !== was.type) return [`${where} was ${was.type} and is ${is.type}`]
      if (was.nullable && !is.nullable) return [`${where} may not be empty any more`]
      return !was.required && is.required ? [`${where} may not be left out any more`] : []
    })
    const added = Object.entries(later.columns)
      .filter(([column, { required }]) => required && !table.columns[column])
      .map(([column]) => `${name}.${column} is new and may not be left out`)
    const rules = later.rules
      .filter((rule) => !table.rules.includes(rule))
      .map((rule) => `${name} has a new rule: ${rule}`)
    return [...columns, ...added, ...rules]
  })
}

const readers = { sqlite: readSqlite, postgres: readPostgres } satisfies Record<
  Where['engine'],
  (line: Line) => Promise<Shape>
>

async function readSqlite({ send }: Line): Promise<Shape> {
  const shape: Shape = {}
  const tables = await send(`SELECT name FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
  for (const table of tables) {
    const name = String(table.name)
    const columns = await send(
      'SELECT name, type, "notnull", dflt_value FROM pragma_table_info(?)',
      [name],
    )
    const rules = await send(
      `SELECT 'unique (' || group_concat(i.name, ', ') || ')' AS rule
         FROM pragma_index_list(?) l, pragma_index_info(l.name) i WHERE l."unique" GROUP BY l.name
       UNION ALL SELECT "from" || ' references ' || "table" FROM pragma_foreign_key_list(?)
       UNION ALL SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?`,
      [name, name, name],
    )
    const entries = columns.map((one) => {
      const nullable = one.notnull === 0
      const required = !nullable && one.dflt_value === null
      return [String(one.name), { type: String(one.type), nullable, required }] as const
    })
    shape[name] = {
      columns: Object.fromEntries(entries),
      rules: rules.map(({ rule }) => String(rule)),
    }
  }
  return shape
}

async function readPostgres({ send }: Line): Promise<Shape> {
  const shape: Shape = {}
  const tables = await send(`SELECT oid::int AS id, relname AS name FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`)
  for (const { id, name } of tables) {
    const columns = await send(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS nullable,
         attnotnull AND NOT atthasdef AND attidentity = '' AS required
       FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped`,
      [id],
    )
    const rules = await send(
      `SELECT pg_get_indexdef(indexrelid) AS rule FROM pg_index WHERE indrelid = $1 AND indisunique
       UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1
       UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger
         WHERE tgrelid = $1 AND NOT tgisinternal`,
      [id],
    )
    const entries = columns.map(({ name, type, nullable, required }) => {
      const column = { type: String(type), nullable: !!nullable, required: !!required }
      return [String(name), column] as const
    })
    shape[String(name)] = {
      columns: Object.fromEntries(entries),
      rules: rules.map(({ rule }) => String(rule)),
    }
  }
  return shape
}
