/** Initial access tokens: who has one may register an app by itself, within what staff said when they made it. */

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { randomToken, sha256 } from '#lib/crypto.ts'
import { day, isoTime } from '#lib/time.ts'
import { isApiScope } from '#oidc/api-resource.ts'
import { initialTokenStates } from '#store/registrations.ts'
import type { InitialTokenRow } from '#store/store.ts'
import { resourceScopesOf } from '../clients/judge.ts'
import { staticScopes } from '../clients/registration.ts'
import { type Acting, done, type FieldProblem, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { time } from '../times.ts'
import { registrationPolicy } from './policy.ts'
import { isUsable } from './registry.ts'

export { initialTokenStates } from '#store/registrations.ts'

const tokenBounds = { uses: 1000, days: 365 } as const

export const newToken = z.strictObject({
  /** Whom it is for. */
  label: z.string().trim().min(1, 'must not be empty').max(100),
  ...registrationPolicy.shape,
  uses: z.number().int().min(1).max(tokenBounds.uses).default(1),
  days: z.number().int().min(1).max(tokenBounds.days).default(7),
})

export const shownToken = z.object({
  id: z.string(),
  label: z.string(),
  state: z.enum(initialTokenStates),
  ...registrationPolicy.shape,
  used: z.number(),
  usesLeft: z.number(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time,
})

/** As staff see it: never the token. */
export function shown(row: InitialTokenRow, at: number): z.input<typeof shownToken> {
  const { id, label, policy, used, usesLeft, createdAt, createdBy, expiresAt } = row
  const { kinds, scopes, hosts } = registrationPolicy.parse(policy)
  const state = isUsable(row, at)
    ? 'open'
    : row.revokedAt !== undefined
      ? 'revoked'
      : usesLeft === 0
        ? 'used-up'
        : 'expired'
  return {
    id,
    label,
    state,
    kinds,
    scopes,
    hosts,
    used,
    usesLeft,
    createdAt: isoTime(createdAt),
    createdBy,
    expiresAt: isoTime(expiresAt),
  }
}

function problemsOf(
  { kinds, hosts, scopes }: z.output<typeof newToken>,
  resources: AdminPorts['config']['site']['resources'],
): FieldProblem[] {
  const problems: FieldProblem[] = []
  const known = [...staticScopes, ...resourceScopesOf(resources)]
  for (const [i, scope] of scopes.entries()) {
    if (known.includes(scope)) continue
    const message = isApiScope(scope)
      ? 'is of our own API: no program gives that to itself'
      : 'is no scope we have'
    problems.push({ field: `scopes.${i}`, message, code: 'app-scope' })
  }
  if (hosts.length === 0 && kinds.some((kind) => kind === 'web' || kind === 'spa')) {
    const message = 'at least one is needed: web apps are sent people back to a host'
    problems.push({ field: 'hosts', message, code: 'registration-host-missing' })
  }
  return problems
}

/** The token is shown this once. */
export async function makeToken(
  { store, config }: Pick<AdminPorts, 'store' | 'config'>,
  by: Acting,
  wanted: z.output<typeof newToken>,
): Promise<Outcome<z.input<typeof shownToken> & { token: string }>> {
  if (!config.site.registration.dynamic) return { kind: 'refused', why: 'registration.off' }
  const problems = problemsOf(wanted, config.site.resources)
  if (problems.length > 0) return { kind: 'rejected', problems }
  const token = randomToken()
  const { label, kinds, scopes, hosts, uses, days } = wanted
  const row: InitialTokenRow = {
    id: randomUUID(),
    digest: sha256(token),
    label,
    policy: { kinds, scopes, hosts },
    usesLeft: uses,
    used: 0,
    createdAt: by.at,
    createdBy: by.actor,
    expiresAt: by.at + days * day,
  }
  await store.transaction(async (tables) => {
    await tables.registrations.makeToken(row)
    await tables.audit.record({
      at: by.at,
      actor: by.actor,
      action: 'registration.create-token',
      target: `registration:${row.id}`,
      outcome: 'ok',
      ...by.where,
      details: { kinds, scopes, hosts, uses, expires_at: row.expiresAt },
    })
  })
  return done({ ...shown(row, by.at), token })
}

/** Apps that were registered with it stay. Refused where it was revoked already. */
export async function revokeToken(
  { store }: Pick<AdminPorts, 'store'>,
  by: Acting,
  id: string,
): Promise<Outcome<{ id: string }>> {
  return store.transaction(async (tables): Promise<Outcome<{ id: string }>> => {
    if (!(await tables.registrations.findToken(id))) return { kind: 'unknown' }
    if (!(await tables.registrations.revokeToken(id, by.at))) {
      return { kind: 'refused', why: 'registration.revoked-already' }
    }
    await tables.audit.record({
      at: by.at,
      actor: by.actor,
      action: 'registration.revoke-token',
      target: `registration:${id}`,
      outcome: 'ok',
      ...by.where,
    })
    return done({ id })
  })
}
