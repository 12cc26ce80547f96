/** Takes logout tokens to apps (OpenID Connect Back-Channel Logout 1.0 §2.5). */
import type { Outcome } from '#lib/delivery.ts'
import type { Farewell, LogoutTokens } from '#oidc/backchannel.ts'
import type { Courier } from './deliver.ts'
import { reaching } from './reaching.ts'

/** `fetch` is the guarded one: whoever registers an app must not learn what listens inside our network. */
export function openLogoutCourier(ports: { tokens: LogoutTokens; fetch: typeof fetch }): Courier {
  return {
    kind: 'backchannel-logout',
    atOnce: 32,
    patienceSeconds: 10,
    async deliver({ id, payload }, signal) {
      const made = await ports.tokens(payload as Farewell, id)
      // The app was removed, or no longer wants to hear of it.
      if (!made) return { kind: 'delivered' }
      return reaching(async () => {
        const { status } = await ports.fetch(made.uri, {
          method: 'POST',
          redirect: 'manual',
          // Bare: left to itself, fetch adds a charset, and some apps compare the whole header.
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ logout_token: made.token }),
          signal,
        })
        return judge(status)
      })
    },
  }
}

function judge(status: number): Outcome {
  if (status === 200 || status === 204) return { kind: 'delivered' }
  return { kind: status === 400 ? 'refused' : 'failed', why: `it answered ${status}` }
}
