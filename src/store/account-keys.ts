/** What people are looked up by: the beginnings of their names, addresses and of what they sign in with. */
import type { Knex } from 'knex'
import type { Attribute } from './accounts.ts'
import { type Row, type Statements, statement } from './statements.ts'

export type KeyKind = 'account' | 'email' | 'name'
export type AccountKey = { value: string; kind: KeyKind }

/** What somebody's keys are made of, and what they were made of the last time. */
export type KeySource = {
  id: string
  profile: Record<string, Attribute>
  names: { type: string; value: string }[]
  /** Of the keys there are; absent where there are none yet. */
  digest?: string
}

export type ChangePlace = { updatedAt: number; id: string }

export type AccountKeys = {
  /** Accounts written after this place, in the order in which they were written. */
  changedAfter(place: ChangePlace, limit: number): Promise<ChangePlace[]>
  /** Ids that come after this one, in their order. */
  idsAfter(id: string, limit: number): Promise<string[]>
  sources(ids: string[]): Promise<KeySource[]>
  /** Keeps others from writing these accounts until the transaction ends. Call it inside one. */
  hold(ids: string[]): Promise<void>
  /** These are all the keys of these accounts. Call it with them held. */
  put(rows: { id: string; keys: AccountKey[]; digest: string }[]): Promise<void>
}

const changedAfter = statement(
  'account-key.changed-after',
  `SELECT id, updated_at FROM account WHERE (updated_at, id) > (?, ?)
   ORDER BY updated_at, id LIMIT ?`,
)
const idsAfter = statement(
  'account-key.ids-after',
  'SELECT id FROM account WHERE id > ? ORDER BY id LIMIT ?',
)

/** Rows of one INSERT: an engine takes so many parameters and no more. */
const rowsAtOnce = 1_000

export function openAccountKeys(knex: Knex, statements: Statements): AccountKeys {
  return {
    async changedAfter({ updatedAt, id }, limit) {
      const rows = await statements.run(changedAfter, [updatedAt, id, limit])
      return rows.map((row) => ({ updatedAt: Number(row.updated_at), id: String(row.id) }))
    },
    async idsAfter(id, limit) {
      return (await statements.run(idsAfter, [id, limit])).map((row) => String(row.id))
    },
    async sources(ids) {
      if (ids.length === 0) return []
      const rows: Row[] = await knex('account')
        .leftJoin('account_keyed', 'account_keyed.account_id', 'account.id')
        .whereIn('account.id', ids)
        .select('account.id', 'account.profile', 'account_keyed.digest')
      const names: Row[] = await knex('identifier')
        .whereIn('account_id', ids)
        .orderBy(['type', 'value'])
        .select('account_id', 'type', 'value')
      return rows.map((row) => ({
        id: String(row.id),
        profile: JSON.parse(String(row.profile)),
        names: names
          .filter(({ account_id }) => account_id === row.id)
          .map(({ type, value }) => ({ type: String(type), value: String(value) })),
        ...(typeof row.digest === 'string' ? { digest: row.digest } : {}),
      }))
    },
    async hold(ids) {
      // Always in the same order: two who lock the same accounts must not wait for each other.
      const rows = knex('account').whereIn('id', ids).orderBy('id').select('id')
      // A transaction holds SQLite's only write lock.
      await (knex.client.driverName === 'pg' ? rows.forUpdate() : rows)
    },
    async put(rows) {
      if (rows.length === 0) return
      const ids = rows.map(({ id }) => id)
      await knex('account_key').whereIn('account_id', ids).delete()
      const keys = rows.flatMap(({ id, keys }) => keys.map((one) => ({ ...one, account_id: id })))
      for (let at = 0; at < keys.length; at += rowsAtOnce) {
        await knex('account_key').insert(keys.slice(at, at + rowsAtOnce))
      }
      await knex('account_keyed')
        .insert(rows.map(({ id, digest }) => ({ account_id: id, digest })))
        .onConflict('account_id')
        .merge(['digest'])
    },
  }
}
