/** Who agreed for a minor. */
import { type Statements, statement } from './statements.ts'

export type GuardianRow = {
  accountId: string
  name: string
  email: string
  agreedAt: number
  address: string
}

export type Guardians = {
  put(row: GuardianRow): Promise<void>
  find(accountId: string): Promise<GuardianRow | undefined>
}

const columns = 'account_id, name, email, agreed_at, address'
const put = statement(
  'guardian.put',
  `INSERT INTO guardian (${columns}) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (account_id) DO UPDATE SET name = excluded.name, email = excluded.email,
     agreed_at = excluded.agreed_at, address = excluded.address`,
)
const find = statement('guardian.find', `SELECT ${columns} FROM guardian WHERE account_id = ?`)

export function openGuardians(statements: Statements): Guardians {
  return {
    async put({ accountId, name, email, agreedAt, address }) {
      await statements.run(put, [accountId, name, email, agreedAt, address])
    },
    async find(accountId) {
      const [row] = await statements.run(find, [accountId])
      return (
        row && {
          accountId: String(row.account_id),
          name: String(row.name),
          email: String(row.email),
          agreedAt: Number(row.agreed_at),
          address: String(row.address),
        }
      )
    },
  }
}
