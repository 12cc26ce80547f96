/** What staff say of an upstream: maintenance, with its times. */
import type { Knex } from 'knex'

export type NoticeRow = {
  id: string
  connector: string
  /** Words by language. */
  text: Record<string, string>
  startsAt: number
  endsAt: number
  createdAt: number
  createdBy: string
}

export type UpstreamNotices = {
  create(notice: NoticeRow): Promise<void>
  /** Those that are not over at `at`, by their beginning. */
  list(at: number): Promise<NoticeRow[]>
  find(id: string): Promise<NoticeRow | undefined>
  /** True for exactly one caller, however many race. */
  remove(id: string): Promise<boolean>
}

const table = 'upstream_notice'

type Row = Record<string, string>
const read = (row: Row): NoticeRow => ({
  id: String(row.id),
  connector: String(row.connector),
  text: JSON.parse(String(row.text)),
  startsAt: Number(row.starts_at),
  endsAt: Number(row.ends_at),
  createdAt: Number(row.created_at),
  createdBy: String(row.created_by),
})

export function openUpstreamNotices(knex: Knex): UpstreamNotices {
  return {
    async create({ text, ...notice }) {
      await knex(table).insert({
        id: notice.id,
        connector: notice.connector,
        text: JSON.stringify(text),
        starts_at: notice.startsAt,
        ends_at: notice.endsAt,
        created_at: notice.createdAt,
        created_by: notice.createdBy,
      })
    },
    async list(at) {
      const rows = await knex(table).where('ends_at', '>', at).orderBy(['starts_at', 'id'])
      return rows.map(read)
    },
    async find(id) {
      const row = await knex(table).where({ id }).first()
      return row && read(row)
    },
    remove: async (id) => (await knex(table).where({ id }).del()) === 1,
  }
}
