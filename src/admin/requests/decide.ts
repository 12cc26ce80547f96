/** Staff approve what somebody asked for, or refuse it; of several who decide at once exactly one does. */
import { tell } from '#accounts/tell.ts'
import { languages } from '#config/words.ts'
import type { Letter } from '#lib/letter.ts'
import { forgetClient } from '#oidc/remembered-clients.ts'
import type { ClientRequestRow, Tables } from '#store/store.ts'
import { register, registerPortsOf, reregister } from '../clients/register.ts'
import type { ChangedSettings, Settings } from '../clients/schema.ts'
import { together } from '../clients/together.ts'
import { type Acting, done, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { findOwn } from './ask.ts'
import { readWanted, settingsFor, type Wanted } from './wanted.ts'

const decidedMeanwhile = { kind: 'conflict', why: 'the request was decided meanwhile' } as const

type Decided = { id: string; clientId: string }

/** `edits`: what staff give otherwise than it was asked for. */
export async function approve(
  ports: AdminPorts,
  by: Acting,
  { id, ...edits }: { id: string; scopes?: string[] | undefined },
): Promise<Outcome<Decided>> {
  const outcome = await together(ports.store, async (store): Promise<Outcome<Decided>> => {
    const request = await store.clientRequests.find(id)
    if (!request) return { kind: 'unknown' }
    if (request.state !== 'waiting') return decidedMeanwhile
    const account = await store.accounts.find(request.accountId)
    if (account?.status !== 'active') return { kind: 'refused', why: 'requests.nobody' }
    const bound = { ...ports, provider: ports.provider, store }
    const made = await makeOrChange(bound, by, request, edits)
    if (made.kind !== 'done') return made
    const { id: clientId, name } = made.value
    const decision = { state: 'approved', at: by.at, by: by.actor, clientId } as const
    if (!(await store.clientRequests.decide(id, decision))) return decidedMeanwhile
    const details = { client: clientId, ...(edits.scopes ? { edited: ['scopes'] } : {}) }
    await recordDecision(store, by, id, 'request.approve', details)
    await write(ports, store, by, request, { kind: 'client-approved', name })
    return done({ id, clientId })
  })
  if (outcome.kind === 'done') forgetClient(ports.provider, outcome.value.clientId)
  return outcome
}

/** What was asked for then is held against the rules of today. */
async function makeOrChange(
  ports: AdminPorts,
  by: Acting,
  request: ClientRequestRow,
  { scopes }: { scopes?: string[] | undefined },
): Promise<Outcome<{ id: string; name: string }>> {
  const { accountId, clientId } = request
  const { wanted: asked, change } = readWanted(request)
  if (!asked) return { kind: 'refused', why: 'requests.outdated' }
  const wanted: Wanted = { ...asked, ...(scopes ? { scopes } : {}) }
  const { resources } = ports.config.site
  const because = 'request' as const
  if (!change || clientId === undefined) {
    const settings = settingsFor(wanted, undefined, resources)
    // Its secret is hers to make: of this one nobody keeps anything but the digest.
    const made = await register(registerPortsOf(ports), by, settings, {
      owners: [accountId],
      because,
    })
    return made.kind === 'done' ? done({ id: made.value.row.id, name: settings.name }) : made
  }
  const row = await findOwn(ports.store, accountId, clientId)
  if (!row) return { kind: 'refused', why: 'requests.not-owner' }
  const settings: Settings = settingsFor(wanted, row, resources)
  const { kind: _, jwks: __, authMethod: ___, ...changes } = settings
  const changed = await reregister(
    registerPortsOf(ports),
    by,
    { id: row.id, version: row.version },
    changes satisfies ChangedSettings,
    { because },
  )
  return changed.kind === 'done' ? done({ id: row.id, name: settings.name }) : changed
}

/** `reason` is mailed to her. A conflict where somebody decided before. */
export async function refuse(
  ports: AdminPorts,
  by: Acting,
  { id, reason }: { id: string; reason: string },
): Promise<Outcome<{ id: string }>> {
  return together(ports.store, async (store): Promise<Outcome<{ id: string }>> => {
    const request = await store.clientRequests.find(id)
    if (!request) return { kind: 'unknown' }
    const decision = { state: 'refused', at: by.at, by: by.actor, reason } as const
    if (!(await store.clientRequests.decide(id, decision))) return decidedMeanwhile
    await recordDecision(store, by, id, 'request.refuse', {})
    const { name } = readWanted(request)
    await write(ports, store, by, request, { kind: 'client-refused', name, reason })
    return done({ id })
  })
}

const recordDecision = (
  { audit }: Pick<Tables, 'audit'>,
  { at, actor, where }: Acting,
  id: string,
  action: string,
  details: Record<string, unknown>,
) => audit.record({ at, actor, action, target: `request:${id}`, outcome: 'ok', ...where, details })

type Said =
  | { kind: 'client-approved'; name: string }
  | { kind: 'client-refused'; name: string; reason: string }

/** In the first of our languages: which one she reads is not known. */
async function write(
  { writeLetter, config }: Pick<AdminPorts, 'writeLetter' | 'config'>,
  tables: Tables,
  { at }: Acting,
  { accountId }: ClientRequestRow,
  { kind, ...said }: Said,
): Promise<void> {
  const account = await tables.accounts.find(accountId)
  if (!account) return
  const language = languages[0]
  const link = `${config.issuer}/account/clients`
  await tell(tables, account, { at, language }, ({ params, ...her }) => {
    const letter = { ...her, kind, link, params: { ...params, ...said } }
    return writeLetter(letter as Letter)
  })
}
