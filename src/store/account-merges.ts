/** Two accounts of one person: proved to be hers for a while, then joined, perhaps undone. */
import { type Row, type Statements, statement } from './statements.ts'

export type MergeProposalRow = {
  id: string
  /** The account she is signed in to: it stays. */
  kept: string
  /** The one she proved. */
  merged: string
  /** How she proved it, sealed by the caller. */
  proof: string
  expiresAt: number
}

export type MergeRow = {
  id: string
  kept: string
  merged: string
  /** What was moved, as JSON. */
  moved: string
  mergedAt: number
  undoneAt?: number
}

export type AccountMerges = {
  /** The only proposal of this account from now on. Call it inside a transaction. */
  propose(row: MergeProposalRow): Promise<void>
  /** What waits for her word, if it has not expired. */
  findProposal(kept: string, at: number): Promise<MergeProposalRow | undefined>
  /** The proposal is a merge now. True for exactly one caller; false also if it has expired. */
  complete(id: string, moved: string, at: number): Promise<boolean>
  find(id: string): Promise<MergeRow | undefined>
  /** Newest first: all, or those an account had part in. */
  list(filter: { accountId?: string | undefined; limit: number }): Promise<MergeRow[]>
  /** True for exactly one caller, however many race. */
  undo(id: string, at: number): Promise<boolean>
}

const proposal = 'id, kept, merged, proof, expires_at'
const columns = 'id, kept, merged, moved, merged_at, undone_at'
const drop = statement(
  'account-merge.drop',
  'DELETE FROM account_merge WHERE kept = ? AND merged_at IS NULL',
)
const propose = statement(
  'account-merge.propose',
  `INSERT INTO account_merge (${proposal}) VALUES (?, ?, ?, ?, ?)`,
)
const findProposal = statement(
  'account-merge.find-proposal',
  `SELECT ${proposal} FROM account_merge WHERE kept = ? AND merged_at IS NULL AND expires_at > ?
   ORDER BY expires_at DESC LIMIT 1`,
)
const complete = statement(
  'account-merge.complete',
  `UPDATE account_merge SET proof = NULL, expires_at = NULL, moved = ?, merged_at = ?
   WHERE id = ? AND merged_at IS NULL AND expires_at > ? RETURNING id`,
)
const find = statement(
  'account-merge.find',
  `SELECT ${columns} FROM account_merge WHERE id = ? AND merged_at IS NOT NULL`,
)
const list = statement(
  'account-merge.list',
  `SELECT ${columns} FROM account_merge WHERE merged_at IS NOT NULL
   ORDER BY merged_at DESC, id LIMIT ?`,
)
const listOf = statement(
  'account-merge.list-of',
  `SELECT ${columns} FROM account_merge WHERE merged_at IS NOT NULL AND (kept = ? OR merged = ?)
   ORDER BY merged_at DESC, id LIMIT ?`,
)
const undo = statement(
  'account-merge.undo',
  `UPDATE account_merge SET undone_at = ?
   WHERE id = ? AND merged_at IS NOT NULL AND undone_at IS NULL RETURNING id`,
)

export function openAccountMerges(statements: Statements): AccountMerges {
  return {
    async propose({ id, kept, merged, proof, expiresAt }) {
      await statements.run(drop, [kept])
      await statements.run(propose, [id, kept, merged, proof, expiresAt])
    },
    async findProposal(kept, at) {
      const [row] = await statements.run(findProposal, [kept, at])
      return row && readProposal(row)
    },
    async complete(id, moved, at) {
      return (await statements.run(complete, [moved, at, id, at])).length === 1
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && read(row)
    },
    async list({ accountId, limit }) {
      const rows = accountId
        ? await statements.run(listOf, [accountId, accountId, limit])
        : await statements.run(list, [limit])
      return rows.map(read)
    },
    async undo(id, at) {
      return (await statements.run(undo, [at, id])).length === 1
    },
  }
}

const readProposal = (row: Row): MergeProposalRow => ({
  id: String(row.id),
  kept: String(row.kept),
  merged: String(row.merged),
  proof: String(row.proof),
  expiresAt: Number(row.expires_at),
})

const read = (row: Row): MergeRow => ({
  id: String(row.id),
  kept: String(row.kept),
  merged: String(row.merged),
  moved: String(row.moved),
  mergedAt: Number(row.merged_at),
  ...(row.undone_at === null ? {} : { undoneAt: Number(row.undone_at) }),
})
