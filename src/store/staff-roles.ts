/** Who of the staff has which role, and how far it reaches. */
import { type Row, type Statements, statement } from './statements.ts'

export type StaffRoleRow = {
  /** An account's id, or `client:<id>`. */
  holder: string
  role: string
  /** Everywhere: ''. */
  reach: string
  grantedAt: number
  grantedBy: string
}

export type StaffRoles = {
  /** False if she has it already. */
  grant(row: StaffRoleRow): Promise<boolean>
  /** True for exactly one caller. */
  revoke(row: Pick<StaffRoleRow, 'holder' | 'role' | 'reach'>): Promise<boolean>
  of(holder: string): Promise<StaffRoleRow[]>
  /** The same, but none of an account that is not active, or of a program that is switched off or gone. */
  ofActive(holder: string): Promise<StaffRoleRow[]>
  /**
   * Who has this role everywhere, and keeps it until the transaction ends: of two owners who take each other's away at
   * the same moment, one waits. Call it inside one.
   */
  lockEverywhere(role: string): Promise<string[]>
  /** By holder. */
  list(): Promise<StaffRoleRow[]>
}

const columns = 'holder, role, reach, granted_at, granted_by'
const grant = statement(
  'staff-role.grant',
  `INSERT INTO staff_role (${columns}) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (holder, role, reach) DO NOTHING RETURNING holder`,
)
const revoke = statement(
  'staff-role.revoke',
  'DELETE FROM staff_role WHERE holder = ? AND role = ? AND reach = ? RETURNING holder',
)
const of = statement('staff-role.of', `SELECT ${columns} FROM staff_role WHERE holder = ?`)
const ofActive = statement(
  'staff-role.of-active',
  `SELECT ${columns} FROM staff_role WHERE holder = ? AND (
     EXISTS (SELECT 1 FROM account WHERE id = ? AND status = 'active')
     OR EXISTS (SELECT 1 FROM client WHERE id = ? AND disabled_at IS NULL))`,
)
const lockEverywhere = statement('staff-role.lock-everywhere', {
  // A transaction holds SQLite's only write lock.
  sqlite: "SELECT holder FROM staff_role WHERE role = ? AND reach = ''",
  postgres:
    "SELECT holder FROM staff_role WHERE role = ? AND reach = '' ORDER BY holder FOR UPDATE",
})
const list = statement(
  'staff-role.list',
  `SELECT ${columns} FROM staff_role ORDER BY holder, role, reach`,
)

export function openStaffRoles(statements: Statements): StaffRoles {
  return {
    grant: async ({ holder, role, reach, grantedAt, grantedBy }) =>
      (await statements.run(grant, [holder, role, reach, grantedAt, grantedBy])).length === 1,
    revoke: async ({ holder, role, reach }) =>
      (await statements.run(revoke, [holder, role, reach])).length === 1,
    of: async (holder) => (await statements.run(of, [holder])).map(read),
    async ofActive(holder) {
      const [account, client] = holder.startsWith(program)
        ? ['', holder.slice(program.length)]
        : [holder, '']
      return (await statements.run(ofActive, [holder, account, client])).map(read)
    },
    lockEverywhere: async (role) =>
      (await statements.run(lockEverywhere, [role])).map(({ holder }) => String(holder)),
    list: async () => (await statements.run(list, [])).map(read),
  }
}

/** How a program's id begins among holders. */
const program = 'client:'

const read = (row: Row): StaffRoleRow => ({
  holder: String(row.holder),
  role: String(row.role),
  reach: String(row.reach),
  grantedAt: Number(row.granted_at),
  grantedBy: String(row.granted_by),
})
