/** Somebody new whose address belongs to an account here: until she has said what she wants. */
import { type Row, type Statements, statement } from './statements.ts'

export type LinkOfferRow = {
  /** SHA-256 of the question and the browser. */
  id: string
  /** SHA-256 of the browser's device cookie. */
  device: string
  /** Whose address it is. */
  accountId: string
  /** Who came: sealed. */
  identity: string
  expiresAt: number
}

export type LinkOffers = {
  /** In place of an earlier one under the same id. */
  keep(row: LinkOfferRow): Promise<void>
  find(id: string, device: string, at: number): Promise<LinkOfferRow | undefined>
  /** What waits becomes this, for no longer than before. True for exactly one caller; false also where `take` would be. */
  change(seen: Seen, identity: string, at: number): Promise<boolean>
  /** Removes it. True for exactly one caller, however many race; false also if it has expired, or is another one by now. */
  take(seen: Seen, at: number): Promise<boolean>
}

type Seen = Pick<LinkOfferRow, 'id' | 'device' | 'identity'>

const keep = statement(
  'link-offer.keep',
  `INSERT INTO link_offer (id, device, account_id, identity, expires_at) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET device = excluded.device, account_id = excluded.account_id,
     identity = excluded.identity, expires_at = excluded.expires_at`,
)
const find = statement(
  'link-offer.find',
  `SELECT id, device, account_id, identity, expires_at FROM link_offer
   WHERE id = ? AND device = ? AND expires_at > ?`,
)
const change = statement(
  'link-offer.change',
  `UPDATE link_offer SET identity = ? WHERE id = ? AND device = ? AND identity = ? AND expires_at > ?
   RETURNING id`,
)
const take = statement(
  'link-offer.take',
  `DELETE FROM link_offer WHERE id = ? AND device = ? AND identity = ? AND expires_at > ?
   RETURNING id`,
)

export function openLinkOffers(statements: Statements): LinkOffers {
  return {
    async keep({ id, device, accountId, identity, expiresAt }) {
      await statements.run(keep, [id, device, accountId, identity, expiresAt])
    },
    async find(id, device, at) {
      const [row] = await statements.run(find, [id, device, at])
      return row && read(row)
    },
    change: async ({ id, device, identity: seen }, identity, at) =>
      (await statements.run(change, [identity, id, device, seen, at])).length === 1,
    take: async ({ id, device, identity }, at) =>
      (await statements.run(take, [id, device, identity, at])).length === 1,
  }
}

const read = (row: Row): LinkOfferRow => ({
  id: String(row.id),
  device: String(row.device),
  accountId: String(row.account_id),
  identity: String(row.identity),
  expiresAt: Number(row.expires_at),
})
