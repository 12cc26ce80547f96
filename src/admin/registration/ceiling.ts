/** What staff take away from an app that registered itself it does not take back, and what they give it may keep. */
import type { Metadata } from '#oidc/registration.ts'
import type { HeldPolicy } from './policy.ts'

/** By RFC 7591's names. */
export const ceilings = {
  redirect_uris: 'redirectUris',
  post_logout_redirect_uris: 'postLogoutRedirectUris',
} as const

const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []

/** Undefined: it does not say. */
function scopesIn({ scope, resource_scopes: others }: Metadata): string[] | undefined {
  if (typeof scope !== 'string') return undefined
  return [...scope.split(' '), ...textsIn(others)].filter((one) => one !== '' && one !== 'openid')
}

/** The policy after staff changed the registration from `before` to `after`. */
export function afterStaff(policy: HeldPolicy, before: Metadata, after: Metadata): HeldPolicy {
  const was = scopesIn(before)
  const now = scopesIn(after)
  const next = { ...policy }
  if (was && now) {
    const kept = policy.scopes.filter((one) => now.includes(one) || !was.includes(one))
    next.scopes = [...new Set([...kept, ...now.filter((one) => !was.includes(one))])]
  }
  for (const name of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
    const left = textsIn(after[name])
    const isNarrower = textsIn(before[name]).some((one) => !left.includes(one))
    if (isNarrower || policy[ceilings[name]]) next[ceilings[name]] = left
  }
  return next
}

/** Whether it still is what the app may be: it was judged a moment ago, and staff may have been faster. */
export const isWithin = (metadata: Metadata, policy: HeldPolicy): boolean =>
  (scopesIn(metadata) ?? []).every((one) => policy.scopes.includes(one)) &&
  (['redirect_uris', 'post_logout_redirect_uris'] as const).every((name) => {
    const most = policy[ceilings[name]]
    return !most || textsIn(metadata[name]).every((one) => most.includes(one))
  })
