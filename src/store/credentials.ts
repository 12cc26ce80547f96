/** What a person proves herself with. */
import type { Knex } from 'knex'

export type CredentialRow = {
  id: string
  accountId: string
  type: 'password'
  /** An argon2id hash with its parameters (PHC string), or until her first sign-in another system's. */
  secret: string
  createdAt: number
  updatedAt: number
}

export type Credentials = {
  create(row: CredentialRow): Promise<void>
  findPassword(accountId: string): Promise<CredentialRow | undefined>
  setSecret(id: string, secret: string, at: number): Promise<void>
  /** Of several who change one secret at once, the first does: the others proved themselves with what is no longer so. */
  changeSecret(id: string, from: string, to: string, at: number): Promise<boolean>
}

type Row = {
  id: string
  account_id: string
  type: 'password'
  secret: string
  created_at: number | string
  updated_at: number | string
}

export function openCredentials(knex: Knex): Credentials {
  return {
    async create(row) {
      await knex('credential').insert({
        id: row.id,
        account_id: row.accountId,
        type: row.type,
        secret: row.secret,
        created_at: row.createdAt,
        updated_at: row.updatedAt,
      })
    },
    async findPassword(accountId) {
      const where = { account_id: accountId, type: 'password' as const }
      const row = await knex<Row>('credential').where(where).first()
      return (
        row && {
          id: row.id,
          accountId: row.account_id,
          type: row.type,
          secret: row.secret,
          createdAt: Number(row.created_at),
          updatedAt: Number(row.updated_at),
        }
      )
    },
    async setSecret(id, secret, at) {
      await knex('credential').where({ id }).update({ secret, updated_at: at })
    },
    async changeSecret(id, from, to, at) {
      const changes = { secret: to, updated_at: at }
      return (await knex('credential').where({ id, secret: from }).update(changes)) === 1
    },
  }
}
