/** The parts of knex's dialects that knex-on-node-sqlite.ts and postgres.ts replace; knex has no types for them. */
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

declare module 'knex/lib/dialects/postgres/index.js' {
  import type { Knex } from 'knex'

  export type Query = { sql: string }
  export default class Dialect extends (null as unknown as typeof Knex.Client) {
    _query(connection: unknown, query: Query): Promise<Query>
  }
}
