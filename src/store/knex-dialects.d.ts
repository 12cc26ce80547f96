/** The part of knex's SQLite dialect that knex-on-node-sqlite.ts replaces; knex has no types for it. */
declare module 'knex/lib/dialects/sqlite3/index.js' {
  import type { Knex } from 'knex'

  export type Query = {
    sql: string
    bindings?: unknown[]
    response?: unknown
    context?: { changes: number | bigint; lastID: number | bigint }
  }
  export default class Dialect extends (null as unknown as typeof Knex.Client) {
    _driver(): unknown
    acquireRawConnection(): Promise<unknown>
    destroyRawConnection(connection: unknown): Promise<void>
    _query(connection: unknown, query: Query): Promise<Query>
  }
}
