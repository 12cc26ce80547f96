/** A member's picture, as we encoded it. */
import type { Knex } from 'knex'

export type PictureRow = { accountId: string; type: string; bytes: Buffer; updatedAt: number }

export type Pictures = {
  put(row: PictureRow): Promise<void>
  find(accountId: string): Promise<PictureRow | undefined>
  remove(accountId: string): Promise<void>
}

type Row = { account_id: string; type: string; bytes: Uint8Array; updated_at: number | string }

export function openPictures(knex: Knex): Pictures {
  return {
    async put({ accountId, type, bytes, updatedAt }) {
      await knex('picture')
        .insert({ account_id: accountId, type, bytes, updated_at: updatedAt })
        .onConflict('account_id')
        .merge(['type', 'bytes', 'updated_at'])
    },
    async find(accountId) {
      const row = await knex<Row>('picture').where({ account_id: accountId }).first()
      return (
        row && {
          accountId: row.account_id,
          type: row.type,
          bytes: Buffer.from(row.bytes),
          updatedAt: Number(row.updated_at),
        }
      )
    },
    async remove(accountId) {
      await knex('picture').where({ account_id: accountId }).delete()
    },
  }
}
