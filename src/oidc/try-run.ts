/**
 * A sign-in to somebody else's app that staff run to see what it gets. It comes back to us: to an address that is no
 * app's, and that only the browser which began the run may name, for minutes, in a request it was given.
 */
import { type Client, Provider } from 'oidc-provider'
import { equalInConstantTime, hmac, randomToken } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'

/** How long a run may take. */
export const trySeconds = 10 * 60

export const tryCallback = (issuer: string): string => `${issuer}/admin/clients/try`

type Run = { device: string; clientId: string; codeChallenge: string; expiresAt: number }

const sealed = (key: Buffer, random: string, run: Run) =>
  hmac(
    key,
    JSON.stringify([
      'try',
      random,
      run.device,
      run.clientId,
      run.codeChallenge,
      String(run.expiresAt),
    ]),
  )

/** What a run is known by: nobody else can make one. */
export function tryState(key: Buffer, run: Run): string {
  const random = randomToken()
  return [run.expiresAt, random, sealed(key, random, run)].join('.')
}

function isRun(key: Buffer, state: unknown, run: Omit<Run, 'expiresAt'>, at: number): boolean {
  const [until = '', random = '', seal = ''] = typeof state === 'string' ? state.split('.') : []
  const expiresAt = Number(until)
  return at < expiresAt && equalInConstantTime(seal, sealed(key, random, { ...run, expiresAt }))
}

/**
 * Lets a run's request name our address, beside the app's own. Whoever else names it, in another browser, with another
 * app or proof key, later, or in a request that is pushed, is turned away before anybody is asked anything; and what
 * comes back there is exchanged for one who holds the run's own proof key only.
 */
export function letStaffTry(
  { Client: clients }: Provider,
  { issuer, key, now }: { issuer: string; key: Buffer; now: Now },
): void {
  const { redirectUriAllowed } = clients.prototype
  const callback = tryCallback(issuer)
  clients.prototype.redirectUriAllowed = function (this: Client, uri) {
    if (redirectUriAllowed.call(this, uri)) return true
    const { ctx } = Provider
    if (uri !== callback || ctx?.oidc.route !== 'authorization') return false
    const { params = {} } = ctx.oidc
    if (params.response_type !== 'code' || params.response_mode !== undefined) return false
    const { device } = ctx.state
    if (typeof device !== 'string' || params.code_challenge_method !== 'S256') return false
    const run = { device, clientId: this.clientId, codeChallenge: String(params.code_challenge) }
    return isRun(key, params.state, run, seconds(now))
  }
}
