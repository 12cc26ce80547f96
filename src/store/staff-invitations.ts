/** Invitations to become staff: kept by the SHA-256 of the token in the link, each good once. */
import { type Row, type Statements, statement } from './statements.ts'

export type StaffInvitationRow = {
  /** SHA-256 of the token. */
  id: string
  email: string
  roles: { role: string; reach: string }[]
  /** For this account and no other: its second factors were taken away. */
  accountId?: string
  createdAt: number
  createdBy: string
  expiresAt: number
  usedAt?: number
  usedBy?: string
}

export type StaffInvitations = {
  /** Keeps it and ends the open ones to the same address; of one for an account, those for that account. Call it inside a transaction. */
  make(row: StaffInvitationRow): Promise<void>
  /** Also one that was used or has expired: for saying so. Changes nothing. */
  find(id: string): Promise<StaffInvitationRow | undefined>
  /** Uses it up. True for exactly one caller, however many race; false also if it has expired. */
  use(id: string, usedBy: string, at: number): Promise<boolean>
  /** Those that may still be used, the newest first. */
  open(at: number): Promise<StaffInvitationRow[]>
  /** True for exactly one caller; false also if it was used. */
  remove(id: string): Promise<boolean>
}

const columns = 'id, email, roles, account_id, created_at, created_by, expires_at, used_at, used_by'
const make = statement(
  'staff-invitation.make',
  `INSERT INTO staff_invitation (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)`,
)
const endToAddress = statement(
  'staff-invitation.end-to-address',
  'DELETE FROM staff_invitation WHERE email = ? AND account_id IS NULL AND used_at IS NULL',
)
const endForAccount = statement(
  'staff-invitation.end-for-account',
  'DELETE FROM staff_invitation WHERE account_id = ? AND used_at IS NULL',
)
const find = statement(
  'staff-invitation.find',
  `SELECT ${columns} FROM staff_invitation WHERE id = ?`,
)
const use = statement(
  'staff-invitation.use',
  `UPDATE staff_invitation SET used_at = ?, used_by = ?
   WHERE id = ? AND used_at IS NULL AND expires_at > ? RETURNING id`,
)
const open = statement(
  'staff-invitation.open',
  `SELECT ${columns} FROM staff_invitation WHERE used_at IS NULL AND expires_at > ?
   ORDER BY created_at DESC, id`,
)
const remove = statement(
  'staff-invitation.remove',
  'DELETE FROM staff_invitation WHERE id = ? AND used_at IS NULL RETURNING id',
)

export function openStaffInvitations(statements: Statements): StaffInvitations {
  return {
    async make({ id, email, roles, accountId = null, createdAt, createdBy, expiresAt }) {
      if (accountId === null) await statements.run(endToAddress, [email])
      else await statements.run(endForAccount, [accountId])
      const values = [id, email, JSON.stringify(roles), accountId, createdAt, createdBy, expiresAt]
      await statements.run(make, values)
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && read(row)
    },
    use: async (id, usedBy, at) => (await statements.run(use, [at, usedBy, id, at])).length === 1,
    open: async (at) => (await statements.run(open, [at])).map(read),
    remove: async (id) => (await statements.run(remove, [id])).length === 1,
  }
}

const read = (row: Row): StaffInvitationRow => ({
  id: String(row.id),
  email: String(row.email),
  roles: JSON.parse(String(row.roles)),
  ...(row.account_id === null ? {} : { accountId: String(row.account_id) }),
  createdAt: Number(row.created_at),
  createdBy: String(row.created_by),
  expiresAt: Number(row.expires_at),
  ...(row.used_at === null ? {} : { usedAt: Number(row.used_at), usedBy: String(row.used_by) }),
})
