/** What somebody proves herself with beside her first sign-in: authenticator apps and passkeys. */
import { eachEngine, type Row, type Statements, statement, textsIn } from './statements.ts'

export type FactorType = 'totp' | 'passkey'

export type FactorRow = {
  id: string
  accountId: string
  type: FactorType
  /** What its owner calls it. */
  label: string
  /** A passkey's. */
  credentialId?: string
  /** A TOTP secret, sealed; a passkey's public key and what belongs to it, as JSON. */
  secret: string
  /** The last TOTP step that was used, or a passkey's signature counter. */
  counter: number
  createdAt: number
  usedAt?: number
}

export type SecondFactors = {
  /** False if there is one of that id, or with that passkey. */
  add(row: FactorRow): Promise<boolean>
  /** The oldest first. */
  ofAccount(accountId: string): Promise<FactorRow[]>
  /** How many each of these accounts has; those without any are missing. */
  countOf(accountIds: string[]): Promise<Map<string, number>>
  /** Uses a TOTP step up, and with it all before. True for exactly one caller of each step, however many race. */
  useStep(id: string, step: number, at: number): Promise<boolean>
  /** Moves a passkey's counter on from where it was read. Of several callers with the same new value one gets true; all do for authenticators that do not count (0). */
  useCounter(id: string, before: number, after: number, at: number): Promise<boolean>
  /** True for exactly one caller. */
  remove(accountId: string, id: string): Promise<boolean>
  /** How many there were. */
  removeAll(accountId: string): Promise<number>
}

const columns = 'id, account_id, type, label, credential_id, secret, counter, created_at, used_at'
const add = statement(
  'second-factor.add',
  `INSERT INTO second_factor (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)
   ON CONFLICT DO NOTHING RETURNING id`,
)
const ofAccount = statement(
  'second-factor.of-account',
  `SELECT ${columns} FROM second_factor WHERE account_id = ? ORDER BY created_at, id`,
)
const countOf = eachEngine(
  'second-factor.count-of',
  (engine) => `SELECT account_id, count(*) AS n FROM second_factor
   WHERE account_id IN (${textsIn[engine]}) GROUP BY account_id`,
)
const useStep = statement(
  'second-factor.use-step',
  'UPDATE second_factor SET counter = ?, used_at = ? WHERE id = ? AND counter < ? RETURNING id',
)
const useCounter = statement(
  'second-factor.use-counter',
  'UPDATE second_factor SET counter = ?, used_at = ? WHERE id = ? AND counter = ? RETURNING id',
)
const remove = statement(
  'second-factor.remove',
  'DELETE FROM second_factor WHERE account_id = ? AND id = ? RETURNING id',
)
const removeAll = statement(
  'second-factor.remove-all',
  'DELETE FROM second_factor WHERE account_id = ? RETURNING id',
)

export function openSecondFactors(statements: Statements): SecondFactors {
  return {
    async add({ id, accountId, type, label, credentialId = null, secret, counter, createdAt }) {
      const values = [id, accountId, type, label, credentialId, secret, counter, createdAt]
      return (await statements.run(add, values)).length === 1
    },
    ofAccount: async (accountId) => (await statements.run(ofAccount, [accountId])).map(read),
    async countOf(accountIds) {
      if (accountIds.length === 0) return new Map()
      const rows = await statements.run(countOf, [JSON.stringify(accountIds)])
      return new Map(rows.map((row) => [String(row.account_id), Number(row.n)]))
    },
    useStep: async (id, step, at) =>
      (await statements.run(useStep, [step, at, id, step])).length === 1,
    useCounter: async (id, before, after, at) =>
      (await statements.run(useCounter, [after, at, id, before])).length === 1,
    remove: async (accountId, id) => (await statements.run(remove, [accountId, id])).length === 1,
    removeAll: async (accountId) => (await statements.run(removeAll, [accountId])).length,
  }
}

const read = (row: Row): FactorRow => ({
  id: String(row.id),
  accountId: String(row.account_id),
  type: row.type as FactorType,
  label: String(row.label),
  ...(row.credential_id === null ? {} : { credentialId: String(row.credential_id) }),
  secret: String(row.secret),
  counter: Number(row.counter),
  createdAt: Number(row.created_at),
  ...(row.used_at === null ? {} : { usedAt: Number(row.used_at) }),
})
