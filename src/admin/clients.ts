/** Apps as the command line, the sandbox and tests register them: an operator's word is enough. */
import type { Provider } from 'oidc-provider'
import type { SiteFile } from '#config/schema.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import { changing } from './clients/changes.ts'
import { type Registered as Made, register } from './clients/register.ts'
import { describe, type NewClient } from './clients/registration.ts'
import { newSettings, type Settings } from './clients/schema.ts'
import { addSecret } from './clients/secrets.ts'
import { takeAway } from './clients/standing.ts'
import { type Acting, done, type FieldProblem, operatorActing, problemsOf } from './operation.ts'

export { describe } from './clients/registration.ts'
export type { FieldProblem, NewClient }

export type Registered =
  /** RFC 7591 §3.2.1 names. The secret is shown this once. */
  | { kind: 'created'; registration: Record<string, unknown> }
  | { kind: 'rejected'; problems: FieldProblem[] }

type Ports = {
  store: Store
  provider: Provider
  now: Now
  resources: SiteFile['resources']
  /** Who the audit trail says did it: `operator:<name>`. */
  actor: string
}

const operator = ({ actor, now }: Pick<Ports, 'actor' | 'now'>): Acting =>
  operatorActing(actor, seconds(now))

/** Registers an app, or says everything that is wrong with it and changes nothing. */
export async function addClient(ports: Ports, input: unknown): Promise<Registered> {
  const { type, ...given } = (input ?? {}) as Record<string, unknown>
  const parsed = newSettings.safeParse({ ...given, kind: type })
  if (!parsed.success) return { kind: 'rejected', problems: asType(problemsOf(parsed.error)) }
  // Its schema says all that is in it.
  const settings = parsed.data as Partial<Settings> & Pick<Settings, 'name' | 'kind'>
  const outcome = await register(ports, operator(ports), settings)
  if (outcome.kind === 'rejected') return outcome
  if (outcome.kind !== 'done') throw new Error(`an operator was told ${outcome.kind}`)
  return { kind: 'created', registration: registrationOf(outcome.value) }
}

const asType = (problems: FieldProblem[]) =>
  problems.map((one) => (one.field === 'kind' ? { ...one, field: 'type' } : one))

/** As RFC 7591 §3.2.1 answers. */
const registrationOf = ({ row, secret }: Made): Record<string, unknown> => ({
  ...describe(row),
  // 0: it does not expire.
  ...(secret ? { client_secret: secret, client_secret_expires_at: row.secretExpiresAt ?? 0 } : {}),
})

/**
 * A new secret; the old one stops working within a second in every process. Undefined for an unknown client or
 * one without a secret.
 */
export async function rotateSecret(
  ports: Omit<Ports, 'resources'>,
  id: string,
): Promise<Record<string, unknown> | undefined> {
  const outcome = await addSecret(ports, operator(ports), { id, keep: 0 })
  if (outcome.kind !== 'done') return undefined
  const row = await ports.store.clients.find(id)
  return row && registrationOf({ row, secret: outcome.value.secret })
}

/** Removes an app and ends everything issued to it. False if there is no such client. */
export async function removeClient(ports: Omit<Ports, 'resources'>, id: string): Promise<boolean> {
  const by = operator(ports)
  const outcome = await changing(ports, by, id, async (tables, row) =>
    (await takeAway(tables, row, by)) ? done({}) : { kind: 'unknown' },
  )
  return outcome.kind === 'done'
}
