/**
 * Many people at once, in a statement for all of them: rows go as one JSON text, so that each statement is the same one
 * for ten and for five hundred, on both engines.
 */
import { sha256 } from '#lib/crypto.ts'
import { type AccountRow, accountColumns, type NewAccountRow, readAccount } from './accounts.ts'
import { type AffiliationRow, affiliationColumns } from './affiliations.ts'
import type { CredentialRow } from './credentials.ts'
import type { IdentifierRow } from './identifiers.ts'
import type { IdentityRow } from './identities.ts'
import { eachEngine, type Statements, statement, textsIn } from './statements.ts'

type Name = Pick<IdentifierRow, 'type' | 'value'>
type Key = Pick<IdentityRow, 'issuer' | 'subject'>

export type NewIdentity = Pick<
  IdentityRow,
  'id' | 'accountId' | 'connector' | 'issuer' | 'subject' | 'createdAt'
>

export type BulkPeople = {
  /** Those of the names that are somebody's. */
  holdersOf(names: Name[]): Promise<IdentifierRow[]>
  /** Those of the links that are somebody's, or were before her county knew her by another key. */
  linkedTo(keys: Key[]): Promise<(Key & { accountId: string })[]>
  /** Finds them and keeps others from writing them until the transaction ends. Call it inside one. */
  lock(ids: string[]): Promise<AccountRow[]>
  /** Those of the accounts that hold a role of staff. */
  staffAmong(ids: string[]): Promise<Set<string>>
  create(rows: NewAccountRow[]): Promise<void>
  /** Those that were still to be had: the others are somebody's. */
  takeNames(rows: IdentifierRow[]): Promise<Name[]>
  addCredentials(rows: CredentialRow[]): Promise<void>
  /** Those that were linked to nobody. */
  link(rows: NewIdentity[]): Promise<Key[]>
  addAffiliations(rows: (AffiliationRow & { position: number })[]): Promise<void>
  /** As if they had never been made. Call it in the transaction that made them. */
  unmake(ids: string[]): Promise<void>
}

type Column = [name: string, type: 'text' | 'bigint' | 'int']

/** Rows of a JSON text as a table of these columns. */
const rowsOf = (columns: Column[]) => ({
  sqlite: `SELECT ${columns.map(([name]) => `value->>'${name}' AS ${name}`).join(', ')} FROM json_each(?) WHERE true`,
  postgres: `SELECT ${columns.map(([name]) => name).join(', ')}
    FROM json_to_recordset(?::json) AS r(${columns.map((column) => column.join(' ')).join(', ')}) WHERE true`,
})

const insertion = (name: string, table: string, columns: Column[], end = '') => {
  const { sqlite, postgres } = rowsOf(columns)
  const into = `INSERT INTO ${table} (${columns.map(([column]) => column).join(', ')})`
  return statement(name, {
    sqlite: `${into} ${sqlite} ${end}`,
    postgres: `${into} ${postgres} ${end}`,
  })
}

const createAccounts = insertion('bulk.account', 'account', [
  ['id', 'text'],
  ['kind', 'text'],
  ['status', 'text'],
  ['profile', 'text'],
  ['created_at', 'bigint'],
  ['updated_at', 'bigint'],
])
const takeNames = insertion(
  'bulk.identifier',
  'identifier',
  [
    ['type', 'text'],
    ['value', 'text'],
    ['account_id', 'text'],
    ['verified_at', 'bigint'],
  ],
  'ON CONFLICT (type, value) DO NOTHING RETURNING type, value',
)
const addCredentials = insertion('bulk.credential', 'credential', [
  ['id', 'text'],
  ['account_id', 'text'],
  ['type', 'text'],
  ['secret', 'text'],
  ['created_at', 'bigint'],
  ['updated_at', 'bigint'],
])
const link = insertion(
  'bulk.identity',
  'identity',
  [
    ['id', 'text'],
    ['account_id', 'text'],
    ['connector', 'text'],
    ['issuer', 'text'],
    ['subject', 'text'],
    ['openid2_ids', 'text'],
    ['raw', 'text'],
    ['created_at', 'bigint'],
    ['read_at', 'bigint'],
  ],
  'ON CONFLICT (issuer, subject) DO NOTHING RETURNING issuer, subject',
)
const addAffiliations = insertion('bulk.affiliation', 'affiliation', [
  ['identity_id', 'text'],
  ['position', 'int'],
  ['account_id', 'text'],
  ['school_code', 'text'],
  ['school_name', 'text'],
  ['role', 'text'],
  ['titles', 'text'],
  ['classes', 'text'],
  ['read_at', 'bigint'],
])

const pair = rowsOf([
  ['a', 'text'],
  ['b', 'text'],
])

const holdersOf = eachEngine(
  'bulk.holders',
  (engine) => `SELECT type, value, account_id, verified_at FROM identifier
   WHERE (type, value) IN (SELECT a, b FROM (${pair[engine]}) AS wanted)`,
)
const linkedTo = eachEngine(
  'bulk.linked',
  (engine) => `SELECT issuer, subject, account_id FROM identity
   WHERE (issuer, subject) IN (SELECT a, b FROM (${pair[engine]}) AS wanted)`,
)
const formerlyLinkedTo = eachEngine(
  'bulk.formerly-linked',
  (
    engine,
  ) => `SELECT f.id, i.account_id FROM former_identity f JOIN identity i ON i.id = f.identity_id
   WHERE f.id IN (${textsIn[engine]})`,
)
const accountsText = (engine: 'sqlite' | 'postgres') =>
  `SELECT ${accountColumns.join(', ')} FROM account WHERE id IN (${textsIn[engine]})`
const lock = statement('bulk.lock', {
  sqlite: accountsText('sqlite'),
  // In one order: two who lock the same accounts wait for each other, and nobody for ever.
  postgres: `${accountsText('postgres')} ORDER BY id FOR UPDATE`,
})
const staffAmong = eachEngine(
  'bulk.staff',
  (engine) => `SELECT DISTINCT holder FROM staff_role WHERE holder IN (${textsIn[engine]})`,
)
const unmake = eachEngine(
  'bulk.unmake',
  (engine) => `DELETE FROM account WHERE id IN (${textsIn[engine]})`,
)

const formerId = ({ issuer, subject }: Key) => sha256(JSON.stringify([issuer, subject]))

export function openBulkPeople(statements: Statements): BulkPeople {
  /** Nothing is asked for nobody. */
  const run = async (which: ReturnType<typeof statement>, list: unknown[]) =>
    list.length === 0 ? [] : statements.run(which, [JSON.stringify(list)])
  return {
    async holdersOf(names) {
      const rows = await run(
        holdersOf,
        names.map(({ type, value }) => ({ a: type, b: value })),
      )
      return rows.map(({ type, value, account_id: accountId, verified_at: at }) => ({
        type: type as IdentifierRow['type'],
        value: String(value),
        accountId: String(accountId),
        ...(at === null ? {} : { verifiedAt: Number(at) }),
      }))
    },
    async linkedTo(keys) {
      const now = await run(
        linkedTo,
        keys.map(({ issuer, subject }) => ({ a: issuer, b: subject })),
      )
      const former = await run(formerlyLinkedTo, keys.map(formerId))
      const byFormer = new Map(former.map((row) => [row.id, String(row.account_id)]))
      return [
        ...now.map((row) => ({
          issuer: String(row.issuer),
          subject: String(row.subject),
          accountId: String(row.account_id),
        })),
        ...keys.flatMap((key) => {
          const accountId = byFormer.get(formerId(key))
          return accountId === undefined ? [] : [{ ...key, accountId }]
        }),
      ]
    },
    lock: async (list) => (await run(lock, list)).map(readAccount),
    staffAmong: async (list) =>
      new Set((await run(staffAmong, list)).map(({ holder }) => String(holder))),
    async create(rows) {
      await run(
        createAccounts,
        rows.map(({ id, kind, status, profile, createdAt, updatedAt }) => ({
          id,
          kind,
          status,
          profile: JSON.stringify(profile),
          created_at: createdAt,
          updated_at: updatedAt,
        })),
      )
    },
    async takeNames(rows) {
      const taken = await run(
        takeNames,
        rows.map(({ type, value, accountId, verifiedAt = null }) => ({
          type,
          value,
          account_id: accountId,
          verified_at: verifiedAt,
        })),
      )
      return taken.map(({ type, value }) => ({
        type: type as IdentifierRow['type'],
        value: String(value),
      }))
    },
    async addCredentials(rows) {
      await run(
        addCredentials,
        rows.map(({ id, accountId, type, secret, createdAt, updatedAt }) => ({
          id,
          account_id: accountId,
          type,
          secret,
          created_at: createdAt,
          updated_at: updatedAt,
        })),
      )
    },
    async link(rows) {
      const linked = await run(
        link,
        rows.map(({ id, accountId, connector, issuer, subject, createdAt: at }) => ({
          id,
          account_id: accountId,
          connector,
          issuer,
          subject,
          openid2_ids: '[]',
          raw: '{}',
          created_at: at,
          read_at: at,
        })),
      )
      return linked.map(({ issuer, subject }) => ({
        issuer: String(issuer),
        subject: String(subject),
      }))
    },
    async addAffiliations(rows) {
      await run(
        addAffiliations,
        rows.map((row) => affiliationColumns(row, row.position)),
      )
    },
    async unmake(list) {
      await run(unmake, list)
    },
  }
}
