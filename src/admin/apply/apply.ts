/** Makes the apps there are equal to a file: shows first what would change, then does that and nothing else. */
import { sha256 } from '#lib/crypto.ts'
import { forgetClient } from '#oidc/remembered-clients.ts'
import type { ClientRow, Store } from '#store/store.ts'
import { changedMeanwhile } from '../clients/changes.ts'
import { alreadyJudged, judgedByProvider, resourceScopesOf } from '../clients/judge.ts'
import { beyondRole, isPowerful, mayGivePower } from '../clients/reach.ts'
import { register, registerPortsOf, replace } from '../clients/register.ts'
import { toMetadata, toSettings } from '../clients/registration.ts'
import type { Settings } from '../clients/schema.ts'
import { fitSecret } from '../clients/secrets.ts'
import { takeAway } from '../clients/standing.ts'
import { type Difference, differencesOf } from '../clients/versions.ts'
import { type Acting, done, type FieldProblem, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { together } from '../together.ts'
import { asKept, readClientFile } from './file.ts'

type Step = { id: string; name: string; differences: Difference[] } & (
  | { what: 'create'; settings: Settings }
  | { what: 'change'; settings: Settings; was: Settings; row: ClientRow }
  | { what: 'same' }
  | { what: 'remove'; row: ClientRow }
)

export type AppliedItem = {
  id: string
  name: string
  what: Step['what']
  differences: Difference[]
  /** Of an app that has just got one: shown this once. */
  secret?: string
}

export type Applied = { applied: boolean; digest: string; items: AppliedItem[] }

export type Applying = {
  yaml: string
  dryRun: boolean
  /** Apps the file does not name are removed; those that registered themselves stay. */
  prune: boolean
  /** Of what was shown: where it is something else by now, nothing is done. */
  digest?: string | undefined
}

export async function apply(
  ports: AdminPorts,
  by: Acting,
  { yaml, dryRun, prune, digest: seen }: Applying,
): Promise<Outcome<Applied>> {
  if (by.reach.kind !== 'all') return { kind: 'refused', why: 'apply.narrowed' }
  const { resources } = ports.config.site
  const { clients, problems } = readClientFile(yaml, resources)
  if (problems.length > 0) return { kind: 'rejected', problems }
  const planned = await plan(ports, by, clients, prune)
  if (planned.problems.length > 0) return { kind: 'rejected', problems: planned.problems }
  const { steps } = planned
  const digest = digestOf(steps)
  if (seen !== undefined && seen !== digest) {
    return { kind: 'conflict', why: 'what would change is something else by now' }
  }
  const items = steps.map(shown)
  if (dryRun) return done({ applied: false, digest, items })
  const outcome = await together(ports.store, async (store): Promise<Outcome<AppliedItem[]>> => {
    const bound = { ...ports, provider: alreadyJudged(ports.provider), store }
    const made = new Map<string, AppliedItem>()
    // In one order, whatever the file's: of two that name the same apps one waits, and nobody for ever.
    for (const step of steps.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
      const outcome = await take(bound, by, step)
      if (outcome.kind !== 'done') return outcome
      made.set(step.id, outcome.value)
    }
    return done(steps.map((step) => made.get(step.id) ?? shown(step)))
  })
  for (const { id } of steps) forgetClient(ports.provider, id)
  if (outcome.kind !== 'done') return outcome
  return done({ applied: true, digest, items: outcome.value })
}

/** Everything that asks somebody else is asked here: a transaction waits for nobody's web server. */
async function plan(
  ports: AdminPorts,
  by: Acting,
  wanted: ReturnType<typeof readClientFile>['clients'],
  prune: boolean,
): Promise<{ steps: Step[]; problems: FieldProblem[] }> {
  const { store, provider, config } = ports
  const { resources } = config.site
  const steps: Step[] = []
  const problems: FieldProblem[] = []
  for (const [i, { id, settings }] of wanted.entries()) {
    const complain = (list: FieldProblem[]) =>
      problems.push(
        ...list.map((one) => ({ ...one, field: `clients.${i}.${one.field}`.replace(/\.$/, '') })),
      )
    const row = await store.clients.find(id)
    const was = row && toSettings(row, resourceScopesOf(resources))
    const kept = asKept(settings, row, resources)
    if (row && row.kind !== settings.kind) {
      const message = `cannot be changed: it is ${row.kind}; make another app`
      complain([{ field: 'kind', message, code: 'app-kind' }])
      continue
    }
    const differences = differencesOf(was ?? {}, kept)
    const { name } = settings
    if (row && was && differences.length === 0) {
      steps.push({ id, name, what: 'same', differences })
      continue
    }
    const { row: judged } = fitSecret(
      { ...(row ?? blank(id, settings, by.at)), metadata: toMetadata(settings, row?.metadata) },
      by.at,
    )
    complain(beyondRole(by, was, settings))
    complain(await judgedByProvider(provider, judged))
    if (!row || !was) steps.push({ id, name, what: 'create', differences, settings })
    else steps.push({ id, name, what: 'change', differences, settings, was, row })
  }
  if (prune) steps.push(...(await leftOut(store, wanted)))
  return { steps, problems }
}

const blank = (id: string, { name, kind }: Settings, at: number): ClientRow => ({
  id,
  name,
  kind,
  metadata: {},
  version: 1,
  createdAt: at,
  updatedAt: at,
})

async function leftOut(store: Store, wanted: { id: string }[]): Promise<Step[]> {
  const named = new Set(wanted.map(({ id }) => id))
  return (await store.clients.list())
    .filter(({ id, origin }) => !named.has(id) && origin !== 'dynamic')
    .map((row) => ({ id: row.id, name: row.name, what: 'remove', differences: [], row }))
}

async function take(ports: AdminPorts, by: Acting, step: Step): Promise<Outcome<AppliedItem>> {
  const because = 'apply' as const
  if (step.what === 'same') return done(shown(step))
  if (step.what === 'remove') {
    const row = await ports.store.clients.find(step.id)
    if (row?.version !== step.row.version) return changedMeanwhile
    if (!mayGivePower(by) && (await isPowerful(ports.store, row))) {
      return { kind: 'refused', why: 'clients.powerful' }
    }
    return (await takeAway(ports.store, row, by)) ? done(shown(step)) : changedMeanwhile
  }
  const made =
    step.what === 'create'
      ? await register(registerPortsOf(ports), by, step.settings, { id: step.id, because })
      : await replace(
          registerPortsOf(ports),
          by,
          {
            before: step.row,
            metadata: toMetadata(step.settings, step.row.metadata),
            was: step.was,
            settings: step.settings,
          },
          { because },
        )
  if (made.kind !== 'done') return made
  const { secret } = made.value
  return done({ ...shown(step), ...(secret === undefined ? {} : { secret }) })
}

const shown = ({ id, name, what, differences }: Step): AppliedItem => ({
  id,
  name,
  what,
  differences,
})

/** Of everything that would be done, and to which version of what. */
const digestOf = (steps: Step[]): string =>
  sha256(
    JSON.stringify(
      steps.map((step) => [...Object.values(shown(step)), 'row' in step ? step.row.version : 0]),
    ),
  )
