/** SQL and nothing else: verbs of the domain over one database. Nobody outside this room sees knex. */
import type { Knex } from 'knex'
import { type Accounts, openAccounts } from './accounts.ts'
import { type AffiliationChoices, openAffiliationChoices } from './affiliation-choices.ts'
import { type Affiliations, openAffiliations } from './affiliations.ts'
import { type Clients, openClients } from './clients.ts'
import { type Consents, openConsents } from './consents.ts'
import { type Credentials, openCredentials } from './credentials.ts'
import { openDatabase } from './database.ts'
import { type Identifiers, openIdentifiers } from './identifiers.ts'
import { type Identities, openIdentities } from './identities.ts'
import { type KeyRing, openKeyRing } from './key-ring.ts'
import { openPayloads, type Payloads } from './payloads.ts'
import { openTrips, type Trips } from './trips.ts'

export type { AccountRow, Attribute } from './accounts.ts'
export type { AffiliationRow } from './affiliations.ts'
export type { ClientRow } from './clients.ts'
export type { Granted } from './consents.ts'
export type { KeyRow } from './key-ring.ts'

/** The tables, as one transaction or the whole database sees them. */
export type Tables = {
  payloads: Payloads
  clients: Clients
  keyRing: KeyRing
  trips: Trips
  accounts: Accounts
  identifiers: Identifiers
  credentials: Credentials
  identities: Identities
  affiliations: Affiliations
  affiliationChoices: AffiliationChoices
  consents: Consents
}

export type Store = Tables & {
  /**
   * Runs `work` on tables bound to one transaction: all of it is kept or, when it throws, none.
   * Begin `work` with a write: SQLite then waits for other writers instead of failing on a stale read.
   */
  transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T>
  /** Brings the schema up to date. The names of the migrations run. */
  migrate(): Promise<string[]>
  close(): Promise<void>
}

/** The store over one SQLite file. */
export function openStore(file: string): Store {
  const knex = openDatabase(file)
  return {
    ...openTables(knex),
    transaction: (work) => knex.transaction((trx) => work(openTables(trx))),
    migrate: () => migrate(knex),
    close: () => knex.destroy(),
  }
}

/** Several processes may start on one database: one migrates, the others wait for it. */
async function migrate(knex: Knex): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    try {
      const [, names] = await knex.migrate.latest()
      return names
    } catch (error) {
      // Knex takes its lock in a table of its own, which the first start is only just making.
      const race = /lock|SQLITE_BUSY|already exists|UNIQUE/i.test(String(error))
      if (!race || tries >= 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function openTables(knex: Knex): Tables {
  return {
    payloads: openPayloads(knex),
    clients: openClients(knex),
    keyRing: openKeyRing(knex),
    trips: openTrips(knex),
    accounts: openAccounts(knex),
    identifiers: openIdentifiers(knex),
    credentials: openCredentials(knex),
    identities: openIdentities(knex),
    affiliations: openAffiliations(knex),
    affiliationChoices: openAffiliationChoices(knex),
    consents: openConsents(knex),
  }
}
