/** Trips to an upstream that have left and may come back. */
import type { Knex } from 'knex'

export type TripRow = {
  /** SHA-256 of `state`. */
  id: string
  connector: string
  /** SHA-256 of the browser's device cookie. */
  device: string
  /** Which interaction it left from, and the connector's memo: sealed. */
  memo: string
  expiresAt: number
}

export type Trips = {
  leave(row: TripRow): Promise<void>
  find(id: string): Promise<(TripRow & { usedAt?: number }) | undefined>
  /** Marks the trip as come back. True for exactly one caller, however many race. */
  arrive(id: string, at: number): Promise<boolean>
}

type Row = {
  id: string
  connector: string
  device: string
  memo: string
  expires_at: number | string
  used_at: number | string | null
}

export function openTrips(knex: Knex): Trips {
  return {
    async leave(row) {
      await knex('upstream_trip').insert({
        id: row.id,
        connector: row.connector,
        device: row.device,
        memo: row.memo,
        expires_at: row.expiresAt,
      })
    },
    async find(id) {
      const row = await knex<Row>('upstream_trip').where({ id }).first()
      return (
        row && {
          id: row.id,
          connector: row.connector,
          device: row.device,
          memo: row.memo,
          expiresAt: Number(row.expires_at),
          ...(row.used_at === null ? {} : { usedAt: Number(row.used_at) }),
        }
      )
    },
    async arrive(id, at) {
      const changed = await knex('upstream_trip')
        .where({ id })
        .whereNull('used_at')
        .update({ used_at: at })
      return changed === 1
    },
  }
}
