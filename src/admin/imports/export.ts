/** Everybody who fits a filter, as CSV: a page at a time, as fast as the reader takes it. Never a personal number. */

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { isoSecond, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import { byteOrderMark, openCsv } from '../csv.ts'
import { type Barred, done, type Outcome, operation, perform, rejected } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { mayStill } from '../staff/still.ts'
import type { By } from '../staff.ts'

export const exportFilter = z.strictObject({
  /** An upstream's id. */
  county: z.string().max(32).optional(),
  school: z.string().max(12).optional(),
  status: z.enum(['active', 'suspended', 'closed', 'pending']).optional(),
})
/** As it was sent: the operation judges it. */
export type ExportInput = { county?: string; school?: string; status?: string }

/** What follows is a stream, which no operation gives: see `exportPeople`. */
export const beginExport = operation({
  id: 'people.export',
  summary: 'Writes everybody who fits a filter as CSV; without personal numbers.',
  permission: 'people.export',
  dangerous: true,
  method: 'POST',
  path: '/people/export',
  input: exportFilter,
  output: exportFilter,
  async run({ store, config }, by, filter) {
    const { county } = filter
    if (county !== undefined && !config.connectors.some(({ id }) => id === county)) {
      return rejected('county', 'is no upstream of this system', 'county-unknown')
    }
    const event = { action: 'people.export', outcome: 'begun', details: { ...filter } }
    await store.audit.record({ at: by.at, actor: by.actor, ...event, ...by.where })
    return done(filter)
  },
})

export const exportColumns = [
  'id',
  'account',
  'name',
  'email',
  'email_verified',
  'phone',
  'kind',
  'status',
  'county',
  'school_code',
  'role',
  'titles',
  'created_at',
] as const

/** People of one page, and milliseconds of rest after it: on SQLite everybody waits for who reads. */
const pages = { people: 200, rest: 2 }

/**
 * The audit trail says who took it and how many rows. The generator throws when whoever takes it loses the permission on
 * the way: half a file must not look like a whole one.
 */
export async function exportPeople(
  ports: AdminPorts,
  by: By,
  input: ExportInput,
): Promise<Outcome<AsyncGenerator<string>> | Barred> {
  const begun = await perform(ports, by, beginExport, input)
  if (begun.kind !== 'done') return begun
  return done(lines(ports, by, begun.value))
}

async function* lines(
  { store, now }: AdminPorts,
  by: By,
  filter: z.output<typeof exportFilter>,
): AsyncGenerator<string> {
  const { county: connector, school, status } = filter
  const write = await openCsv()
  let count = 0
  let outcome = 'cut'
  try {
    yield byteOrderMark + write([exportColumns])
    for (let after: string | undefined = ''; after !== undefined; ) {
      if (!(await mayStill(store, by, 'people.export'))) {
        outcome = 'not-allowed'
        throw new Error('the export was cut off: who takes it may no longer')
      }
      const page: Awaited<ReturnType<Store['peopleExport']['page']>> =
        await store.peopleExport.page({ connector, school, status }, after, pages.people)
      if (page.people.length > 0) yield write(page.people.map(lineOf))
      count += page.people.length
      after = page.next
      await sleep(pages.rest)
    }
    outcome = 'ok'
  } finally {
    // Also of one who went away in the middle: what was sent was sent.
    const at = seconds(now)
    const event = { action: 'people.export', outcome, details: { ...filter, count } }
    await store.audit.record({ at, actor: by.actor, ...event, ...by.where })
  }
}

function lineOf({
  account: { id, kind, status, profile, createdAt },
  names,
  connectors,
  schools,
}: Awaited<ReturnType<Store['peopleExport']['page']>>['people'][number]): string[] {
  const username = names.find(({ type }) => type === 'username')
  const address = names.find(({ type }) => type === 'email')
  const { name, email, phone_number: phone } = profile
  const values: Record<(typeof exportColumns)[number], string> = {
    id,
    account: (username ?? address)?.value ?? '',
    name: name?.value ?? '',
    email: email?.value ?? '',
    email_verified: email ? (email.verified ? 'yes' : 'no') : '',
    phone: phone?.value ?? '',
    kind,
    status,
    county: connectors.join(';'),
    school_code: schools.map(({ code }) => code).join(';'),
    role: schools.map(({ role }) => role).join(';'),
    titles: schools.map(({ titles }) => titles.join('、')).join(';'),
    created_at: isoSecond(createdAt),
  }
  return exportColumns.map((column) => values[column])
}
