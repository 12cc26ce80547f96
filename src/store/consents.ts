/** What a person allowed an app to see. Outlives the session it was given in. */
import type { Knex } from 'knex'
import { type Statements, statement } from './statements.ts'

export type Granted = {
  scopes: string[]
  claims: string[]
  /** Scopes per resource indicator. */
  resources: Record<string, string[]>
}

export type Consents = {
  find(accountId: string, clientId: string): Promise<Granted | undefined>
  put(accountId: string, clientId: string, granted: Granted, at: number): Promise<void>
  /** Clients this person allowed anything. */
  clientsOf(accountId: string): Promise<string[]>
  /** By client, with when it was last widened. */
  ofAccount(accountId: string): Promise<{ clientId: string; granted: Granted; at: number }[]>
  /** She takes it back. False if there was none. */
  forget(accountId: string, clientId: string): Promise<boolean>
  /** The app was removed: nobody's consent to it is kept. */
  forgetClient(clientId: string): Promise<void>
}

const find = statement(
  'consent.find',
  'SELECT granted FROM consent WHERE account_id = ? AND client_id = ?',
)

export function openConsents(knex: Knex, statements: Statements): Consents {
  type Row = { account_id: string; client_id: string; granted: string; granted_at: number | string }
  return {
    async find(accountId, clientId) {
      const [row] = await statements.run(find, [accountId, clientId])
      return row && JSON.parse(String(row.granted))
    },
    async put(accountId, clientId, granted, at) {
      await knex('consent')
        .insert({
          account_id: accountId,
          client_id: clientId,
          granted: JSON.stringify(granted),
          granted_at: at,
        })
        .onConflict(['account_id', 'client_id'])
        .merge(['granted', 'granted_at'])
    },
    async clientsOf(accountId) {
      const rows = await knex<Row>('consent').where({ account_id: accountId }).orderBy('client_id')
      return rows.map((row) => row.client_id)
    },
    async ofAccount(accountId) {
      const rows = await knex<Row>('consent').where({ account_id: accountId }).orderBy('client_id')
      return rows.map((row) => ({
        clientId: row.client_id,
        granted: JSON.parse(row.granted),
        at: Number(row.granted_at),
      }))
    },
    async forget(accountId, clientId) {
      const which = { account_id: accountId, client_id: clientId }
      return (await knex<Row>('consent').where(which).delete()) === 1
    },
    async forgetClient(clientId) {
      await knex('consent').where({ client_id: clientId }).delete()
    },
  }
}
