/** Somebody without a staff role asks for an app, or for a change of hers, and may take it back until it is decided. */
import { randomUUID } from 'node:crypto'
import type { Circumstances, ClientRow, Store } from '#store/store.ts'
import { differencesOf } from '../clients/versions.ts'
import type { FieldProblem } from '../operation.ts'
import { problemsOf as schemaProblems } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import {
  currentOf,
  type KeptWanted,
  problemsOf,
  settingsFor,
  shownOf,
  wantedFields,
} from './wanted.ts'

/** Requests of one person that wait at a time. */
export const mostWaiting = 5
export const longestPurpose = 2000

export type Asking = { accountId: string; at: number; where: Circumstances }

export type Asked =
  | { kind: 'asked'; id: string }
  | { kind: 'rejected'; problems: FieldProblem[] }
  | { kind: 'too-many' }
  /** No app of hers, or one staff switched off. */
  | { kind: 'not-hers' }
  /** A change of it waits already. */
  | { kind: 'waits' }
  | { kind: 'nothing-changed' }

/** One of her apps; undefined for everybody else's. */
export async function findOwn(
  tables: Pick<Store, 'clients' | 'clientOwners'>,
  accountId: string,
  id: string,
): Promise<ClientRow | undefined> {
  return (await tables.clientOwners.has(id, accountId)) ? tables.clients.find(id) : undefined
}

/** Writes the request down for staff to decide. What is wrong with it is said whole, and then nothing is written. */
export async function ask(
  { store, config }: Pick<AdminPorts, 'store' | 'config'>,
  { accountId, at, where }: Asking,
  input: { clientId?: string; wanted: unknown; purpose: string },
): Promise<Asked> {
  const { resources } = config.site
  const row = input.clientId ? await findOwn(store, accountId, input.clientId) : undefined
  if (input.clientId && (!row || row.disabledAt !== undefined)) return { kind: 'not-hers' }
  const purpose = input.purpose.trim()
  const problems: FieldProblem[] = []
  if (purpose === '') {
    problems.push({ field: 'purpose', message: 'must not be empty', code: 'empty' })
  }
  if (purpose.length > longestPurpose) {
    const message = `must be at most ${longestPurpose} characters`
    problems.push({ field: 'purpose', message, code: 'too-long', params: { most: longestPurpose } })
  }
  const parsed = wantedFields.safeParse(input.wanted)
  if (!parsed.success) {
    return { kind: 'rejected', problems: [...schemaProblems(parsed.error), ...problems] }
  }
  const wanted = row ? { ...parsed.data, kind: row.kind } : parsed.data
  const settings = settingsFor(wanted, row, resources)
  problems.push(...problemsOf(settings, resources))
  if (problems.length > 0) return { kind: 'rejected', problems }
  if (row && isAsItIs(row, shownOf(settings, row, resources), resources)) {
    return { kind: 'nothing-changed' }
  }
  return store.transaction(async (tables): Promise<Asked> => {
    const account = await tables.accounts.lock(accountId)
    if (account?.status !== 'active') return { kind: 'not-hers' }
    if ((await tables.clientRequests.countWaitingOf(accountId)) >= mostWaiting) {
      return { kind: 'too-many' }
    }
    if (row) {
      const hers = await tables.clientRequests.ofAccount(accountId)
      const waits = hers.some((one) => one.state === 'waiting' && one.clientId === row.id)
      if (waits) return { kind: 'waits' }
    }
    const id = randomUUID()
    await tables.clientRequests.make({
      id,
      accountId,
      ...(row ? { clientId: row.id } : {}),
      wanted: { settings: wanted, change: row !== undefined } satisfies KeptWanted,
      purpose,
      state: 'waiting',
      createdAt: at,
    })
    await tables.audit.record({
      at,
      actor: accountId,
      action: 'request.make',
      target: `request:${id}`,
      outcome: 'ok',
      ...where,
      details: { kind: wanted.kind, ...(row ? { client: row.id } : {}) },
    })
    return { kind: 'asked', id }
  })
}

const isAsItIs = (
  row: ClientRow,
  wanted: ReturnType<typeof shownOf>,
  resources: AdminPorts['config']['site']['resources'],
) => differencesOf(currentOf(row, resources), wanted).length === 0

/** False where it is not hers, or was decided. */
export const withdraw = (
  { store }: Pick<AdminPorts, 'store'>,
  { accountId, at, where }: Asking,
  id: string,
): Promise<boolean> =>
  store.transaction(async (tables) => {
    const request = await tables.clientRequests.find(id)
    if (request?.accountId !== accountId) return false
    const decision = { state: 'withdrawn', at, by: accountId } as const
    if (!(await tables.clientRequests.decide(id, decision))) return false
    const event = { action: 'request.withdraw', target: `request:${id}`, outcome: 'ok' }
    await tables.audit.record({ at, actor: accountId, ...event, ...where })
    return true
  })
