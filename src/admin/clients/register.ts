/** Makes and changes registrations: everything that is wrong is said, and then nothing was written. */
import type { SiteFile } from '#config/schema.ts'
import { newClientId } from '#oidc/clients.ts'
import { endRest, finishEnding } from '#oidc/ending.ts'
import { forgetClient } from '#oidc/remembered-clients.ts'
import type { ClientRow, Tables } from '#store/store.ts'
import { type Acting, done, type FieldProblem, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { afterStaff } from '../registration/ceiling.ts'
import { heldPolicy } from '../registration/policy.ts'
import {
  type Change,
  changedMeanwhile,
  changing,
  keepChange,
  noteChange,
  type Why,
} from './changes.ts'
import { judge, judgedByProvider, resourceScopesOf } from './judge.ts'
import { beyondRole, findWithin } from './reach.ts'
import { fillIn, toMetadata, toSettings } from './registration.ts'
import type { ChangedSettings, Settings } from './schema.ts'
import { fitSecret } from './secrets.ts'
import { changedFields } from './versions.ts'

export type RegisterPorts = Pick<AdminPorts, 'store' | 'provider'> & {
  resources: SiteFile['resources']
}

/** The row, and its secret if it has just got one: shown this once. */
export type Registered = { row: ClientRow; secret?: string }

/** Of what every operation is lent, what a registration needs. */
export const registerPortsOf = ({ store, provider, config }: AdminPorts): RegisterPorts => ({
  store,
  provider,
  resources: config.site.resources,
})

/** `owners`: accounts whose app it is, beside hers where she reaches only her own. `id`: one an operator chose. */
export async function register(
  ports: RegisterPorts,
  by: Acting,
  given: Partial<Settings> & Pick<Settings, 'name' | 'kind'>,
  {
    owners = [],
    because = 'create',
    id = newClientId(),
  }: { owners?: string[]; because?: Why; id?: string } = {},
): Promise<Outcome<Registered>> {
  const hers = by.reach.kind === 'all' ? [] : [by.reach.appsOf ?? by.actor]
  // A program cannot own an app: it would be made and then be in nobody’s reach.
  if (hers.some((one) => one.includes(':'))) return { kind: 'refused', why: 'clients.no-owner' }
  const settings = fillIn(given)
  const problems = [...judge(settings, ports.resources), ...beyondRole(by, undefined, settings)]
  if (problems.length > 0) return { kind: 'rejected', problems }
  const { row, secret } = fitSecret(
    {
      id,
      name: settings.name,
      kind: settings.kind,
      metadata: toMetadata(settings),
      version: 1,
      createdAt: by.at,
      updatedAt: by.at,
    },
    by.at,
  )
  const said = await judgedByProvider(ports.provider, row)
  if (said.length > 0) return { kind: 'rejected', problems: said }
  // Of an id an operator chose: an app that was removed may have had it.
  await finishEnding(ports.store, id, by.at)
  const isMade = await ports.store.transaction(async (tables) => {
    // Or somebody else's file, just now.
    if (!(await tables.clients.create(row))) return false
    await endRest(tables, row, by.at)
    for (const accountId of new Set([...hers, ...owners])) {
      await tables.clientOwners.add({ clientId: row.id, accountId, createdAt: by.at })
    }
    const { client_name: name, redirect_uris } = row.metadata
    await noteChange(tables, row, by, { because, details: { name, redirect_uris } })
    return true
  })
  if (!isMade) return changedMeanwhile
  forgetClient(ports.provider, row.id)
  return done({ row, ...(secret === undefined ? {} : { secret }) })
}

/** Changes what is named and leaves the rest. `version`: the one she looked at. */
export async function reregister(
  ports: RegisterPorts,
  by: Acting,
  { id, version }: { id: string; version: number },
  changes: ChangedSettings,
  change: Change = { because: 'change' },
): Promise<Outcome<Registered>> {
  const before = await findWithin(ports.store, by, id)
  if (!before) return { kind: 'unknown' }
  if (before.version !== version) return changedMeanwhile
  const was = toSettings(before, resourceScopesOf(ports.resources))
  const settings = { ...was, ...withoutHoles(changes) }
  const metadata = toMetadata(settings, before.metadata)
  return replace(ports, by, { before, metadata, was, settings }, change)
}

/** A list that was not given stays; anything else that is undefined was taken away. */
const withoutHoles = (changes: ChangedSettings): Partial<Settings> => {
  const { redirectUris, postLogoutRedirectUris, contacts, purposes, ...rest } = changes
  const lists = { redirectUris, postLogoutRedirectUris, contacts, purposes }
  const given = Object.entries(lists).filter(([, value]) => value !== undefined)
  return { ...(rest as Partial<Settings>), ...Object.fromEntries(given) }
}

/** What staff took away the app does not take back when it changes itself. */
async function holdTo(
  { registrations }: Pick<Tables, 'registrations'>,
  { id, metadata: before }: ClientRow,
  { metadata: after }: ClientRow,
) {
  const policy = heldPolicy.safeParse(await registrations.policyOf(id))
  if (policy.success) await registrations.hold(id, afterStaff(policy.data, before, after))
}

export type Replacing = {
  before: ClientRow
  metadata: ClientRow['metadata']
  was: Settings
  settings: Settings
}

/** Puts another registration in the place of one as it was read. */
export async function replace(
  ports: RegisterPorts,
  by: Acting,
  { before, metadata, was, settings }: Replacing,
  change: Change,
): Promise<Outcome<Registered>> {
  const problems: FieldProblem[] = [
    ...judge(settings, ports.resources),
    ...beyondRole(by, was, settings),
  ]
  if (problems.length > 0) return { kind: 'rejected', problems }
  const { row, secret } = fitSecret({ ...before, metadata, name: settings.name }, by.at)
  const said = await judgedByProvider(ports.provider, row)
  if (said.length > 0) return { kind: 'rejected', problems: said }
  return changing(ports, by, before.id, async (tables, now) => {
    if (now.version !== before.version) return changedMeanwhile
    const fields = changedFields(before.metadata, metadata)
    const details = { fields, ...change.details }
    const kept = await keepChange(tables, before, row, by, { ...change, details })
    if (!kept) return changedMeanwhile
    if (before.origin === 'dynamic') await holdTo(tables, before, kept)
    return done({ row: kept, ...(secret === undefined ? {} : { secret }) })
  })
}
