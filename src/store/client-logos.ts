/** An app's picture, as we encoded it. */
import type { Knex } from 'knex'

export type ClientLogoRow = { clientId: string; type: string; bytes: Buffer; updatedAt: number }

export type ClientLogos = {
  put(row: ClientLogoRow): Promise<void>
  find(clientId: string): Promise<ClientLogoRow | undefined>
  /** False if there is none. */
  remove(clientId: string): Promise<boolean>
}

type Row = { client_id: string; type: string; bytes: Uint8Array; updated_at: number | string }

export function openClientLogos(knex: Knex): ClientLogos {
  return {
    async put({ clientId, type, bytes, updatedAt }) {
      await knex('client_logo')
        .insert({ client_id: clientId, type, bytes, updated_at: updatedAt })
        .onConflict('client_id')
        .merge(['type', 'bytes', 'updated_at'])
    },
    async find(clientId) {
      const row = await knex<Row>('client_logo')
        .select('client_id', 'type', 'bytes', 'updated_at')
        .where({ client_id: clientId })
        .first()
      return (
        row && {
          clientId: row.client_id,
          type: row.type,
          bytes: Buffer.from(row.bytes),
          updatedAt: Number(row.updated_at),
        }
      )
    },
    remove: async (clientId) =>
      (await knex('client_logo').where({ client_id: clientId }).delete()) > 0,
  }
}
