/** Codes and access tokens of one pretend county: they go with the process. */
import { createHash } from 'node:crypto'
import { randomToken } from '#lib/crypto.ts'
import type { Now } from '#lib/time.ts'

export type Grant = { account: string; redirectUri: string; challenge: string | null }

const codeMs = 60_000
const tokenMs = 60 * 60_000

export function openGrants(now: Now) {
  const kept = new Map<string, { grant: Grant; until: number }>()
  const keep = (grant: Grant, lastsMs: number): string => {
    for (const [key, { until }] of kept) if (until <= now()) kept.delete(key)
    const key = randomToken()
    kept.set(key, { grant, until: now() + lastsMs })
    return key
  }
  const find = (key: string): Grant | undefined => {
    const found = kept.get(key)
    return found && found.until > now() ? found.grant : undefined
  }
  return {
    code: (grant: Grant) => keep(grant, codeMs),
    /** Good once, with what it was asked with. */
    redeem(sent: URLSearchParams): string | undefined {
      const code = sent.get('code') ?? ''
      const grant = find(code)
      kept.delete(code)
      const fits =
        grant &&
        sent.get('redirect_uri') === grant.redirectUri &&
        proves(grant.challenge, sent.get('code_verifier'))
      return fits ? keep(grant, tokenMs) : undefined
    },
    accountOf: (token: string) => find(token)?.account,
    tokenSeconds: tokenMs / 1000,
  }
}

/** PKCE, S256 (RFC 7636 §4.6). */
const proves = (challenge: string | null, verifier: string | null): boolean =>
  challenge === null ||
  challenge ===
    createHash('sha256')
      .update(verifier ?? '')
      .digest('base64url')
