/** Rows that lead to one account, led to another and back: what differs between tables is data. */
import { sha256 } from '#lib/crypto.ts'
import { type Row, type Statement, type Statements, statement } from './statements.ts'

export type MovedRow = {
  table: string
  /** What tells it apart from others of its table, or of its account. */
  key: Record<string, string>
  /** A hash of what shows whether it is as it was left. */
  mark: string
  /** What a person calls it by, where its key says nothing. */
  label?: string
}

export type RowState =
  | 'moved'
  /** It was removed since. */
  | 'gone'
  /** It says something else now. */
  | 'changed'
  /** It leads to a third account. */
  | 'elsewhere'
  /** Where it was there is another one now. */
  | 'in the way'

export type AccountMoves = {
  /**
   * Leads every row of one account to another, save those it has one of its own of. What was moved. Call it inside a
   * transaction that holds both.
   */
  move(from: string, to: string): Promise<MovedRow[]>
  /** Leads a row back to where it was, if it is as it was left. */
  moveBack(row: MovedRow, to: string, from: string): Promise<RowState>
}

type Movable = {
  table: string
  key: string[]
  /** The key is one account's, not the whole table's. */
  scoped: boolean
  /** An account has one row of each value of these; `[]`: one row. */
  oneOf?: string[]
  marked: string[]
  label?: string
}

const movable: Movable[] = [
  { table: 'identifier', key: ['type', 'value'], scoped: false, marked: [] },
  { table: 'identity', key: ['id'], scoped: false, marked: [], label: 'connector' },
  { table: 'credential', key: ['id'], scoped: false, oneOf: ['type'], marked: ['secret'] },
  { table: 'recovery_address', key: [], scoped: true, oneOf: [], marked: ['value'] },
  {
    table: 'agreement',
    key: ['terms', 'version'],
    scoped: true,
    oneOf: ['terms', 'version'],
    marked: ['hash'],
  },
  { table: 'guardian', key: [], scoped: true, oneOf: [], marked: ['name', 'email', 'agreed_at'] },
  {
    table: 'consent',
    key: ['client_id'],
    scoped: true,
    oneOf: ['client_id'],
    marked: ['granted'],
  },
  {
    table: 'affiliation_choice',
    key: ['client_id'],
    scoped: true,
    oneOf: ['client_id'],
    marked: ['affiliation_key'],
  },
  { table: 'picture', key: [], scoped: true, oneOf: [], marked: ['updated_at'] },
  {
    table: 'client_owner',
    key: ['client_id'],
    scoped: true,
    oneOf: ['client_id'],
    marked: ['created_at'],
  },
  { table: 'client_request', key: ['id'], scoped: false, marked: [] },
]

type Move = Movable & Record<'out' | 'find' | 'back', Statement>

const moves = new Map(movable.map((one) => [one.table, prepare(one)]))

function prepare(one: Movable): Move {
  const { table, key, scoped, oneOf, marked, label } = one
  const read = [...key, ...marked, ...(label ? [label] : [])].join(', ')
  const same = (oneOf ?? []).map((column) => `own.${column} = ${table}.${column}`)
  const own = `SELECT 1 FROM ${table} own WHERE ${['own.account_id = ?', ...same].join(' AND ')}`
  const which = [...key.map((column) => `${column} = ?`), ...(scoped ? ['account_id = ?'] : [])]
  return {
    ...one,
    out: statement(
      `account-move.${table}`,
      `UPDATE ${table} SET account_id = ? WHERE account_id = ?
       ${oneOf ? `AND NOT EXISTS (${own})` : ''} RETURNING ${read}`,
    ),
    find: statement(
      `account-move.find-${table}`,
      `SELECT account_id, ${read} FROM ${table} WHERE ${which.join(' AND ')}`,
    ),
    back: statement(
      `account-move.back-${table}`,
      `UPDATE ${table} SET account_id = ? WHERE ${which.join(' AND ')}`,
    ),
  }
}

/** What a county said of schools goes where its identity goes. */
const affiliations = statement(
  'account-move.affiliations',
  'UPDATE affiliation SET account_id = ? WHERE account_id = ?',
)
const affiliationsOf = statement(
  'account-move.affiliations-of',
  'UPDATE affiliation SET account_id = ? WHERE identity_id = ?',
)

export function openAccountMoves(statements: Statements): AccountMoves {
  return {
    async move(from, to) {
      const moved: MovedRow[] = []
      for (const one of moves.values()) {
        const rows = await statements.run(one.out, [to, from, ...(one.oneOf ? [to] : [])])
        moved.push(...rows.map((row) => describe(one, row)))
      }
      await statements.run(affiliations, [to, from])
      return moved
    },
    async moveBack({ table, key, mark }, to, from) {
      const one = moves.get(table)
      if (!one) throw new Error(`rows of ${table} are not moved`)
      const { scoped, find, back } = one
      const keys = one.key.map((column) => key[column] ?? '')
      const at = (account: string) => [...keys, ...(scoped ? [account] : [])]
      const [row] = await statements.run(find, at(from))
      if (!row) return 'gone'
      if (row.account_id !== from) return 'elsewhere'
      if (describe(one, row).mark !== mark) return 'changed'
      if (scoped && (await statements.run(find, at(to))).length > 0) return 'in the way'
      await statements.run(back, [to, ...at(from)])
      if (table === 'identity') await statements.run(affiliationsOf, [to, key.id ?? ''])
      return 'moved'
    },
  }
}

function describe({ table, key, marked, label }: Movable, row: Row): MovedRow {
  const named = Object.fromEntries(key.map((column) => [column, String(row[column])]))
  const mark = sha256(JSON.stringify(marked.map((column) => String(row[column]))))
  return { table, key: named, mark, ...(label ? { label: String(row[label]) } : {}) }
}
