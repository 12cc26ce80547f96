/** Enrolments in progress, and the rules each one began with. */
import { type Row, type Statements, statement } from './statements.ts'

/**
 * `open`: the applicant goes on. `waiting`: somebody else must act first. The others are over: `done` made an account,
 * `entered` signed its browser in after that.
 */
export type ApplicationState = 'open' | 'waiting' | 'done' | 'entered' | 'refused'

export type ApplicationRow = {
  id: string
  enrolment: string
  /** SHA-256 of the rules it began with. */
  rules: string
  state: ApplicationState
  /** SHA-256 of the device cookie of the browser it belongs to. */
  device: string
  /** The member who applies, or the account it became. */
  accountId?: string
  /** HMAC of the address its messages go to. */
  contact?: string
  /** Sealed. */
  draft: string
  /** Counts its saves. */
  version: number
  createdAt: number
  updatedAt: number
  expiresAt: number
}

export type ApplicationSummary = Pick<
  ApplicationRow,
  'id' | 'enrolment' | 'state' | 'createdAt' | 'updatedAt'
>

export type Applications = {
  create(row: ApplicationRow): Promise<void>
  find(id: string): Promise<ApplicationRow | undefined>
  /** The newest first, of those that have not expired. */
  ofContact(contact: string, at: number): Promise<ApplicationRow[]>
  /** The newest first; without what was filled in. */
  ofAccount(accountId: string): Promise<ApplicationSummary[]>
  /**
   * Saves over version `row.version - 1`. False if somebody saved in between, or it is over: nothing was changed.
   */
  save(row: ApplicationRow): Promise<boolean>
  /** A finished one signs its browser in. True for exactly one caller, however many race. */
  enter(id: string): Promise<boolean>
  keepRules(hash: string, enrolment: string, rules: string, at: number): Promise<void>
  findRules(hash: string): Promise<string | undefined>
}

const columns =
  'id, enrolment, rules, state, device, account_id, contact, draft, version, created_at, updated_at, expires_at'
const create = statement(
  'application.create',
  `INSERT INTO application (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
)
const find = statement('application.find', `SELECT ${columns} FROM application WHERE id = ?`)
const ofContact = statement(
  'application.of-contact',
  `SELECT ${columns} FROM application WHERE contact = ? AND expires_at > ? ORDER BY created_at DESC, id`,
)
const ofAccount = statement(
  'application.of-account',
  `SELECT id, enrolment, state, created_at, updated_at FROM application
   WHERE account_id = ? ORDER BY created_at DESC, id LIMIT 100`,
)
const save = statement(
  'application.save',
  `UPDATE application SET state = ?, device = ?, account_id = ?, contact = ?, draft = ?, version = ?,
     updated_at = ?, expires_at = ?
   WHERE id = ? AND version = ? AND state IN ('open', 'waiting') RETURNING id`,
)
const enter = statement(
  'application.enter',
  "UPDATE application SET state = 'entered' WHERE id = ? AND state = 'done' RETURNING id",
)
const keepRules = statement(
  'enrolment-rules.keep',
  `INSERT INTO enrolment_rules (hash, enrolment, rules, created_at) VALUES (?, ?, ?, ?)
   ON CONFLICT (hash) DO NOTHING`,
)
const findRules = statement(
  'enrolment-rules.find',
  'SELECT rules FROM enrolment_rules WHERE hash = ?',
)

export function openApplications(statements: Statements): Applications {
  return {
    async create(row) {
      await statements.run(create, [
        row.id,
        row.enrolment,
        row.rules,
        row.state,
        row.device,
        row.accountId ?? null,
        row.contact ?? null,
        row.draft,
        row.version,
        row.createdAt,
        row.updatedAt,
        row.expiresAt,
      ])
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && read(row)
    },
    async ofContact(contact, at) {
      return (await statements.run(ofContact, [contact, at])).map(read)
    },
    async ofAccount(accountId) {
      return (await statements.run(ofAccount, [accountId])).map((row) => ({
        id: String(row.id),
        enrolment: String(row.enrolment),
        state: row.state as ApplicationState,
        createdAt: Number(row.created_at),
        updatedAt: Number(row.updated_at),
      }))
    },
    async save(row) {
      const { accountId = null, contact = null } = row
      const changes = [row.state, row.device, accountId, contact, row.draft, row.version]
      const times = [row.updatedAt, row.expiresAt]
      const before = [row.id, row.version - 1]
      return (await statements.run(save, [...changes, ...times, ...before])).length === 1
    },
    async enter(id) {
      return (await statements.run(enter, [id])).length === 1
    },
    async keepRules(hash, enrolment, rules, at) {
      await statements.run(keepRules, [hash, enrolment, rules, at])
    },
    async findRules(hash) {
      const [row] = await statements.run(findRules, [hash])
      return row && String(row.rules)
    },
  }
}

const read = (row: Row): ApplicationRow => ({
  id: String(row.id),
  enrolment: String(row.enrolment),
  rules: String(row.rules),
  state: row.state as ApplicationState,
  device: String(row.device),
  ...(row.account_id === null ? {} : { accountId: String(row.account_id) }),
  ...(row.contact === null ? {} : { contact: String(row.contact) }),
  draft: String(row.draft),
  version: Number(row.version),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
  expiresAt: Number(row.expires_at),
})
