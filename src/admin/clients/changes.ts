/** How an app's registration is written: with its version, with who did it, and heard by this process at once. */
import { forgetClient } from '#oidc/remembered-clients.ts'
import { endWithdrawn } from '#oidc/withdrawals.ts'
import type { ClientRow, Tables } from '#store/store.ts'
import type { Acting, Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { findWithin, isPowerful, mayGivePower } from './reach.ts'

export type Why =
  | 'create'
  | 'change'
  | 'undo'
  | 'apply'
  | 'request'
  | 'register'
  | 'reregister'
  | 'secret'
  | 'secret-drop'
  | 'disable'
  | 'enable'
  | 'owner-add'
  | 'owner-remove'
  | 'logo'
  | 'logo-remove'

/** What the audit trail calls it. */
const actions: Record<Why, string> = {
  create: 'client.create',
  change: 'client.change',
  undo: 'client.undo',
  apply: 'client.change',
  request: 'client.change',
  register: 'client.register',
  reregister: 'client.reregister',
  secret: 'client.rotate-secret',
  'secret-drop': 'client.drop-secret',
  disable: 'client.disable',
  enable: 'client.enable',
  'owner-add': 'client.add-owner',
  'owner-remove': 'client.remove-owner',
  logo: 'client.change-logo',
  'logo-remove': 'client.remove-logo',
}

export type Change = {
  because: Why
  note?: string
  /** For the audit trail: names of fields and of accounts, nothing that was typed. */
  details?: Record<string, unknown>
}

export type Who = Pick<Acting, 'actor' | 'where' | 'at'>

export const changedMeanwhile = {
  kind: 'conflict',
  why: 'somebody changed the app since you looked',
} as const

/**
 * Writes the changed row with its version and audit event, and ends what was issued for what the app may no longer do.
 * The row as it is now; undefined, and nothing is written, if somebody changed it since it was read.
 */
export async function keepChange(
  tables: Pick<Tables, 'clients' | 'clientVersions' | 'audit' | 'payloads' | 'outbox'>,
  before: ClientRow,
  next: ClientRow,
  who: Who,
  change: Change,
): Promise<ClientRow | undefined> {
  const changed = await tables.clients.change({ ...next, updatedAt: who.at })
  if (!changed) return undefined
  await endWithdrawn(tables, before, changed, who.at)
  // A release that kept no versions may have written it.
  await tables.clientVersions.add({
    clientId: before.id,
    version: before.version,
    metadata: before.metadata,
    at: before.updatedAt,
    changedBy: 'unknown',
    because: 'before',
  })
  await noteChange(tables, changed, who, change)
  return changed
}

/** Keeps the row's version with who made it and why, and writes the audit event. */
export async function noteChange(
  tables: Pick<Tables, 'clientVersions' | 'audit'>,
  { id, version, metadata }: ClientRow,
  who: Who,
  { because, note, details = {} }: Change,
): Promise<void> {
  await tables.clientVersions.add({
    clientId: id,
    version,
    metadata,
    at: who.at,
    changedBy: who.actor,
    because,
    ...(note === undefined ? {} : { note }),
  })
  await record(tables, id, actions[because], who, { version, ...details })
}

/** An audit event about the app, in the caller’s transaction. */
export const record = (
  { audit }: Pick<Tables, 'audit'>,
  id: string,
  action: string,
  { actor, where, at }: Who,
  details: Record<string, unknown>,
  outcome = 'ok',
): Promise<void> =>
  audit.record({ at, actor, action, target: `client:${id}`, outcome, ...where, details })

/** Works on an app within her reach, in one transaction. Only owners touch an app that may act as staff. */
export async function changing<T>(
  { store, provider }: Pick<AdminPorts, 'store' | 'provider'>,
  by: Acting,
  id: string,
  work: (tables: Tables, row: ClientRow) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const outcome = await store.transaction(async (tables): Promise<Outcome<T>> => {
    const row = await findWithin(tables, by, id)
    if (!row) return { kind: 'unknown' }
    if (!mayGivePower(by) && (await isPowerful(tables, row))) {
      return { kind: 'refused', why: 'clients.powerful' }
    }
    return work(tables, row)
  })
  forgetClient(provider, id)
  return outcome
}
