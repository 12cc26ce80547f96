/** Secrets of this installation, each sealed under the key-encryption key. */
import type { Knex } from 'knex'

export type KeyRow = {
  name: string
  purpose: string
  sealed: string
  createdAt: number
  /** When it begins to be used; absent when a release without a schedule made it. */
  signsAt?: number
  /** Which key-encryption key sealed it; absent likewise. */
  kekId?: string
}

export type KeyRing = {
  /** Oldest first. */
  list(): Promise<KeyRow[]>
  /** Keeps the row unless the name is taken: of two first starts at once, one key wins and both use it. */
  add(row: KeyRow): Promise<void>
  /** Until the transaction ends, everybody else who holds the ring waits. Call it inside one, first. */
  hold(): Promise<void>
  /** Puts the same secret under another key-encryption key. */
  reseal(name: string, sealed: Required<Pick<KeyRow, 'sealed' | 'kekId'>>): Promise<void>
  /** True for the one caller who took it away. */
  remove(name: string): Promise<boolean>
}

type Row = {
  name: string
  purpose: string
  sealed: string
  created_at: number | string
  signs_at: number | string | null
  kek_id: string | null
}

export function openKeyRing(knex: Knex): KeyRing {
  return {
    async list() {
      const rows = await knex<Row>('key_ring').orderBy(['created_at', 'name'])
      return rows.map(({ name, purpose, sealed, created_at, signs_at, kek_id }) => ({
        name,
        purpose,
        sealed,
        createdAt: Number(created_at),
        ...(signs_at === null ? {} : { signsAt: Number(signs_at) }),
        ...(kek_id === null ? {} : { kekId: kek_id }),
      }))
    },
    async add({ createdAt, signsAt, kekId, ...row }) {
      await knex('key_ring')
        .insert({ ...row, created_at: createdAt, signs_at: signsAt ?? null, kek_id: kekId ?? null })
        .onConflict('name')
        .ignore()
    },
    async hold() {
      // A write that changes nothing: SQLite gives its only write lock, PostgreSQL this row, which is never removed.
      await knex('key_ring').where({ purpose: 'pairwise' }).update({ purpose: 'pairwise' })
    },
    async reseal(name, { sealed, kekId }) {
      await knex('key_ring').where({ name }).update({ sealed, kek_id: kekId })
    },
    async remove(name) {
      return (await knex('key_ring').where({ name }).delete()) > 0
    },
  }
}
