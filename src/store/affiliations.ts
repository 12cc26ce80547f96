/** What upstreams said a person is at which school: a snapshot per identity, with the time it was read. */
import type { Knex } from 'knex'

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
  read_at: number | string
}

export function openAffiliations(knex: Knex): Affiliations {
  return {
    async replace(identityId, rows) {
      await knex('affiliation').where({ identity_id: identityId }).delete()
      if (rows.length === 0) return
      await knex('affiliation').insert(
        rows.map((row, position) => ({
          identity_id: identityId,
          position,
          account_id: row.accountId,
          school_code: row.schoolCode,
          school_name: row.schoolName ?? null,
          role: row.role,
          titles: JSON.stringify(row.titles),
          classes: JSON.stringify(row.classes),
          read_at: row.readAt,
        })),
      )
    },
    async ofAccount(accountId) {
      const rows = await knex<Row>('affiliation')
        .where({ account_id: accountId })
        .orderBy([{ column: 'read_at', order: 'desc' }, 'identity_id', 'position'])
      return rows.map((row) => ({
        identityId: row.identity_id,
        accountId: row.account_id,
        schoolCode: row.school_code,
        ...(row.school_name === null ? {} : { schoolName: row.school_name }),
        role: row.role,
        titles: JSON.parse(row.titles),
        classes: JSON.parse(row.classes),
        readAt: Number(row.read_at),
      }))
    },
  }
}
