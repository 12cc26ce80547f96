/** PostgreSQL as we use it: a pool for knex and transactions, and pipelines for single prepared statements. */
import type { Knex } from 'knex'
import Dialect, { type Query } from 'knex/lib/dialects/postgres/index.js'
import type { Client } from 'pg'
import { openPipelines } from './pipelines.ts'
import type { LentStatements, Statements } from './statements.ts'

export type Postgres = {
  engine: 'postgres'
  url: string
  /** The most connections one process holds. */
  connections?: number
  /** A database that does not answer for so long is down: milliseconds. */
  patienceMs?: number
}

/** Of a process's connections, those that run single statements. */
const lanesOf = (connections: number) => Math.max(1, Math.floor(connections / 3))

const clientConfig = ({ url, patienceMs: patience = 2_000 }: Postgres) => ({
  connectionString: url,
  application_name: 'citygate',
  connectionTimeoutMillis: patience,
  // In the client too: a frozen server ends no statement by itself.
  query_timeout: patience,
  statement_timeout: 0.9 * patience,
  idle_in_transaction_session_timeout: 5 * patience,
})

/** For everyday queries and transactions. */
export function postgresConfig(where: Postgres): Knex.Config {
  const { connections = 10, patienceMs = 2_000 } = where
  return {
    client: PostgresDialect,
    connection: clientConfig(where),
    acquireConnectionTimeout: patienceMs,
    pool: { min: 0, max: connections - lanesOf(connections), idleTimeoutMillis: 30_000 },
  }
}

type PooledClient = Client & { __knex__disposed?: unknown }

/** Knex would lend a connection on which an answer never came, and wait for it each time. */
class PostgresDialect extends Dialect {
  override async _query(connection: PooledClient, query: Query) {
    try {
      return await super._query(connection, query)
    } catch (error) {
      doubt(connection, error)
      throw error
    }
  }
}

/** Named statements: the server parses and plans each once per connection. */
export function openPostgresStatements(
  knex: Knex,
  where: Postgres,
): LentStatements & { close(): Promise<void> } {
  const { client } = knex
  const pipelines = openPipelines(clientConfig(where), lanesOf(where.connections ?? 10))

  return {
    run: pipelines.run,
    async lend(work) {
      const connection: PooledClient = await client.acquireConnection()
      const run: Statements['run'] = async ({ name, postgres: text }, values) => {
        try {
          return (await connection.query({ name, text, values })).rows
        } catch (error) {
          doubt(connection, error)
          throw error
        }
      }
      try {
        return await work({ run })
      } finally {
        client.releaseConnection(connection)
      }
    },
    close: pipelines.close,
  }
}

/** What the server did not say itself leaves the connection in an unknown state: knex must not lend it again. */
function doubt(connection: PooledClient, error: unknown) {
  if (!isServerError(error)) connection.__knex__disposed = error
}

const isServerError = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && error.severity === 'ERROR'
