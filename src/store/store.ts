/** SQL and nothing else: verbs of the domain over one database. Nobody outside this room sees knex. */
import type { Knex } from 'knex'
import { type AccountKeys, openAccountKeys } from './account-keys.ts'
import { type AccountMerges, openAccountMerges } from './account-merges.ts'
import { type AccountMoves, openAccountMoves } from './account-moves.ts'
import { type Accounts, openAccounts } from './accounts.ts'
import { type AffiliationChoices, openAffiliationChoices } from './affiliation-choices.ts'
import { type Affiliations, openAffiliations } from './affiliations.ts'
import { type Agreements, openAgreements } from './agreements.ts'
import { type Applications, openApplications } from './applications.ts'
import { type Attention, openAttention } from './attention.ts'
import {
  type Audit,
  type AuditEvent,
  type AuditReads,
  insertAudit,
  openAuditQueue,
  openAuditReads,
  openPen,
  type Pen,
} from './audit.ts'
import { type AuditSearch, openAuditSearch } from './audit-search.ts'
import { type BulkPeople, openBulkPeople } from './bulk-people.ts'
import { type ClientLogos, openClientLogos } from './client-logos.ts'
import { type ClientOwners, openClientOwners } from './client-owners.ts'
import { type ClientRequests, openClientRequests } from './client-requests.ts'
import { type ClientVersions, openClientVersions } from './client-versions.ts'
import { type Clients, openClients } from './clients.ts'
import { type Consents, openConsents } from './consents.ts'
import { type Credentials, openCredentials } from './credentials.ts'
import { openDatabase, type Where } from './database.ts'
import { throughDeadlocks } from './deadlock.ts'
import { type Erasure, openErasure } from './erasure.ts'
import { type Guardians, openGuardians } from './guardians.ts'
import { type Identifiers, openIdentifiers } from './identifiers.ts'
import { type Identities, openIdentities } from './identities.ts'
import { type ImportNotes, openImportNotes } from './import-notes.ts'
import { type ImportParts, openImportParts } from './import-parts.ts'
import { type ImportReasons, openImportReasons } from './import-reasons.ts'
import { type JobPositions, openJobPositions } from './job-positions.ts'
import { type KeyRing, openKeyRing } from './key-ring.ts'
import { type Leases, openLeases } from './leases.ts'
import { type Limits, openLimits } from './limits.ts'
import { type LinkOffers, openLinkOffers } from './link-offers.ts'
import { type MailLinks, openMailLinks } from './mail-links.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { type Outbox, type OutboxPorts, openOutbox } from './outbox.ts'
import { openPayloads, type Payloads } from './payloads.ts'
import { openPeopleExport, type PeopleExport } from './people-export.ts'
import { openPeopleImports, type PeopleImports } from './people-imports.ts'
import { openPeopleSearch, type PeopleSearch } from './people-search.ts'
import { openPersonalNumbers, type PersonalNumbers } from './personal-numbers.ts'
import { openPictures, type Pictures } from './pictures.ts'
import { openPostgresStatements } from './postgres.ts'
import { openRecoveryAddresses, type RecoveryAddresses } from './recovery-addresses.ts'
import { openRecoveryCodes, type RecoveryCodes } from './recovery-codes.ts'
import { openRegistrations, type Registrations } from './registrations.ts'
import { openSealedNotes, type SealedNotes } from './sealed-notes.ts'
import { openSecondFactors, type SecondFactors } from './second-factors.ts'
import { openSignInCounts, type SignInCounts } from './sign-in-counts.ts'
import { openSqliteStatements } from './sqlite.ts'
import { openStaffInvitations, type StaffInvitations } from './staff-invitations.ts'
import { openStaffRoles, type StaffRoles } from './staff-roles.ts'
import { type LentStatements, type Statements, statement } from './statements.ts'
import { openSweeps, type Sweeps } from './sweeps.ts'
import { openTrips, type Trips } from './trips.ts'
import { openUpstreamDocuments, type UpstreamDocuments } from './upstream-documents.ts'
import { openUpstreamEvents, type UpstreamEvents } from './upstream-events.ts'
import { openUpstreamNotices, type UpstreamNotices } from './upstream-notices.ts'
import { openUpstreamSessions, type UpstreamSessions } from './upstream-sessions.ts'
import { openUpstreamStatuses, type UpstreamStatuses } from './upstream-statuses.ts'
import { openUpstreamSwitches, type UpstreamSwitches } from './upstream-switches.ts'
import { openUpstreamTests, type UpstreamTests } from './upstream-tests.ts'
import { openUsedOnce, type UsedOnce } from './used-once.ts'

export type { AccountKey, ChangePlace, KeySource } from './account-keys.ts'
export type { MergeRow } from './account-merges.ts'
export type { MovedRow, RowState } from './account-moves.ts'
export { type AccountRow, type Attribute, accountStatuses } from './accounts.ts'
export type { AffiliationRow } from './affiliations.ts'
export type { AgreementRow } from './agreements.ts'
export type { ApplicationRow } from './applications.ts'
export type { AuditEvent, AuditPlace, AuditRow, Circumstances } from './audit.ts'
export type { AuditFilter } from './audit-search.ts'
export type { ClientOwnerRow } from './client-owners.ts'
export type { ClientRequestRow, RequestPlace, RequestState } from './client-requests.ts'
export type { ClientVersionRow } from './client-versions.ts'
export type { ClientKind, ClientRow, NewClientRow } from './clients.ts'
export type { Granted } from './consents.ts'
export type { CredentialRow } from './credentials.ts'
export type { Where } from './database.ts'
export type { IdentifierRow, IdentifierType } from './identifiers.ts'
export { type IdentityRow, LinkedMeanwhileError } from './identities.ts'
export type { ImportNote } from './import-notes.ts'
export type { ImportPart } from './import-parts.ts'
export type { JobPosition } from './job-positions.ts'
export type { KeyRow } from './key-ring.ts'
export type { LinkPurpose, MailLinkRow } from './mail-links.ts'
export type { ClaimedMessage, OutboxKind, OutboxRow } from './outbox.ts'
export type { PeopleFilter, Within } from './people-filter.ts'
export {
  type ImportCounts,
  type ImportState,
  importStates,
  type PeopleImportRow,
} from './people-imports.ts'
export { type PeopleOrder, type PeoplePlace, peopleOrders } from './people-search.ts'
export type { PictureRow } from './pictures.ts'
export type { RecoveryAddressRow } from './recovery-addresses.ts'
export type { CodesStanding } from './recovery-codes.ts'
export type { InitialTokenPlace, InitialTokenRow } from './registrations.ts'
export type { SealedNoteRow } from './sealed-notes.ts'
export type { FactorRow, FactorType } from './second-factors.ts'
export type { SignInCount, SignInKind, SignInWindow } from './sign-in-counts.ts'
export type { StaffInvitationRow } from './staff-invitations.ts'
export type { StaffRoleRow } from './staff-roles.ts'
export {
  type UpstreamEventKind,
  type UpstreamEventPlace,
  type UpstreamEventRow,
  upstreamEventKinds,
} from './upstream-events.ts'
export type { NoticeRow } from './upstream-notices.ts'
export type { UpstreamStatusRow } from './upstream-statuses.ts'
export type { UpstreamSwitchRow } from './upstream-switches.ts'

/** The tables, as one transaction or the whole database sees them. */
export type Tables = {
  payloads: Payloads
  clients: Clients
  clientLogos: ClientLogos
  clientOwners: ClientOwners
  clientVersions: ClientVersions
  clientRequests: ClientRequests
  keyRing: KeyRing
  trips: Trips
  accounts: Accounts
  accountKeys: AccountKeys
  accountMerges: AccountMerges
  accountMoves: AccountMoves
  identifiers: Identifiers
  credentials: Credentials
  identities: Identities
  affiliations: Affiliations
  affiliationChoices: AffiliationChoices
  consents: Consents
  applications: Applications
  mailLinks: MailLinks
  agreements: Agreements
  guardians: Guardians
  recoveryAddresses: RecoveryAddresses
  registrations: Registrations
  pictures: Pictures
  peopleSearch: PeopleSearch
  personalNumbers: PersonalNumbers
  bulkPeople: BulkPeople
  peopleExport: PeopleExport
  peopleImports: PeopleImports
  importParts: ImportParts
  importNotes: ImportNotes
  importReasons: ImportReasons
  erasure: Erasure
  jobPositions: JobPositions
  leases: Leases
  limits: Limits
  linkOffers: LinkOffers
  audit: Audit
  outbox: Outbox
  signInCounts: SignInCounts
  recoveryCodes: RecoveryCodes
  sealedNotes: SealedNotes
  secondFactors: SecondFactors
  staffInvitations: StaffInvitations
  staffRoles: StaffRoles
  upstreamDocuments: UpstreamDocuments
  upstreamEvents: UpstreamEvents
  upstreamNotices: UpstreamNotices
  upstreamSessions: UpstreamSessions
  upstreamStatuses: UpstreamStatuses
  upstreamSwitches: UpstreamSwitches
  upstreamTests: UpstreamTests
  usedOnce: UsedOnce
}

export type Store = Tables & {
  where: Where
  /**
   * Runs `work` on tables bound to one transaction: all of it is kept or, when it throws, none. It runs again where
   * PostgreSQL ended a deadlock by it: what it does beside its tables it does then twice.
   */
  transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T>
  attention: Attention
  auditReads: AuditReads
  auditSearch: AuditSearch
  sweeps: Sweeps
  /** The trail is written from now on, under this key. */
  beginAudit(key: Buffer): void
  /** Messages are sealed from now on, under this key. */
  beginOutbox(key: Buffer): void
  /** Brings the schema up to date. The names of the migrations run. */
  migrate(): Promise<string[]>
  /** Migrations of this program the database does not have yet. */
  pendingMigrations(): Promise<string[]>
  /** Rejects when the database does not answer. */
  ping(): Promise<void>
  /** Connections of the pool. */
  pool(): { used: number; free: number; waiting: number }
  /** How many statements were sent so far. */
  statements(): number
  close(): Promise<void>
}

export type StorePorts = {
  /** Told how long each prepared statement took, in seconds. */
  observe?: (name: string, seconds: number) => void
  /** Told that the outbox has something new, once it is kept. */
  queued?: () => void
}

/** The store over one database. Opens no connection yet. */
export function openStore(where: Where, { observe, queued = () => {} }: StorePorts = {}): Store {
  const knex = openDatabase(where)
  const engine = openEngine(knex, where)
  let sent = 0
  knex.on('query', () => sent++)
  const statements: Statements = {
    run(statement, values) {
      sent++
      return throughDeadlocks(() => engine.run(statement, values))
    },
  }
  const hot = observe ? observed(statements, observe) : statements
  const auditReads = openAuditReads(hot)
  const sweeps = openSweeps(knex, where)
  let pen: Pen | undefined
  let audit: Audit | undefined
  let outboxKey: Buffer | undefined
  const begun = <T>(part: T | undefined): T => {
    if (!part) throw new Error('the audit trail has not begun')
    return part
  }
  const outboxPorts = (queued: () => void): OutboxPorts => ({
    key() {
      if (!outboxKey) throw new Error('the outbox has no key yet')
      return outboxKey
    },
    queued,
  })

  const transaction = <T>(work: (tables: Tables) => Promise<T>): Promise<T> =>
    throughDeadlocks(() => attempt(work))

  async function attempt<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    // SQLite has one write lock, which a transaction takes first thing: nobody may wait for the pen while holding it,
    // so there the pen comes first. On PostgreSQL it is held for the last moment only.
    let held = where.engine === 'sqlite' ? await pen?.take() : undefined
    let posted = false
    let kept = false
    try {
      const result = await knex.transaction(async (trx) => {
        const bound = transactionStatements(trx, where)
        const events: AuditEvent[] = []
        const trail: Audit = { record: async (event) => void events.push(event) }
        const outbox = outboxPorts(() => {
          posted = true
        })
        const done = await work(openTables(trx, bound, trail, outbox))
        if (events.length > 0) {
          held ??= await begun(pen).take()
          await insertAudit(bound, await held.append(bound, events))
        }
        return done
      })
      kept = true
      if (posted) queued()
      return result
    } finally {
      held?.release(kept)
    }
  }

  return {
    ...openTables(
      knex,
      hot,
      { record: (event) => begun(audit).record(event) },
      outboxPorts(queued),
    ),
    where,
    attention: openAttention(knex),
    auditReads,
    auditSearch: openAuditSearch(knex, hot),
    sweeps,
    beginAudit(key) {
      pen = openPen(key)
      audit = openAuditQueue(pen, { ...hot, lend: (work) => engine.lend(work) })
    },
    beginOutbox(key) {
      outboxKey = key
    },
    transaction,
    migrate: () => migrate(where),
    pendingMigrations: () => pendingMigrations(knex),
    ping: async () => void (await hot.run(one, [])),
    pool() {
      const { pool } = knex.client
      return {
        used: pool?.numUsed() ?? 0,
        free: pool?.numFree() ?? 0,
        waiting: pool?.numPendingAcquires() ?? 0,
      }
    },
    statements: () => sent,
    async close() {
      await sweeps.close()
      await engine.close()
      await knex.destroy()
    },
  }
}

const one = statement('one', 'SELECT 1 AS one')

function openEngine(knex: Knex, where: Where): LentStatements & { close(): void | Promise<void> } {
  if (where.engine === 'postgres') return openPostgresStatements(knex, where)
  const engine = openSqliteStatements(where)
  return { ...engine, lend: (work) => work(engine) }
}

/** The same statements through a transaction's own connection. */
function transactionStatements(trx: Knex.Transaction, { engine }: Where): Statements {
  if (engine === 'sqlite') return { run: async ({ sqlite }, values) => trx.raw(sqlite, values) }
  return {
    async run({ name, postgres }, values) {
      // Knex numbers question marks itself; the text it sends is the one prepared under this name.
      const sql = postgres.replaceAll(/\$\d+/g, '?')
      return (await trx.raw(sql, values).options({ name })).rows
    },
  }
}

function observed(statements: Statements, observe: NonNullable<StorePorts['observe']>): Statements {
  return {
    async run(statement, values) {
      const started = performance.now()
      try {
        return await statements.run(statement, values)
      } finally {
        observe(statement.name, (performance.now() - started) / 1000)
      }
    },
  }
}

function openTables(knex: Knex, statements: Statements, audit: Audit, outbox: OutboxPorts): Tables {
  return {
    payloads: openPayloads(statements),
    clients: openClients(knex, statements),
    clientLogos: openClientLogos(knex),
    clientOwners: openClientOwners(statements),
    clientVersions: openClientVersions(statements),
    clientRequests: openClientRequests(statements),
    keyRing: openKeyRing(knex),
    trips: openTrips(statements),
    accounts: openAccounts(knex, statements),
    accountKeys: openAccountKeys(knex, statements),
    accountMerges: openAccountMerges(statements),
    accountMoves: openAccountMoves(statements),
    identifiers: openIdentifiers(knex),
    credentials: openCredentials(knex),
    identities: openIdentities(knex, statements),
    affiliations: openAffiliations(knex, statements),
    affiliationChoices: openAffiliationChoices(knex, statements),
    consents: openConsents(knex, statements),
    applications: openApplications(statements),
    mailLinks: openMailLinks(statements),
    agreements: openAgreements(statements),
    guardians: openGuardians(statements),
    recoveryAddresses: openRecoveryAddresses(statements),
    registrations: openRegistrations(statements),
    pictures: openPictures(knex),
    peopleSearch: openPeopleSearch(knex),
    personalNumbers: openPersonalNumbers(statements),
    bulkPeople: openBulkPeople(statements),
    peopleExport: openPeopleExport(statements),
    peopleImports: openPeopleImports(statements),
    importParts: openImportParts(statements),
    importNotes: openImportNotes(statements),
    importReasons: openImportReasons(statements),
    erasure: openErasure(statements),
    jobPositions: openJobPositions(statements),
    leases: openLeases(statements),
    limits: openLimits(statements),
    linkOffers: openLinkOffers(statements),
    audit,
    outbox: openOutbox(statements, outbox),
    signInCounts: openSignInCounts(knex, statements),
    recoveryCodes: openRecoveryCodes(statements),
    sealedNotes: openSealedNotes(statements),
    secondFactors: openSecondFactors(statements),
    staffInvitations: openStaffInvitations(statements),
    staffRoles: openStaffRoles(statements),
    upstreamDocuments: openUpstreamDocuments(statements),
    upstreamEvents: openUpstreamEvents(statements),
    upstreamNotices: openUpstreamNotices(knex),
    upstreamSessions: openUpstreamSessions(statements),
    upstreamStatuses: openUpstreamStatuses(statements),
    upstreamSwitches: openUpstreamSwitches(statements),
    upstreamTests: openUpstreamTests(statements),
    usedOnce: openUsedOnce(statements),
  }
}
