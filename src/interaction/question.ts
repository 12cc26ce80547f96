/** What one authorization request still needs from the person, as plain data. */

/** An answer node-oidc-provider resumes with. */
export type Answer = {
  login?: { accountId: string; acr: string; amr: string[]; remember: boolean }
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
}

/** True when the app asked that the person proves herself anew (`prompt=login`, `max_age`). */
export const asksFreshSignIn = ({ prompt }: Question): boolean =>
  prompt.reasons.some((reason) => reason === 'login_prompt' || reason === 'max_age')
