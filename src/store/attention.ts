/** Counts what waits for staff: one cheap statement each. */
import type { Knex } from 'knex'
import type { Row } from './statements.ts'

export type Attention = {
  /** Apps whose secret ends before `before`: when, and which. */
  endingSecrets(
    before: number,
    limit: number,
    appsOf?: string,
  ): Promise<{ clientId: string; name: string; endsAt: number }[]>
  /** Logins that were stopped since then because somebody else may have them now, and that nobody has settled. */
  stoppedLogins(since: number): Promise<{ connector: string; accountId: string }[]>
  /** Links of whose last answer something could not be read, by connector. */
  unreadIdentities(): Promise<{ connector: string; count: number }[]>
  /** Applications in which somebody else than the applicant has to act. */
  waitingApplications(at: number): Promise<number>
  /** Imports of people by their state. */
  imports(): Promise<Record<string, number>>
  /** How many apps and staff there are, and invitations that may still be used. */
  sizes(at: number): Promise<{ clients: number; staff: number; invitations: number }>
}

export function openAttention(knex: Knex): Attention {
  const countOf = async (query: Knex.QueryBuilder): Promise<number> => {
    const [row]: Row[] = await query
    return Number(row?.count ?? 0)
  }
  return {
    async endingSecrets(before, limit, appsOf) {
      const rows: Row[] = await knex('client')
        .select('id', 'name', 'secret_expires_at')
        .where('secret_expires_at', '<', before)
        .whereNull('disabled_at')
        .modify((query) => {
          if (appsOf === undefined) return
          const owned = knex('client_owner').select('client_id').where({ account_id: appsOf })
          query.whereIn('id', owned)
        })
        .orderBy('secret_expires_at')
        .limit(limit)
      return rows.map(({ id, name, secret_expires_at }) => ({
        clientId: String(id),
        name: String(name ?? id),
        endsAt: Number(secret_expires_at),
      }))
    },
    async stoppedLogins(since) {
      const settled = knex('audit_event as later')
        .select(knex.raw('1'))
        .whereRaw("later.action <> 'session.sign-in'")
        .whereRaw('later.target = stopped.target AND later.at >= stopped.at')
        .whereIn('later.action', ['identity.accept', 'identity.unlink'])
      const rows: Row[] = await knex('audit_event as stopped')
        .select('stopped.target', 'stopped.details')
        // Word for word as in the index of what happened beside sign-ins.
        .whereRaw("stopped.action <> 'session.sign-in'")
        .where('stopped.actor', 'unknown')
        .where('stopped.action', 'identity.reused')
        .where('stopped.at', '>=', since)
        .whereNotExists(settled)
        .limit(1000)
      const found = rows.map(({ target, details }) => ({
        accountId: String(target),
        connector: String(JSON.parse(String(details)).connector ?? ''),
      }))
      return [...new Map(found.map((one) => [`${one.connector} ${one.accountId}`, one])).values()]
    },
    async unreadIdentities() {
      const rows: Row[] = await knex('identity')
        .select('connector')
        .count({ count: '*' })
        .whereNotNull('unread')
        .groupBy('connector')
      return rows.map(({ connector, count }) => ({
        connector: String(connector),
        count: Number(count),
      }))
    },
    waitingApplications: (at) =>
      countOf(
        knex('application')
          .count({ count: '*' })
          .where('state', 'waiting')
          .where('expires_at', '>', at),
      ),
    async imports() {
      const rows: Row[] = await knex('people_import')
        .select('state')
        .count({ count: '*' })
        .groupBy('state')
      return Object.fromEntries(rows.map(({ state, count }) => [String(state), Number(count)]))
    },
    async sizes(at) {
      const [clients, staff, invitations] = await Promise.all([
        countOf(knex('client').count({ count: '*' })),
        countOf(knex('staff_role').countDistinct({ count: 'holder' })),
        countOf(
          knex('staff_invitation')
            .count({ count: '*' })
            .whereNull('used_at')
            .where('expires_at', '>', at),
        ),
      ])
      return { clients, staff, invitations }
    },
  }
}
