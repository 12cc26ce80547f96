/** Whose apps they are. */
import { type Row, type Statements, statement } from './statements.ts'

export type ClientOwnerRow = {
  clientId: string
  accountId: string
  createdAt: number
  /** As whoever added her typed her name; absent where it is her own doing: she asked for the app, or registered it. */
  called?: string
}

export type ClientOwners = {
  /** False if she is one already. */
  add(row: ClientOwnerRow): Promise<boolean>
  /** True for exactly one caller. */
  remove(clientId: string, accountId: string): Promise<boolean>
  has(clientId: string, accountId: string): Promise<boolean>
  /** The first one first. */
  of(clientId: string): Promise<ClientOwnerRow[]>
  clientsOf(accountId: string): Promise<string[]>
  forgetClient(clientId: string): Promise<void>
}

const columns = 'client_id, account_id, created_at, called'
const add = statement(
  'client-owner.add',
  `INSERT INTO client_owner (${columns}) VALUES (?, ?, ?, ?)
   ON CONFLICT (client_id, account_id) DO NOTHING RETURNING client_id`,
)
const one = 'client_id = ? AND account_id = ?'
const remove = statement(
  'client-owner.remove',
  `DELETE FROM client_owner WHERE ${one} RETURNING client_id`,
)
const has = statement('client-owner.has', `SELECT client_id FROM client_owner WHERE ${one}`)
const of = statement(
  'client-owner.of',
  `SELECT ${columns} FROM client_owner WHERE client_id = ? ORDER BY created_at, account_id`,
)
const clientsOf = statement(
  'client-owner.clients-of',
  'SELECT client_id FROM client_owner WHERE account_id = ? ORDER BY created_at, client_id',
)
const forget = statement('client-owner.forget', 'DELETE FROM client_owner WHERE client_id = ?')

export function openClientOwners(statements: Statements): ClientOwners {
  const some = async (...args: Parameters<Statements['run']>) =>
    (await statements.run(...args)).length > 0
  return {
    add: ({ clientId, accountId, createdAt, called }) =>
      some(add, [clientId, accountId, createdAt, called ?? null]),
    remove: (clientId, accountId) => some(remove, [clientId, accountId]),
    has: (clientId, accountId) => some(has, [clientId, accountId]),
    of: async (clientId) => (await statements.run(of, [clientId])).map(read),
    clientsOf: async (accountId) =>
      (await statements.run(clientsOf, [accountId])).map((row) => String(row.client_id)),
    async forgetClient(clientId) {
      await statements.run(forget, [clientId])
    },
  }
}

const read = (row: Row): ClientOwnerRow => ({
  clientId: String(row.client_id),
  accountId: String(row.account_id),
  createdAt: Number(row.created_at),
  ...(row.called === null ? {} : { called: String(row.called) }),
})
