/** What people without a staff role ask for: an app of theirs, or a change of one. */
import { type Row, type Statements, statement } from './statements.ts'

export const requestStates = ['waiting', 'approved', 'refused', 'withdrawn'] as const
export type RequestState = (typeof requestStates)[number]

export type ClientRequestRow = {
  id: string
  accountId: string
  /** The app it is about; of a new one, once it was approved. */
  clientId?: string
  /** What she filled in. */
  wanted: Record<string, unknown>
  /** What it is for, in her words. */
  purpose: string
  state: RequestState
  createdAt: number
  decidedAt?: number
  /** As the audit trail names whoever it was. */
  decidedBy?: string
  /** Why it was refused. */
  reason?: string
}

export type Decision = {
  state: Exclude<RequestState, 'waiting'>
  at: number
  by: string
  reason?: string
  clientId?: string
}

/** Where in a list a request stands. */
export type RequestPlace = { createdAt: number; id: string }

export type ClientRequests = {
  make(row: ClientRequestRow): Promise<void>
  find(id: string): Promise<ClientRequestRow | undefined>
  /** Of one state, in this order; those after `after` in it, if given. */
  list(
    { state, order }: { state: RequestState; order: 'newest' | 'oldest' },
    after: RequestPlace | undefined,
    limit: number,
  ): Promise<ClientRequestRow[]>
  /** Newest first. */
  ofAccount(accountId: string): Promise<ClientRequestRow[]>
  /** One that waits is decided by exactly one caller, however many race; false for the others. */
  decide(id: string, decision: Decision): Promise<boolean>
  countWaiting(): Promise<number>
  countWaitingOf(accountId: string): Promise<number>
}

const columns =
  'id, account_id, client_id, wanted, purpose, state, created_at, decided_at, decided_by, reason'
const make = statement(
  'client-request.make',
  `INSERT INTO client_request (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)`,
)
const find = statement('client-request.find', `SELECT ${columns} FROM client_request WHERE id = ?`)
const oldestFirst = statement(
  'client-request.list-oldest',
  `SELECT ${columns} FROM client_request WHERE state = ? AND (created_at, id) > (?, ?)
   ORDER BY created_at, id LIMIT ?`,
)
const newestFirst = statement(
  'client-request.list',
  `SELECT ${columns} FROM client_request WHERE state = ? AND (created_at, id) < (?, ?)
   ORDER BY created_at DESC, id DESC LIMIT ?`,
)
const ofAccount = statement(
  'client-request.of-account',
  `SELECT ${columns} FROM client_request WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT 200`,
)
const decide = statement(
  'client-request.decide',
  `UPDATE client_request SET state = ?, decided_at = ?, decided_by = ?, reason = ?,
     client_id = coalesce(?, client_id)
   WHERE id = ? AND state = 'waiting' RETURNING id`,
)
const countWaiting = statement(
  'client-request.count-waiting',
  "SELECT count(*) AS count FROM client_request WHERE state = 'waiting'",
)
const countWaitingOf = statement(
  'client-request.count-waiting-of',
  "SELECT count(*) AS count FROM client_request WHERE account_id = ? AND state = 'waiting'",
)

const first: RequestPlace = { createdAt: 0, id: '' }
const last: RequestPlace = { createdAt: Number.MAX_SAFE_INTEGER, id: '' }
const lists = {
  oldest: { statement: oldestFirst, start: first },
  newest: { statement: newestFirst, start: last },
}

export function openClientRequests(statements: Statements): ClientRequests {
  return {
    async make({ id, accountId, clientId, wanted, purpose, state, createdAt }) {
      const values = [id, accountId, clientId ?? null, JSON.stringify(wanted), purpose, state]
      await statements.run(make, [...values, createdAt])
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && read(row)
    },
    async list({ state, order }, after, limit) {
      const { statement, start } = lists[order]
      const { createdAt, id } = after ?? start
      return (await statements.run(statement, [state, createdAt, id, limit])).map(read)
    },
    ofAccount: async (accountId) => (await statements.run(ofAccount, [accountId])).map(read),
    async decide(id, { state, at, by, reason, clientId }) {
      const values = [state, at, by, reason ?? null, clientId ?? null, id]
      return (await statements.run(decide, values)).length === 1
    },
    countWaiting: async () => counted(await statements.run(countWaiting, [])),
    countWaitingOf: async (accountId) => counted(await statements.run(countWaitingOf, [accountId])),
  }
}

const counted = ([row]: Row[]): number => Number(row?.count ?? 0)

const read = (row: Row): ClientRequestRow => ({
  id: String(row.id),
  accountId: String(row.account_id),
  ...(row.client_id === null ? {} : { clientId: String(row.client_id) }),
  wanted: JSON.parse(String(row.wanted)),
  purpose: String(row.purpose),
  state: row.state as RequestState,
  createdAt: Number(row.created_at),
  ...(row.decided_at === null ? {} : { decidedAt: Number(row.decided_at) }),
  ...(row.decided_by === null ? {} : { decidedBy: String(row.decided_by) }),
  ...(row.reason === null ? {} : { reason: String(row.reason) }),
})
