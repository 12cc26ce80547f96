/** Who a person is here. */
import type { Knex } from 'knex'

export type AccountStatus = 'pending' | 'active' | 'suspended' | 'closed'

/** One profile attribute, who vouched for it (`self`, `staff` or a connector's id) and when. */
export type Attribute = { value: string; by: string; at: number; verified?: boolean }

export type AccountRow = {
  /** A UUID, never issued again: the public `sub`. */
  id: string
  kind: string
  status: AccountStatus
  /** Keyed by OIDC claim name: name, given_name, email … */
  profile: Record<string, Attribute>
  createdAt: number
  updatedAt: number
}

export type Accounts = {
  create(row: AccountRow): Promise<void>
  find(id: string): Promise<AccountRow | undefined>
  setProfile(id: string, profile: AccountRow['profile'], at: number): Promise<void>
}

type Row = {
  id: string
  kind: string
  status: AccountStatus
  profile: string
  created_at: number | string
  updated_at: number | string
}

export function openAccounts(knex: Knex): Accounts {
  return {
    async create(row) {
      await knex('account').insert({
        id: row.id,
        kind: row.kind,
        status: row.status,
        profile: JSON.stringify(row.profile),
        created_at: row.createdAt,
        updated_at: row.updatedAt,
      })
    },
    async find(id) {
      const row = await knex<Row>('account').where({ id }).first()
      return (
        row && {
          id: row.id,
          kind: row.kind,
          status: row.status,
          profile: JSON.parse(row.profile),
          createdAt: Number(row.created_at),
          updatedAt: Number(row.updated_at),
        }
      )
    },
    async setProfile(id, profile, at) {
      await knex('account')
        .where({ id })
        .update({ profile: JSON.stringify(profile), updated_at: at })
    },
  }
}
