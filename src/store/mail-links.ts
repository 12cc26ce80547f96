/** Links we sent by mail: kept by the SHA-256 of the token in them, each good once. */
import { type Row, type Statements, statement } from './statements.ts'

export type LinkPurpose = 'activate' | 'resume' | 'guardian' | 'reset' | 'confirm-address'

export type MailLinkRow = {
  /** SHA-256 of the token. */
  id: string
  purpose: LinkPurpose
  /** The application's or the account's id. */
  subject: string
  /** What it was sent for, sealed by whoever made it; may be empty. */
  memo: string
  createdAt: number
  expiresAt: number
  usedAt?: number
}

export type MailLinks = {
  /** Makes it the only one of its purpose and subject that is good. */
  make(row: MailLinkRow): Promise<void>
  /** Also one that was used or has expired: for saying so. Changes nothing. */
  find(id: string, purpose: LinkPurpose): Promise<MailLinkRow | undefined>
  /** Uses it up. True for exactly one caller, however many race; false also if it has expired. */
  use(id: string, purpose: LinkPurpose, at: number): Promise<boolean>
  /** The one that may still be used. */
  findOpen(subject: string, purpose: LinkPurpose, at: number): Promise<MailLinkRow | undefined>
  /** No link of that purpose is good any more. */
  endAll(subject: string, purpose: LinkPurpose): Promise<void>
}

const columns = 'id, purpose, subject, memo, created_at, expires_at, used_at'
const make = statement(
  'mail-link.make',
  `INSERT INTO mail_link (${columns}) VALUES (?, ?, ?, ?, ?, ?, NULL)`,
)
const find = statement(
  'mail-link.find',
  `SELECT ${columns} FROM mail_link WHERE id = ? AND purpose = ?`,
)
const findOpen = statement(
  'mail-link.find-open',
  `SELECT ${columns} FROM mail_link
   WHERE subject = ? AND purpose = ? AND used_at IS NULL AND expires_at > ?
   ORDER BY created_at DESC LIMIT 1`,
)
const use = statement(
  'mail-link.use',
  `UPDATE mail_link SET used_at = ? WHERE id = ? AND purpose = ? AND used_at IS NULL AND expires_at > ?
   RETURNING id`,
)
const endAll = statement(
  'mail-link.end-all',
  'DELETE FROM mail_link WHERE subject = ? AND purpose = ? AND used_at IS NULL',
)

export function openMailLinks(statements: Statements): MailLinks {
  const end = async (subject: string, purpose: LinkPurpose) => {
    await statements.run(endAll, [subject, purpose])
  }
  return {
    async make({ id, purpose, subject, memo, createdAt, expiresAt }) {
      await end(subject, purpose)
      await statements.run(make, [id, purpose, subject, memo, createdAt, expiresAt])
    },
    async find(id, purpose) {
      const [row] = await statements.run(find, [id, purpose])
      return row && read(row)
    },
    async findOpen(subject, purpose, at) {
      const [row] = await statements.run(findOpen, [subject, purpose, at])
      return row && read(row)
    },
    async use(id, purpose, at) {
      return (await statements.run(use, [at, id, purpose, at])).length === 1
    },
    endAll: end,
  }
}

const read = (row: Row): MailLinkRow => ({
  id: String(row.id),
  purpose: row.purpose as LinkPurpose,
  subject: String(row.subject),
  memo: String(row.memo),
  createdAt: Number(row.created_at),
  expiresAt: Number(row.expires_at),
  ...(row.used_at === null ? {} : { usedAt: Number(row.used_at) }),
})
