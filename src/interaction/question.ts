/** What one authorization request still needs from the person, as plain data. */
import type { UpstreamSession } from '#oidc/upstream-session.ts'

/** How somebody signed in. */
export type Login = {
  accountId: string
  acr: string
  amr: string[]
  remember: boolean
  /** Seconds since 1970 when the person proved herself: `auth_time`. */
  ts: number
  /** The session at an upstream it stands on, if that can be ended. */
  upstream?: UpstreamSession
}

/** An answer node-oidc-provider resumes with. */
export type Answer = {
  login?: Login
  second_factor?: Record<string, never>
  agreement?: Record<string, never>
  select_account?: Record<string, never>
  affiliation?: Record<string, never>
  consent?: Record<string, never>
  error?: string
  error_description?: string
}

export type Question = {
  uid: string
  prompt: { name: string; reasons: string[]; details: Record<string, unknown> }
  /** The authorization request's parameters. */
  params: Record<string, string | undefined>
  clientId: string
  /** Who is signed in already, if anyone. */
  accountId?: string
  /** Somebody signed in for this request already, and it was not enough. */
  signedInBefore: boolean
}

/** True when the person is to prove herself anew: the app asked (`prompt=login`, `max_age`), or she wants another account. */
export const asksFreshSignIn = ({ prompt }: Question): boolean =>
  prompt.name === 'select_account' ||
  prompt.reasons.some((reason) => reason === 'login_prompt' || reason === 'max_age')
