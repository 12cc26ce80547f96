/** PostgreSQL as we use it: one pool of connections, shared by knex and the prepared statements. */
import type { Knex } from 'knex'
import type { Client } from 'pg'
import type { LentStatements, Statements } from './statements.ts'

export type Postgres = {
  engine: 'postgres'
  url: string
  /** The most connections one process holds. */
  connections?: number
}

/** A database that does not answer for so long is down: milliseconds. */
const patience = 2_000

export function postgresConfig({ url, connections = 10 }: Postgres): Knex.Config {
  return {
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: 'citygate',
      connectionTimeoutMillis: patience,
      // In the client too: a frozen server ends no statement by itself.
      query_timeout: 2 * patience,
      statement_timeout: patience,
      idle_in_transaction_session_timeout: 5 * patience,
    },
    acquireConnectionTimeout: patience,
    pool: { min: 0, max: connections, idleTimeoutMillis: 30_000 },
  }
}

type PooledClient = Client & { __knex__disposed?: unknown }

/** Named statements: the server parses and plans each once per connection. */
export function openPostgresStatements(knex: Knex): LentStatements {
  const { client } = knex

  async function lend<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    const connection: PooledClient = await client.acquireConnection()
    const run: Statements['run'] = async ({ name, postgres: text }, values) => {
      try {
        return (await connection.query({ name, text, values })).rows
      } catch (error) {
        // What the server did not say itself leaves the connection in an unknown state: knex must not lend it again.
        if (!isServerError(error)) connection.__knex__disposed = error
        throw error
      }
    }
    try {
      return await work({ run })
    } finally {
      client.releaseConnection(connection)
    }
  }

  return { lend, run: (statement, values) => lend(({ run }) => run(statement, values)) }
}

const isServerError = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && error.severity === 'ERROR'
