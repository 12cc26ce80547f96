/** Secrets of this installation, each sealed under the key-encryption key. */
import type { Knex } from 'knex'

export type KeyRow = { name: string; purpose: string; sealed: string; createdAt: number }

export type KeyRing = {
  /** Oldest first. */
  list(): Promise<KeyRow[]>
  /** Keeps the row unless the name is taken: of two first starts at once, one key wins and both use it. */
  add(row: KeyRow): Promise<void>
}

type Row = { name: string; purpose: string; sealed: string; created_at: number | string }

export function openKeyRing(knex: Knex): KeyRing {
  return {
    async list() {
      const rows = await knex<Row>('key_ring').orderBy(['created_at', 'name'])
      return rows.map(({ created_at, ...row }) => ({ ...row, createdAt: Number(created_at) }))
    },
    async add({ createdAt, ...row }) {
      await knex('key_ring')
        .insert({ ...row, created_at: createdAt })
        .onConflict('name')
        .ignore()
    },
  }
}
