/** What is left of an account its member closed: its row, so that its id is never given again, and what she agreed to. */
import { type Statements, statement } from './statements.ts'

export type Erasure = {
  /**
   * Empties the account if it was closed before then, and still is, and with it accounts that were joined to it. Which
   * were emptied: for exactly one caller any. Call it inside a transaction.
   */
  erase(accountId: string, before: number, at: number): Promise<string[]>
}

const empty = statement(
  'erasure.empty',
  `UPDATE account SET profile = '{}', agreed = NULL, closed_at = NULL, updated_at = ?
   WHERE id = ? AND status = 'closed' AND closed_at < ? RETURNING id`,
)

/** What she joined to it was hers too, and nobody can close it any more. */
const joined = statement(
  'erasure.joined',
  `SELECT merged FROM account_merge
   WHERE kept = ? AND merged_at IS NOT NULL AND undone_at IS NULL ORDER BY merged`,
)
const hold = statement('erasure.hold', {
  sqlite: 'SELECT id FROM account WHERE id = ?',
  postgres: 'SELECT id FROM account WHERE id = ? FOR UPDATE',
})
const emptyJoined = statement(
  'erasure.empty-joined',
  `UPDATE account SET profile = '{}', agreed = NULL, status = 'closed', updated_at = ?
   WHERE id = ? AND status = 'suspended' RETURNING id`,
)
/** That they were joined stays; what was moved is personal. */
const merges = statement(
  'erasure.account_merge',
  "UPDATE account_merge SET moved = '{}' WHERE merged_at IS NOT NULL AND (kept = ? OR merged = ?)",
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
  'second_factor',
  'recovery_code',
  'account_key',
  'account_keyed',
  'client_owner',
  'client_request',
  'staff_invitation',
  'upstream_test',
].map((table) => statement(`erasure.${table}`, `DELETE FROM ${table} WHERE account_id = ?`))

/** Roles have no reference to the account: they are removed by its id. */
const roles = statement('erasure.staff_role', 'DELETE FROM staff_role WHERE holder = ?')
const links = statement('erasure.mail_link', 'DELETE FROM mail_link WHERE subject = ?')
/** That she agreed stays; from where is personal. */
const agreements = statement(
  'erasure.agreement',
  "UPDATE agreement SET address = '' WHERE account_id = ?",
)

/** What became of a row of a file stays, whose it was does not. */
const notes = statement(
  'erasure.people_import_note',
  'UPDATE people_import_note SET account_id = NULL WHERE account_id = ?',
)

export function openErasure(statements: Statements): Erasure {
  async function clear(accountId: string) {
    for (const one of [...removals, roles, links, agreements, notes])
      await statements.run(one, [accountId])
    await statements.run(merges, [accountId, accountId])
  }

  /** Accounts joined to it, and to those. */
  async function joinedTo(accountId: string): Promise<string[]> {
    const direct = (await statements.run(joined, [accountId])).map(({ merged }) => String(merged))
    const further: string[] = []
    for (const id of direct) further.push(...(await joinedTo(id)))
    return [...direct, ...further]
  }

  return {
    async erase(accountId, before, at) {
      const others = await joinedTo(accountId)
      // As everybody does who wants several: in the order of their ids.
      if (others.length > 0) {
        for (const id of [accountId, ...others].sort()) await statements.run(hold, [id])
      }
      if ((await statements.run(empty, [at, accountId, before])).length === 0) return []
      await clear(accountId)
      const erased = [accountId]
      for (const id of others) {
        if ((await statements.run(emptyJoined, [at, id])).length === 0) continue
        await clear(id)
        erased.push(id)
      }
      return erased
    },
  }
}
