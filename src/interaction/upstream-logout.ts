/** Sessions here and at an upstream end together: it tells us of a sign-out there, and we take people there to sign out. */
import { UpstreamError } from '#errors.ts'
import { isHost } from '#federation/claimed-id.ts'
import type { Connector, LogoutHeard, UpstreamIdentity } from '#federation/connector.ts'
import { randomToken, seal, sha256, unseal } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import { endSessions } from '#oidc/sessions.ts'
import type { UpstreamSession } from '#oidc/upstream-session.ts'
import type { Circumstances, Store } from '#store/store.ts'

const hintContext = 'session.upstream.hint'
const onwardContext = (id: string) => `upstream_trip.onward.${id}`
/** A way back from a sign-out is none from a sign-in, nor the other way round: both are trips. */
const placeOf = (connector: string) => `${connector} sign-out`
const sessionId = (issuer: string, sid: string) => sha256(`${issuer}\n${sid}`)

/** What a session of ours remembers of the upstream it stands on. */
export function standsOn(
  { connector, issuer, subject, session }: Standing,
  dataKey: Buffer,
): UpstreamSession {
  const { sid, hint, signsOut } = session ?? {}
  return {
    connector,
    issuer,
    subject,
    ...(sid === undefined ? {} : { sid }),
    ...(signsOut ? { signsOut } : {}),
    ...(hint === undefined ? {} : { hint: seal(dataKey, hint, hintContext) }),
  }
}
export type Standing = Pick<UpstreamIdentity, 'connector' | 'issuer' | 'subject' | 'session'>

/** Whose session it is, where the upstream tells its sessions apart. One statement, and none where it does not. */
export async function keepUpstreamSession(
  { upstreamSessions }: Pick<Store, 'upstreamSessions'>,
  { issuer, session }: Standing,
  accountId: string,
  expiresAt: number,
): Promise<void> {
  if (session?.sid === undefined) return
  await upstreamSessions.keep({ id: sessionId(issuer, session.sid), accountId, expiresAt })
}

type Ended = Extract<LogoutHeard, { kind: 'ended' }>

/**
 * Ends the sessions that stand on what ended there, and tells their apps. How many. An upstream that names a subject
 * ends all that came from there; nobody's sessions at another upstream, nor those begun with a password here.
 */
export async function endFromUpstream(
  store: Pick<Store, 'transaction' | 'identities' | 'upstreamSessions'>,
  connector: string,
  { issuer, subject, sid }: Ended,
  { at, where }: { at: number; where: Circumstances },
): Promise<number> {
  const accountId = await whose(store, { issuer, subject, sid })
  if (accountId === undefined) return 0
  return store.transaction(async (tables) => {
    const upstream = {
      issuer,
      ...(subject === undefined ? {} : { subject }),
      ...(sid === undefined ? {} : { sid }),
    }
    const ended = await endSessions(tables, accountId, at, { upstream })
    await tables.audit.record({
      at,
      actor: `upstream:${connector}`,
      action: 'session.sign-out',
      target: accountId,
      outcome: 'ok',
      ...where,
      details: { connector, sessionsEnded: ended },
    })
    return ended
  })
}

async function whose(
  { identities, upstreamSessions }: Pick<Store, 'identities' | 'upstreamSessions'>,
  { issuer, subject, sid }: Pick<Ended, 'issuer' | 'subject' | 'sid'>,
): Promise<string | undefined> {
  const linked = subject === undefined ? undefined : await identities.find(issuer, subject)
  if (linked || sid === undefined) return linked?.account.id
  // Unlinked meanwhile: what she signed in to by it goes on.
  return upstreamSessions.find(sessionId(issuer, sid))
}

export type LeavePorts = {
  store: Pick<Store, 'trips'>
  now: Now
  dataKey: Buffer
  connectors: ReadonlyMap<string, Connector>
  ownAddresses: (connector: string) => { logout: string }
  tripSeconds: number
}

/** There was a page people sign out at when she signed in. */
export const canSignOut = (
  { connectors }: Pick<LeavePorts, 'connectors'>,
  session: UpstreamSession | undefined,
): session is UpstreamSession =>
  session?.signsOut === true && connectors.get(session.connector)?.signOut !== undefined

export type SigningOut =
  | { kind: 'leave'; url: string; state: string }
  /** It has no such page after all. */
  | { kind: 'stay' }
  | { kind: 'failed'; cause: UpstreamError }

/** Off to sign out there. `onward` is where she goes when she is back. */
export async function leaveToSignOut(
  { store, now, dataKey, connectors, ownAddresses, tripSeconds }: LeavePorts,
  session: UpstreamSession,
  { device, onward }: { device: string; onward: string },
): Promise<SigningOut> {
  const { connector: id, hint } = session
  const connector = connectors.get(id)
  if (!connector?.signOut) return { kind: 'stay' }
  const state = randomToken()
  try {
    const url = await connector.signOut({
      ...(hint === undefined ? {} : { hint: unseal(dataKey, hint, hintContext) }),
      returnTo: ownAddresses(id).logout,
      state,
    })
    if (url === undefined) return { kind: 'stay' }
    checkListed(connector, new URL(url))
    const trip = sha256(state)
    await store.trips.leave({
      id: trip,
      connector: placeOf(id),
      device,
      memo: seal(dataKey, onward, onwardContext(trip)),
      expiresAt: seconds(now) + tripSeconds,
    })
    return { kind: 'leave', url, state }
  } catch (cause) {
    if (cause instanceof UpstreamError) return { kind: 'failed', cause }
    throw cause
  }
}

/** A browser follows a form's redirect only where the page said that it might lead: she would be stuck on it. */
function checkListed({ id, origins }: Connector, { origin, protocol, host }: URL): void {
  const isListed = origins.some((one) => {
    const [scheme, listed = ''] = one.split('//')
    return protocol === scheme && isHost(host, listed)
  })
  if (isListed) return
  const message = `sign-out: its page is at ${origin}, which settings.sign_in_origins does not name`
  throw new UpstreamError(id, 'nonsense', message)
}

/** Where she goes on to who is back from signing out; undefined for whoever did not leave from this browser. */
export async function backFromSignOut(
  { store, now, dataKey }: Pick<LeavePorts, 'store' | 'now' | 'dataKey'>,
  { connector, device, state }: { connector: string; device: string; state: string },
): Promise<string | undefined> {
  const from = { connector: placeOf(connector), device }
  const trip = await store.trips.arrive(sha256(state), from, seconds(now))
  return trip && unseal(dataKey, trip.memo, onwardContext(trip.id))
}
