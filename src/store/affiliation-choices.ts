/** In which affiliation a person acts towards which app. */
import type { Knex } from 'knex'
import { type Statements, statement } from './statements.ts'

export type AffiliationChoices = {
  choose(accountId: string, clientId: string, key: string, at: number): Promise<void>
  find(accountId: string, clientId: string): Promise<string | undefined>
  /** Keyed by client. */
  ofAccount(accountId: string): Promise<Map<string, string>>
  forget(accountId: string, clientId: string): Promise<void>
  /** The app was removed: nobody's choice towards it is kept. */
  forgetClient(clientId: string): Promise<void>
}

const find = statement(
  'affiliation-choice.find',
  'SELECT affiliation_key FROM affiliation_choice WHERE account_id = ? AND client_id = ?',
)

export function openAffiliationChoices(knex: Knex, statements: Statements): AffiliationChoices {
  type Row = { account_id: string; client_id: string; affiliation_key: string }
  return {
    async choose(accountId, clientId, key, at) {
      await knex('affiliation_choice')
        .insert({
          account_id: accountId,
          client_id: clientId,
          affiliation_key: key,
          chosen_at: at,
        })
        .onConflict(['account_id', 'client_id'])
        .merge(['affiliation_key', 'chosen_at'])
    },
    async find(accountId, clientId) {
      const [row] = await statements.run(find, [accountId, clientId])
      return row && String(row.affiliation_key)
    },
    async ofAccount(accountId) {
      const rows = await knex<Row>('affiliation_choice').where({ account_id: accountId })
      return new Map(rows.map((row) => [row.client_id, row.affiliation_key]))
    },
    async forget(accountId, clientId) {
      await knex('affiliation_choice')
        .where({ account_id: accountId, client_id: clientId })
        .delete()
    },
    async forgetClient(clientId) {
      await knex('affiliation_choice').where({ client_id: clientId }).delete()
    },
  }
}
