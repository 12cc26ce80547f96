/** An app's secrets: at most two at a time, so that one can follow the other without an outage. */
import { randomToken, sha256 } from '#lib/crypto.ts'
import type { ClientRow } from '#store/store.ts'
import { type Acting, done, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { changedMeanwhile, changing, keepChange } from './changes.ts'
import { usesSecret } from './registration.ts'

const day = 24 * 60 * 60

/** Days the former one stays good while the app's machines take the new one over. */
export const keepDays = { usual: 14, most: 90 } as const
export const mostExpiryDays = 5 * 365

/** Shown this once, in the answer that made it. */
export type NewSecret = { id: string; secret: string; expiresAt?: number; formerExpiresAt?: number }

/** A secret for a row that needs one and has none, or for one it must not have any more. */
export function fitSecret(row: ClientRow, at: number): { row: ClientRow; secret?: string } {
  if (!usesSecret(row.metadata)) return { row: withoutSecrets(row) }
  if (row.secretHash !== undefined) return { row }
  const secret = randomToken()
  return { row: { ...row, secretHash: sha256(secret), secretCreatedAt: at }, secret }
}

/** The app as it is, with nothing to prove itself by. */
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

/** The second one still opens something. */
export const hasFormer = (row: ClientRow, at: number): boolean =>
  row.formerSecretHash !== undefined && (row.formerSecretExpiresAt ?? 0) > at

/**
 * A new secret. The one before it stays good for `keep` days, none at all for 0: then everything older ends within a
 * second. A third one is refused: who uses the oldest would be cut off unasked.
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

/** It does not live longer than it was to. */
function formerOf({ secretHash, secretExpiresAt }: ClientRow, until: number): Partial<ClientRow> {
  if (secretHash === undefined) return {}
  return {
    formerSecretHash: secretHash,
    formerSecretExpiresAt: Math.min(until, secretExpiresAt ?? until),
  }
}

/** The former one is not good any more. */
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
