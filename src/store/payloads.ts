/** What node-oidc-provider keeps: one row per artefact. */
import type { Knex } from 'knex'

export type Payload = Record<string, unknown>

export type PayloadRow = {
  id: string
  model: string
  payload: Payload
  grantId?: string
  uid?: string
  userCode?: string
  accountId?: string
  clientId?: string
  /** Seconds since 1970; absent: never. */
  expiresAt?: number
}

export type StoredPayload = { payload: Payload; consumedAt?: number }

export type Payloads = {
  /** Creates or replaces a row. A row once consumed stays consumed. */
  save(row: PayloadRow): Promise<void>
  /**
   * As `save`, but what other requests added to the payload's object `field` meanwhile stays: two apps that
   * sign in through one session at the same moment each keep their entry. A buried row stays buried.
   */
  saveJoining(row: PayloadRow, field: string): Promise<void>
  /**
   * Ends a row for good: what it held is gone, and nobody can save over what is left of it.
   * True for exactly one caller.
   */
  bury(id: string, at: number): Promise<boolean>
  /** Replaces a row that is there and not consumed: what ended meanwhile is not revived. False if so. */
  replace(row: PayloadRow): Promise<boolean>
  find(id: string): Promise<StoredPayload | undefined>
  findByUid(uid: string): Promise<(StoredPayload & { id: string }) | undefined>
  findByUserCode(userCode: string): Promise<StoredPayload | undefined>
  /** Makes a row only if there is none. True for exactly one caller, however many race. */
  claim(row: PayloadRow): Promise<boolean>
  /** Marks the row as used. True for exactly one caller, however many race; false also if it is gone. */
  consume(id: string, at: number): Promise<boolean>
  destroy(id: string): Promise<void>
  /** Ends what was issued under a grant: rows of one model, or all with the grant itself. */
  destroyGrant(grantId: string, model?: string): Promise<void>
  /** Ends everything issued to a client: it was removed. */
  destroyClient(clientId: string): Promise<void>
}

type Row = { id: string; payload: string; consumed_at: number | string | null }

export function openPayloads(knex: Knex): Payloads {
  const read = (row: Row | undefined): (StoredPayload & { id: string }) | undefined =>
    row && {
      id: row.id,
      payload: JSON.parse(row.payload),
      ...(row.consumed_at === null ? {} : { consumedAt: Number(row.consumed_at) }),
    }
  const columns = (row: PayloadRow) => ({
    id: row.id,
    model: row.model,
    payload: JSON.stringify(row.payload),
    grant_id: row.grantId ?? null,
    uid: row.uid ?? null,
    user_code: row.userCode ?? null,
    account_id: row.accountId ?? null,
    client_id: row.clientId ?? null,
    expires_at: row.expiresAt ?? null,
  })
  const first = (where: Partial<Record<'id' | 'uid' | 'user_code', string>>) =>
    knex<Row>('oidc_payload').select('id', 'payload', 'consumed_at').where(where).first()

  return {
    async save(row) {
      const { id: _, ...changes } = columns(row)
      await knex('oidc_payload').insert(columns(row)).onConflict('id').merge(Object.keys(changes))
    },
    async saveJoining(row, field) {
      const { id: _, payload: __, ...changes } = columns(row)
      const path = `$.${field}`
      const member = (payload: string) =>
        knex.raw("coalesce(json_extract(??, ?), '{}')", [payload, path])
      const joined = knex.raw('json_set(excluded.payload, ?, json_patch(?, ?))', [
        path,
        member('oidc_payload.payload'),
        member('excluded.payload'),
      ])
      const merged = Object.fromEntries(
        Object.keys(changes).map((column) => [column, knex.ref(`excluded.${column}`)]),
      )
      await knex('oidc_payload')
        .insert(columns(row))
        .onConflict('id')
        .merge({ ...merged, payload: joined })
        .whereNull('oidc_payload.consumed_at')
    },
    async bury(id, at) {
      const left = { payload: '{}', uid: null, account_id: null, consumed_at: at }
      const open = knex('oidc_payload').where({ id }).whereNull('consumed_at')
      return (await open.update(left)) === 1
    },
    async replace(row) {
      const { id, ...changes } = columns(row)
      const open = knex('oidc_payload').where({ id }).whereNull('consumed_at')
      return (await open.update(changes)) === 1
    },
    async claim(row) {
      const made = await knex('oidc_payload')
        .insert(columns(row))
        .onConflict('id')
        .ignore()
        .returning('id')
      return made.length === 1
    },
    find: async (id) => read(await first({ id })),
    findByUid: async (uid) => read(await first({ uid })),
    findByUserCode: async (user_code) => read(await first({ user_code })),
    async consume(id, at) {
      const changed = await knex('oidc_payload')
        .where({ id })
        .whereNull('consumed_at')
        .update({ consumed_at: at })
      return changed === 1
    },
    async destroy(id) {
      await knex('oidc_payload').where({ id }).delete()
    },
    async destroyGrant(grantId, model) {
      await knex('oidc_payload')
        .where({ grant_id: grantId, ...(model ? { model } : {}) })
        .delete()
    },
    async destroyClient(clientId) {
      await knex('oidc_payload').where({ client_id: clientId }).delete()
    },
  }
}
