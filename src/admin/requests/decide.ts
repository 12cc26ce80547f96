/** Staff approve what somebody asked for, or refuse it; of several who decide at once exactly one does. */
import { type ToMember, tell } from '#accounts/tell.ts'
import { languages } from '#config/words.ts'
import type { Letter } from '#lib/letter.ts'
import { forgetClient } from '#oidc/remembered-clients.ts'
import type { ClientRequestRow, Tables } from '#store/store.ts'
import { changedMeanwhile } from '../clients/changes.ts'
import { alreadyJudged, judge, judgedByProvider } from '../clients/judge.ts'
import { register, registerPortsOf, reregister } from '../clients/register.ts'
import { toMetadata } from '../clients/registration.ts'
import type { ChangedSettings, Settings } from '../clients/schema.ts'
import { type Acting, done, type FieldProblem, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { together } from '../together.ts'
import { findOwn } from './ask.ts'
import { readWanted, settingsFor } from './wanted.ts'

const decidedMeanwhile = { kind: 'conflict', why: 'the request was decided meanwhile' } as const

type Decided = { id: string; clientId: string }

type Edits = { scopes?: string[] | undefined }

/** `edits`: what staff give otherwise than it was asked for. `version`: of the app she looked at, where it is a change. */
export async function approve(
  ports: AdminPorts,
  by: Acting,
  { id, version, ...edits }: { id: string; version?: number | undefined } & Edits,
): Promise<Outcome<Decided>> {
  // A document may be asked for: a transaction waits for nobody's web server.
  const heard = await hear(ports, id, edits)
  if (heard.problems.length > 0) return { kind: 'rejected', problems: heard.problems }
  const seen = [version, heard.version].filter((one) => one !== undefined)
  const outcome = await together(ports.store, async (store): Promise<Outcome<Decided>> => {
    const request = await store.clientRequests.find(id)
    if (!request) return { kind: 'unknown' }
    if (request.state !== 'waiting') return decidedMeanwhile
    const account = await store.accounts.find(request.accountId)
    if (account?.status !== 'active') return { kind: 'refused', why: 'requests.nobody' }
    const made = await makeOrChange({ ...ports, store }, by, request, edits, seen)
    if (made.kind !== 'done') return made
    const { id: clientId, name } = made.value
    const decision = { state: 'approved', at: by.at, by: by.actor, clientId } as const
    if (!(await store.clientRequests.decide(id, decision))) return decidedMeanwhile
    const details = { client: clientId, ...(edits.scopes ? { edited: ['scopes'] } : {}) }
    await recordDecision(store, by, id, 'request.approve', details)
    await write(ports, store, by, request, ({ params, ...her }) => ({
      ...her,
      kind: 'client-approved',
      params: { ...params, name },
    }))
    return done({ id, clientId })
  })
  if (outcome.kind === 'done') forgetClient(ports.provider, outcome.value.clientId)
  return outcome
}

/** What was asked for then, with what staff give otherwise. */
function editedOf(request: ClientRequestRow, { scopes }: Edits) {
  const { wanted, change } = readWanted(request)
  const isChange = change && request.clientId !== undefined
  return { isChange, wanted: wanted && { ...wanted, ...(scopes ? { scopes } : {}) } }
}

/** What the provider says to a change, and of which version of the app. All else is said when it is made. */
async function hear(
  { store, provider, config }: AdminPorts,
  id: string,
  edits: Edits,
): Promise<{ problems: FieldProblem[]; version?: number }> {
  const request = await store.clientRequests.find(id)
  if (request?.state !== 'waiting') return { problems: [] }
  const { wanted, isChange } = editedOf(request, edits)
  const row = isChange && (await findOwn(store, request.accountId, request.clientId ?? ''))
  if (!wanted || !row) return { problems: [] }
  const { resources } = config.site
  const settings = settingsFor(wanted, row, resources)
  if (judge(settings, resources).length > 0) return { problems: [] }
  const metadata = toMetadata(settings, row.metadata)
  const problems = await judgedByProvider(provider, { ...row, metadata })
  return { problems, version: row.version }
}

/** What was asked for then is held against the rules of today. `seen`: versions of the app it was looked at. */
async function makeOrChange(
  ports: AdminPorts,
  by: Acting,
  request: ClientRequestRow,
  edits: Edits,
  seen: number[],
): Promise<Outcome<{ id: string; name: string }>> {
  const { accountId, clientId = '' } = request
  const { wanted, isChange } = editedOf(request, edits)
  if (!wanted) return { kind: 'refused', why: 'requests.outdated' }
  const { resources } = ports.config.site
  const because = 'request' as const
  if (!isChange) {
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
  if (seen.some((version) => version !== row.version)) return changedMeanwhile
  const settings: Settings = settingsFor(wanted, row, resources)
  const { kind: _, jwks: __, authMethod: ___, ...changes } = settings
  const changed = await reregister(
    registerPortsOf({ ...ports, provider: alreadyJudged(ports.provider) }),
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
    await write(ports, store, by, request, ({ params, ...her }) => ({
      ...her,
      kind: 'client-refused',
      params: { ...params, name, reason },
    }))
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

/** In the first of our languages: which one she reads is not known. */
async function write(
  { writeLetter, config }: Pick<AdminPorts, 'writeLetter' | 'config'>,
  tables: Tables,
  { at }: Acting,
  { accountId }: ClientRequestRow,
  say: (her: ToMember & { link: string }) => Letter,
): Promise<void> {
  const account = await tables.accounts.find(accountId)
  if (!account) return
  const language = languages[0]
  const link = `${config.issuer}/account/clients`
  await tell(tables, account, { at, language }, (her) => writeLetter(say({ ...her, link })))
}
