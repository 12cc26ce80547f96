/** What upstreams said a person is at which school: a snapshot per identity, with the time it was read. */
import type { Knex } from 'knex'
import { type Statements, statement } from './statements.ts'

export type AffiliationRow = {
  identityId: string
  accountId: string
  schoolCode: string
  schoolName?: string
  role: string
  titles: string[]
  classes: Record<string, string>[]
  readAt: number
}

export type Affiliations = {
  /** Makes `rows` all there is of this identity. Call it inside a transaction. */
  replace(identityId: string, rows: AffiliationRow[]): Promise<void>
  /** Newest snapshot first, in the upstream's order within one. */
  ofAccount(accountId: string): Promise<AffiliationRow[]>
}

type Row = {
  identity_id: string
  position: number
  account_id: string
  school_code: string
  school_name: string | null
  role: string
  titles: string
  classes: string
  last_read_at: number | string
}

const ofAccount = statement(
  'affiliation.of-account',
  // When it was read is the identity's: a sign-in that brings nothing new touches that row alone.
  `SELECT a.identity_id, a.position, a.account_id, a.school_code, a.school_name, a.role, a.titles,
     a.classes, i.read_at AS last_read_at FROM affiliation a JOIN identity i ON i.id = a.identity_id
   WHERE a.account_id = ? ORDER BY i.read_at DESC, a.identity_id, a.position`,
)

/** A row as the table has it; `position`: its place among those of its identity. */
export const affiliationColumns = (row: AffiliationRow, position: number) => ({
  identity_id: row.identityId,
  position,
  account_id: row.accountId,
  school_code: row.schoolCode,
  school_name: row.schoolName ?? null,
  role: row.role,
  titles: JSON.stringify(row.titles),
  classes: JSON.stringify(row.classes),
  read_at: row.readAt,
})

export function openAffiliations(knex: Knex, statements: Statements): Affiliations {
  return {
    async replace(identityId, rows) {
      await knex('affiliation').where({ identity_id: identityId }).delete()
      if (rows.length === 0) return
      await knex('affiliation').insert(
        rows.map((row, position) => affiliationColumns({ ...row, identityId }, position)),
      )
    },
    async ofAccount(accountId) {
      const rows = (await statements.run(ofAccount, [accountId])) as Row[]
      return rows.map((row) => ({
        identityId: row.identity_id,
        accountId: row.account_id,
        schoolCode: row.school_code,
        ...(row.school_name === null ? {} : { schoolName: row.school_name }),
        role: row.role,
        titles: JSON.parse(row.titles),
        classes: JSON.parse(row.classes),
        readAt: Number(row.last_read_at),
      }))
    },
  }
}
