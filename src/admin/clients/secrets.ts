/** An app's secrets: at most two at a time, so that one can follow the other without an outage. */
import { randomToken, sha256 } from '#lib/crypto.ts'
import { day } from '#lib/time.ts'
import type { ClientRow } from '#store/store.ts'
import { type Acting, done, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { changedMeanwhile, changing, keepChange } from './changes.ts'
import { usesSecret } from './registration.ts'

/** Days the former one stays good while the app's machines take the new one over. */
export const keepDays = { usual: 14, most: 90 } as const
export const mostExpiryDays = 5 * 365

/** Shown this once, in the answer that made it. */
export type NewSecret = { id: string; secret: string; expiresAt?: number; formerExpiresAt?: number }

/** The row with a new secret if it needs one and has none, or without the secrets it may no longer have. */
export function fitSecret(row: ClientRow, at: number): { row: ClientRow; secret?: string } {
  if (!usesSecret(row.metadata)) return { row: withoutSecrets(row) }
  if (row.secretHash !== undefined) return { row }
  const secret = randomToken()
  return { row: { ...row, secretHash: sha256(secret), secretCreatedAt: at }, secret }
}

/** The row without any secret. */
export const withoutSecrets = ({
  secretHash: _,
  secretCreatedAt: __,
  secretExpiresAt: ___,
  formerSecretHash: ____,
  formerSecretExpiresAt: _____,
  ...row
}: ClientRow): ClientRow => row

const withoutFormer = ({
  formerSecretHash: _,
  formerSecretExpiresAt: __,
  ...row
}: ClientRow): ClientRow => row

/** Whether the former secret is still good at `at`, in seconds since 1970. */
export const hasFormer = (row: ClientRow, at: number): boolean =>
  row.formerSecretHash !== undefined && (row.formerSecretExpiresAt ?? 0) > at

/**
 * Makes a new secret, which ends after `expires` days if that is given. The present one stays good for `keep` days; with
 * 0 every older one ends within a second. Refused while a former one is still good: whoever uses that would be cut off.
 */
export async function addSecret(
  ports: Pick<AdminPorts, 'store' | 'provider'>,
  by: Acting,
  { id, keep, expires }: { id: string; keep: number; expires?: number | undefined },
): Promise<Outcome<NewSecret>> {
  return changing(ports, by, id, async (tables, row) => {
    if (!usesSecret(row.metadata)) return { kind: 'refused', why: 'clients.no-secret' }
    if (keep > 0 && hasFormer(row, by.at)) return { kind: 'refused', why: 'clients.two-secrets' }
    const secret = randomToken()
    const expiresAt = expires === undefined ? undefined : by.at + expires * day
    const next: ClientRow = {
      ...withoutSecrets(row),
      secretHash: sha256(secret),
      secretCreatedAt: by.at,
      ...(expiresAt === undefined ? {} : { secretExpiresAt: expiresAt }),
      ...(keep > 0 ? formerOf(row, by.at + keep * day) : {}),
    }
    const details = { keepDays: keep, ...(expires === undefined ? {} : { expiresDays: expires }) }
    const kept = await keepChange(tables, row, next, by, { because: 'secret', details })
    if (!kept) return changedMeanwhile
    const { formerSecretExpiresAt: formerExpiresAt } = kept
    return done({
      id,
      secret,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(formerExpiresAt === undefined ? {} : { formerExpiresAt }),
    })
  })
}

/** The present secret as the former one, good until `until` or until its own end, if that comes first. */
function formerOf({ secretHash, secretExpiresAt }: ClientRow, until: number): Partial<ClientRow> {
  if (secretHash === undefined) return {}
  return {
    formerSecretHash: secretHash,
    formerSecretExpiresAt: Math.min(until, secretExpiresAt ?? until),
  }
}

/** Ends the former secret at once. */
export async function dropFormer(
  ports: Pick<AdminPorts, 'store' | 'provider'>,
  by: Acting,
  id: string,
): Promise<Outcome<{ id: string }>> {
  return changing(ports, by, id, async (tables, row) => {
    if (row.formerSecretHash === undefined) return { kind: 'refused', why: 'clients.one-secret' }
    const change = { because: 'secret-drop' } as const
    const kept = await keepChange(tables, row, withoutFormer(row), by, change)
    return kept ? done({ id }) : changedMeanwhile
  })
}
