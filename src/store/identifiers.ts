/** Names a person signs in with: each belongs to one account. */
import type { Knex } from 'knex'

export type IdentifierType = 'username' | 'email' | 'phone'
export type IdentifierRow = {
  type: IdentifierType
  /** Normalised by the caller: lower case, trimmed. */
  value: string
  accountId: string
  verifiedAt?: number
}

export type Identifiers = {
  /** False if somebody has it already. */
  take(row: IdentifierRow): Promise<boolean>
  find(type: IdentifierType, value: string): Promise<IdentifierRow | undefined>
  /**
   * The active account that has this address: shown to be its own or, where `ours` is its name without our domain, given
   * out by us.
   */
  findHolder(address: string, ours?: string): Promise<IdentifierRow | undefined>
  ofAccount(accountId: string): Promise<IdentifierRow[]>
  /** Of all these accounts, each one’s in the order `ofAccount` has. */
  ofAccounts(accountIds: string[]): Promise<IdentifierRow[]>
}

type Row = {
  type: IdentifierType
  value: string
  account_id: string
  verified_at: number | string | null
}

export function openIdentifiers(knex: Knex): Identifiers {
  const read = (row: Row): IdentifierRow => ({
    type: row.type,
    value: row.value,
    accountId: row.account_id,
    ...(row.verified_at === null ? {} : { verifiedAt: Number(row.verified_at) }),
  })
  return {
    async take({ type, value, accountId, verifiedAt }) {
      const row = { type, value, account_id: accountId, verified_at: verifiedAt ?? null }
      const made = await knex('identifier')
        .insert(row)
        .onConflict(['type', 'value'])
        .ignore()
        .returning('value')
      return made.length === 1
    },
    async find(type, value) {
      const row = await knex<Row>('identifier').where({ type, value }).first()
      return row && read(row)
    },
    async findHolder(address, ours) {
      const row = await knex<Row>('identifier')
        .select('identifier.*')
        .join('account', 'account.id', 'identifier.account_id')
        .where('account.status', 'active')
        .where((its) => {
          its.where((one) => {
            one.where({ type: 'email', value: address })
            if (ours === undefined) one.whereNotNull('verified_at')
          })
          if (ours !== undefined) its.orWhere({ type: 'username', value: ours })
        })
        // An address before a name it could be made of.
        .orderBy('type')
        .first()
      return row && read(row)
    },
    async ofAccount(accountId) {
      return (await knex<Row>('identifier').where({ account_id: accountId }).orderBy('value')).map(
        read,
      )
    },
    async ofAccounts(accountIds) {
      if (accountIds.length === 0) return []
      const rows = knex<Row>('identifier').whereIn('account_id', accountIds).orderBy('value')
      return (await rows).map(read)
    },
  }
}
