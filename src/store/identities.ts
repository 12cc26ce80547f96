/** Links from an upstream's (issuer, subject) to one account. */
import type { Knex } from 'knex'
import { isUniqueViolation } from './database.ts'

export type IdentityRow = {
  id: string
  accountId: string
  connector: string
  issuer: string
  subject: string
  openid2Ids: string[]
  raw: Record<string, unknown>
  createdAt: number
  readAt: number
}

export type Identities = {
  /** False if this (issuer, subject) is linked already: somebody was faster. */
  link(row: IdentityRow): Promise<boolean>
  find(issuer: string, subject: string): Promise<IdentityRow | undefined>
  /** Oldest first. */
  ofAccount(accountId: string): Promise<IdentityRow[]>
  refresh(id: string, changes: Pick<IdentityRow, 'openid2Ids' | 'raw' | 'readAt'>): Promise<void>
}

type Row = {
  id: string
  account_id: string
  connector: string
  issuer: string
  subject: string
  openid2_ids: string
  raw: string
  created_at: number | string
  read_at: number | string
}

export function openIdentities(knex: Knex): Identities {
  const read = (row: Row): IdentityRow => ({
    id: row.id,
    accountId: row.account_id,
    connector: row.connector,
    issuer: row.issuer,
    subject: row.subject,
    openid2Ids: JSON.parse(row.openid2_ids),
    raw: JSON.parse(row.raw),
    createdAt: Number(row.created_at),
    readAt: Number(row.read_at),
  })
  return {
    async link(row) {
      try {
        await knex('identity').insert({
          id: row.id,
          account_id: row.accountId,
          connector: row.connector,
          issuer: row.issuer,
          subject: row.subject,
          openid2_ids: JSON.stringify(row.openid2Ids),
          raw: JSON.stringify(row.raw),
          created_at: row.createdAt,
          read_at: row.readAt,
        })
        return true
      } catch (error) {
        if (isUniqueViolation(error)) return false
        throw error
      }
    },
    async find(issuer, subject) {
      const row = await knex<Row>('identity').where({ issuer, subject }).first()
      return row && read(row)
    },
    async ofAccount(accountId) {
      const rows = await knex<Row>('identity')
        .where({ account_id: accountId })
        .orderBy(['created_at', 'id'])
      return rows.map(read)
    },
    async refresh(id, { openid2Ids, raw, readAt }) {
      await knex('identity')
        .where({ id })
        .update({
          openid2_ids: JSON.stringify(openid2Ids),
          raw: JSON.stringify(raw),
          read_at: readAt,
        })
    },
  }
}
