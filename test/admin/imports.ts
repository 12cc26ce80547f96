/** Files of people, and what one does with them in a test. */
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { z } from 'zod'
import { openPasswordRules } from '#accounts/password-rules.ts'
import { openPasswords } from '#accounts/passwords.ts'
import type { Cells } from '#admin/imports/columns.ts'
import { parsePeople } from '#admin/imports/parse.ts'
import { receiveImport } from '#admin/imports/receive.ts'
import type { ImportRules } from '#admin/imports/rules.ts'
import { openImportWork } from '#admin/imports/work.ts'
import { type Operation, perform } from '#admin/operation.ts'
import { getImport, listImportNotes, startImport } from '#admin/operations/imports.ts'
import type { AdminPorts } from '#admin/ports.ts'
import { operatorBy } from '#admin/staff.ts'
import { loadConfig } from '#config/load.ts'
import { type ImportManners, openImporting } from '#jobs/import-people.ts'
import { openLog } from '#lib/log.ts'
import type { Store } from '#store/store.ts'
import { buildStore, type Engine } from '../helpers/database.ts'

const root = join(import.meta.dirname, '..', '..')

export const operator = operatorBy('operator:test')

/** All an import needs of a house. Nothing is done in the background but by `workOff`. */
export function portsOn(store: Store, now = Date.now) {
  const ports = {
    store,
    config: loadConfig({ SANDBOX: 'off' }, root),
    keys: { data: Buffer.alloc(32, 5) },
    passwords: openPasswords({ cost: { memoryCost: 1_024, timeCost: 1 } }),
    judgePassword: openPasswordRules(),
    background: { run: async () => false },
    log: openLog('silent'),
    now,
  }
  return ports as typeof ports & AdminPorts
}

export async function openImports(t: ExecutionContext, engine: Engine, now = Date.now) {
  const ports = portsOn(await buildStore(t, engine), now)
  t.teardown(() => ports.passwords.close())
  return ports
}

export type ImportPorts = Awaited<ReturnType<typeof openImports>>

/** In chunks, so that letters and lines are cut where it hurts. */
export async function* chunks(file: string | Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(file)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function upload(
  ports: AdminPorts,
  file: string | Buffer,
  rules: Partial<ImportRules> = {},
  size?: number,
): Promise<string> {
  const input = { file: 'people.csv', ...rules }
  const outcome = await receiveImport(ports, operator, chunks(file, size), input)
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
  return outcome.value.id
}

/** What is wrong with a file as a whole. */
export async function refusal(ports: AdminPorts, file: string | Buffer): Promise<string> {
  const outcome = await receiveImport(ports, operator, chunks(file), {})
  return outcome.kind === 'rejected' ? String(outcome.problems[0]?.code) : outcome.kind
}

/** Does what is due, until nothing is. */
export const workOff = (ports: AdminPorts, manners: Partial<ImportManners> = {}) =>
  openImporting(openImportWork(ports), manners).run(new AbortController().signal)

export async function doing<I extends z.ZodType, O extends z.ZodType>(
  ports: AdminPorts,
  one: Operation<I, O>,
  input: z.input<I>,
): Promise<z.output<O>> {
  const outcome = await perform(ports, operator, one, input)
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
  return outcome.value
}

export const progress = (ports: AdminPorts, id: string) => doing(ports, getImport, { id })

/** Row, field and code of everything noted. */
export async function noted(ports: AdminPorts, id: string): Promise<string[]> {
  const { items } = await doing(ports, listImportNotes, { id, limit: 200 })
  return items.flatMap(({ row, problems }) =>
    problems.map(({ field, code, row: other }) =>
      [row, field, code, ...(other === undefined ? [] : [other])].join(' '),
    ),
  )
}

/** What stands in a file, row by row. */
export async function parse(file: string | Buffer, size?: number) {
  const rows: [number, Cells][] = []
  await parsePeople(chunks(file, size), ({ row, cells }) => void rows.push([row, cells]))
  return rows
}

const columns = 'account,name,email,email_verified,phone,kind,status,password_hash,password'
const more = 'county,subject,school_code,role,titles'
/** A file of these rows. */
export const file = (...rows: Cells[]) => {
  const names = `${columns},${more}`.split(',') as (keyof Cells)[]
  const cell = (text = '') => `"${text.replaceAll('"', '""')}"`
  return [names.join(','), ...rows.map((row) => names.map((one) => cell(row[one])).join(','))].join(
    '\n',
  )
}
/** Of another system. */
export const hash = '$2y$04$uO51hSBBPVBb5VKD5SDaO.1JelWaCMUB5cNC2q6LW0.bgTgBQI.HK'
export const county = { county: 'ntpc', school_code: '014569' }

/** Uploaded, checked, started and worked off. */
export async function imported(ports: ImportPorts, text: string | Buffer, rules = {}) {
  const id = await upload(ports, text, rules)
  await workOff(ports)
  await doing(ports, startImport, { id })
  await workOff(ports)
  return progress(ports, id)
}
