/** A person's sessions as she sees them, and how they are ended from outside of them. */
import type { Store, Tables } from '#store/store.ts'
import { putFarewell } from './backchannel.ts'
import type { UpstreamSession } from './upstream-session.ts'

/** From where a browser was last heard of in a session. */
export type Seen = {
  /** Seconds since 1970. */
  at: number
  /** What it says it is. */
  agent?: string
  address?: string
}

export type SessionSummary = {
  /** Stays the same while the session's cookie changes; opens nothing. */
  uid: string
  signedInAt: number
  lastSeenAt?: number
  acr?: string
  amr?: string[]
  /** It stands on a sign-in at an upstream. */
  federated: boolean
  agent?: string
  address?: string
  /** The apps she signed in to with it. */
  clients: string[]
}

/** What node-oidc-provider and the adapter keep of a session, as far as we read it. */
type SessionPayload = {
  uid?: string
  iat?: number
  loginTs?: number
  acr?: string
  amr?: string[]
  seen?: Seen
  upstream?: UpstreamSession
  authorizations?: Record<string, { sid?: string; grantId?: string; persistsLogout?: boolean }>
}

/** Those that have not ended, the one heard of last first. */
export async function listSessions(
  { payloads }: Pick<Store, 'payloads'>,
  accountId: string,
  at: number,
): Promise<SessionSummary[]> {
  const rows = await payloads.sessionsOf(accountId, at)
  const moment = (one: SessionSummary) => one.lastSeenAt ?? one.signedInAt
  return rows
    .map(({ payload }) => summary(payload as SessionPayload))
    .sort((a, b) => moment(b) - moment(a))
}

function summary({
  uid = '',
  acr,
  amr,
  seen,
  upstream,
  authorizations = {},
  ...times
}: SessionPayload) {
  const shown: SessionSummary = {
    uid,
    signedInAt: sessionBegan(times),
    federated: upstream !== undefined,
    clients: Object.keys(authorizations),
  }
  if (acr) shown.acr = acr
  if (amr) shown.amr = amr
  if (seen) Object.assign(shown, { lastSeenAt: seen.at, agent: seen.agent, address: seen.address })
  return shown
}

/** An upstream may have seen the person long ago: a session counts from when it began here. */
export const sessionBegan = ({ loginTs = 0, iat = 0 }: { loginTs?: number; iat?: number }) =>
  Math.max(loginTs, iat)

/**
 * Ends a person's sessions: all, all but one, one, or those that stand on a session at an upstream. Call it inside a transaction: each app that wants to hear of it
 * is told, and what was issued in the session ends with it, save what she let an app keep (`offline_access`).
 * How many ended.
 */
export async function endSessions(
  tables: Pick<Tables, 'payloads' | 'outbox'>,
  accountId: string,
  at: number,
  { exceptUid, onlyUid, upstream }: Which = {},
): Promise<number> {
  // A sign-in that was made and not gone on with yet would become a session of its own.
  if (onlyUid === undefined) await tables.payloads.destroyAnswersOf(accountId)
  const sessions = await tables.payloads.lockSessionsOf(accountId, at)
  let ended = 0
  for (const { id, payload } of sessions) {
    const { uid, authorizations = {}, upstream: from } = payload as SessionPayload
    if (uid === exceptUid || (onlyUid !== undefined && uid !== onlyUid)) continue
    if (upstream && !standsOn(from, upstream)) continue
    if (!(await tables.payloads.end(id, at))) continue
    ended++
    for (const [clientId, { sid, grantId, persistsLogout }] of Object.entries(authorizations)) {
      if (sid) await putFarewell(tables, { clientId, accountId, sid }, at)
      if (grantId && !persistsLogout) await tables.payloads.destroyGrant(grantId)
    }
  }
  return ended
}

type Which = {
  exceptUid?: string
  onlyUid?: string
  upstream?: Pick<UpstreamSession, 'issuer'> & Partial<Pick<UpstreamSession, 'subject' | 'sid'>>
}

const standsOn = (
  from: UpstreamSession | undefined,
  { issuer, subject, sid }: NonNullable<Which['upstream']>,
): boolean =>
  from?.issuer === issuer &&
  (subject === undefined || from.subject === subject) &&
  (sid === undefined || from.sid === undefined || from.sid === sid)

/** Ends what apps may do on her behalf, `offline_access` too: every grant with its codes and tokens. */
export const endGrants = ({ payloads }: Pick<Tables, 'payloads'>, accountId: string) =>
  payloads.destroyGrantsOf(accountId)
