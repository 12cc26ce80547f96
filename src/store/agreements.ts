/** What people agreed to: which text, when, from where. */
import { type Row, type Statements, statement } from './statements.ts'

export type AgreementRow = {
  accountId: string
  terms: string
  /** The day it came into force: 2014-08-01. */
  version: string
  language: string
  /** SHA-256 of the text as it was shown. */
  hash: string
  agreedAt: number
  address: string
}

export type Agreements = {
  /** Keeps it, and on the account that this version was agreed to. The first time counts. Call it inside a transaction. */
  agree(row: AgreementRow): Promise<void>
  /** Oldest first. */
  ofAccount(accountId: string): Promise<AgreementRow[]>
  /** Notes anew on the account which versions it agreed to: rows were moved. Call it inside a transaction. */
  recount(accountId: string): Promise<void>
}

const columns = 'account_id, terms, version, language, hash, agreed_at, address'
const insert = statement(
  'agreement.insert',
  `INSERT INTO agreement (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account_id, terms, version) DO NOTHING`,
)
const note = statement('agreement.note', {
  // A newer one she agreed to meanwhile stays.
  sqlite: `UPDATE account SET agreed = json_patch(coalesce(agreed, '{}'), json_object(?,
      max(?, coalesce(json_extract(agreed, '$."' || ? || '"'), '')))) WHERE id = ?`,
  postgres: `UPDATE account SET agreed = (coalesce(agreed, '{}')::jsonb || jsonb_build_object(?::text,
      greatest(?::text, agreed::jsonb ->> ?::text)))::text WHERE id = ?`,
})
const ofAccount = statement(
  'agreement.of-account',
  `SELECT ${columns} FROM agreement WHERE account_id = ? ORDER BY agreed_at, terms`,
)

const recount = statement('agreement.recount', 'UPDATE account SET agreed = ? WHERE id = ?')

export function openAgreements(statements: Statements): Agreements {
  return {
    async agree(row) {
      const { accountId, terms, version, language, hash, agreedAt, address } = row
      await statements.run(insert, [accountId, terms, version, language, hash, agreedAt, address])
      await statements.run(note, [terms, version, terms, accountId])
    },
    async ofAccount(accountId) {
      return (await statements.run(ofAccount, [accountId])).map(read)
    },
    async recount(accountId) {
      const newest: Record<string, string> = {}
      for (const { terms, version } of (await statements.run(ofAccount, [accountId])).map(read)) {
        if (version > (newest[terms] ?? '')) newest[terms] = version
      }
      await statements.run(recount, [JSON.stringify(newest), accountId])
    },
  }
}

const read = (row: Row): AgreementRow => ({
  accountId: String(row.account_id),
  terms: String(row.terms),
  version: String(row.version),
  language: String(row.language),
  hash: String(row.hash),
  agreedAt: Number(row.agreed_at),
  address: String(row.address),
})
