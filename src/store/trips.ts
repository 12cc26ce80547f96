/** Trips to an upstream that have left and may come back. */
import { type Row, type Statements, statement } from './statements.ts'

export type TripRow = {
  /** SHA-256 of `state`. */
  id: string
  connector: string
  /** SHA-256 of the browser's device cookie. */
  device: string
  /** Which interaction it left from, and the connector's memo: sealed. */
  memo: string
  expiresAt: number
  /** The form it came back with, if one was parked: sealed. */
  parked?: string
}

export type Trips = {
  leave(row: TripRow): Promise<void>
  /** Keeps the form a trip under way comes back with: the first one. False if it is not under way, or has one. */
  park(id: string, connector: string, parked: string, at: number): Promise<boolean>
  /**
   * Takes the trip out: it is marked as come back if it left through this connector from this browser and has not
   * expired. Given to exactly one caller, however many race.
   */
  arrive(
    id: string,
    from: Pick<TripRow, 'connector' | 'device'>,
    at: number,
  ): Promise<TripRow | undefined>
  /** For saying why a trip could not be taken out. */
  find(id: string): Promise<(TripRow & { usedAt?: number }) | undefined>
}

const columns = 'id, connector, device, memo, expires_at, parked'
const leave = statement(
  'trip.leave',
  'INSERT INTO upstream_trip (id, connector, device, memo, expires_at) VALUES (?, ?, ?, ?, ?)',
)
const park = statement(
  'trip.park',
  `UPDATE upstream_trip SET parked = ?
   WHERE id = ? AND connector = ? AND parked IS NULL AND used_at IS NULL AND expires_at > ?
   RETURNING id`,
)
const arrive = statement(
  'trip.arrive',
  `UPDATE upstream_trip SET used_at = ?
   WHERE id = ? AND connector = ? AND device = ? AND used_at IS NULL AND expires_at > ?
   RETURNING ${columns}`,
)
const find = statement('trip.find', `SELECT ${columns}, used_at FROM upstream_trip WHERE id = ?`)

export function openTrips(statements: Statements): Trips {
  return {
    async leave({ id, connector, device, memo, expiresAt }) {
      await statements.run(leave, [id, connector, device, memo, expiresAt])
    },
    async park(id, connector, parked, at) {
      return (await statements.run(park, [parked, id, connector, at])).length === 1
    },
    async arrive(id, { connector, device }, at) {
      const [row] = await statements.run(arrive, [at, id, connector, device, at])
      return row && read(row)
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      if (!row) return undefined
      return { ...read(row), ...(row.used_at === null ? {} : { usedAt: Number(row.used_at) }) }
    },
  }
}

const read = (row: Row): TripRow => ({
  id: String(row.id),
  connector: String(row.connector),
  device: String(row.device),
  memo: String(row.memo),
  expiresAt: Number(row.expires_at),
  ...(row.parked === null ? {} : { parked: String(row.parked) }),
})
