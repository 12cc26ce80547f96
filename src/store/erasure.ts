/** What is left of an account its member closed: its row, so that its id is never given again, and what she agreed to. */
import { type Statements, statement } from './statements.ts'

export type Erasure = {
  /**
   * Empties the account if it was closed before then, and still is. True for exactly one caller. Call it inside a
   * transaction.
   */
  erase(accountId: string, before: number, at: number): Promise<boolean>
}

const empty = statement(
  'erasure.empty',
  `UPDATE account SET profile = '{}', agreed = NULL, closed_at = NULL, updated_at = ?
   WHERE id = ? AND status = 'closed' AND closed_at < ? RETURNING id`,
)

/** By tables that lead to an account. Affiliations go with their identities. */
const removals = [
  'identifier',
  'credential',
  'identity',
  'affiliation_choice',
  'consent',
  'application',
  'guardian',
  'recovery_address',
  'picture',
  'personal_number',
  'upstream_session',
  'link_offer',
].map((table) => statement(`erasure.${table}`, `DELETE FROM ${table} WHERE account_id = ?`))

const links = statement('erasure.mail_link', 'DELETE FROM mail_link WHERE subject = ?')
/** That she agreed stays; from where is personal. */
const agreements = statement(
  'erasure.agreement',
  "UPDATE agreement SET address = '' WHERE account_id = ?",
)

export function openErasure(statements: Statements): Erasure {
  return {
    async erase(accountId, before, at) {
      if ((await statements.run(empty, [at, accountId, before])).length === 0) return false
      for (const one of [...removals, links, agreements]) {
        await statements.run(one, [accountId])
      }
      return true
    },
  }
}
