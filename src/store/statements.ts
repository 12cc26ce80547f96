/** Statements that run on every sign-in: constant text, prepared once per connection, beside knex's builder. */

export type Value = string | number | null
export type Row = Record<string, unknown>

/**
 * Columns are named, never `*`: a migration that adds one changes what `*` means, and PostgreSQL then refuses the plans
 * of every process that is still running.
 */
export type Statement = {
  /** Also the prepared statement's name. */
  name: string
  sqlite: string
  postgres: string
  writes: boolean
}

export type Statements = {
  /** Rows of a SELECT, or of what `RETURNING` names. */
  run(statement: Statement, values: Value[]): Promise<Row[]>
}

export type LentStatements = Statements & {
  /** Runs `work` on one connection of the pool. */
  lend<T>(work: (statements: Statements) => Promise<T>): Promise<T>
}

/** `sql` has `?` for each value, as both engines understand it, or one text per engine. */
export function statement(
  name: string,
  sql: string | { sqlite: string; postgres: string },
): Statement {
  const { sqlite, postgres } = typeof sql === 'string' ? { sqlite: sql, postgres: sql } : sql
  let position = 0
  return {
    name,
    sqlite,
    postgres: postgres.replaceAll('?', () => `$${++position}`),
    writes: !/^\s*select\b/i.test(sqlite),
  }
}

/** A table of one column, `value`, from a JSON array of texts: a list of any length is one value, and one plan. */
export const textsIn = {
  sqlite: 'SELECT value FROM json_each(?)',
  postgres: 'SELECT value FROM json_array_elements_text(?::json)',
}

/** A statement whose text is of the engine: `textsIn` is not the same for both. */
export const eachEngine = (
  name: string,
  text: (engine: keyof typeof textsIn) => string,
): Statement => statement(name, { sqlite: text('sqlite'), postgres: text('postgres') })

/** Places for so many rows of so many columns: `(?, ?), (?, ?)`. */
export function places(columns: number, rows: number): string {
  const row = `(${Array(columns).fill('?').join(', ')})`
  return Array(rows).fill(row).join(', ')
}

/** One statement for each number of rows, the smallest first: each is prepared. */
export const sizedStatements = (
  name: string,
  most: number,
  text: (rows: number) => Parameters<typeof statement>[1],
): Statement[] => Array.from({ length: most }, (_, i) => statement(`${name}.${i + 1}`, text(i + 1)))

/** A list in parts, each with the statement that takes as many rows. */
export function* inParts<T>(
  sized: Statement[],
  list: T[],
): Generator<{ statement: Statement; part: T[] }> {
  for (let at = 0; at < list.length; at += sized.length) {
    const part = list.slice(at, at + sized.length)
    const fitting = sized[part.length - 1]
    if (!fitting) throw new Error('no statement of that size')
    yield { statement: fitting, part }
  }
}
