/** A trip to an upstream and back, bound to the interaction and the browser it left from. */
import { type FederatedSignIn, signInFederated } from '#accounts/federated.ts'
import type { ConnectorConfig } from '#config/schema.ts'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import type { Connector, Departure } from '#federation/connector.ts'
import { randomToken, seal, sha256, unseal } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Circumstances, Store } from '#store/store.ts'
import type { TripRow } from '#store/trips.ts'
import { type Answer, asksFreshSignIn, type Question } from './question.ts'

export type TripPorts = {
  store: Store
  now: Now
  /** Seals what the trip must remember. */
  dataKey: Buffer
  /** Connected upstreams by id. */
  connectors: ReadonlyMap<string, Connector>
  /** The question, if it is still open. */
  findQuestion: (uid: string) => Promise<Question | undefined>
  callbackUrl: (connector: string) => string
  tripSeconds: number
  acr: string
}

export type Leaving =
  | { kind: 'leave'; url: string }
  | { kind: 'not-connected' }
  | { kind: 'failed'; failure: UpstreamFailure; cause: UpstreamError }

/** Starts a trip. Nothing is kept when the upstream cannot be reached. */
export async function leave(
  { store, now, dataKey, connectors, callbackUrl, tripSeconds }: TripPorts,
  question: Question,
  where: { connector: ConnectorConfig['id']; device: string; locales: string[] },
): Promise<Leaving> {
  const connector = connectors.get(where.connector)
  if (!connector) return { kind: 'not-connected' }
  const state = randomToken()
  try {
    const { url, memo } = await connector.begin({
      callbackUrl: callbackUrl(connector.id),
      state,
      fresh: asksFreshSignIn(question),
      locales: where.locales,
    })
    const id = sha256(state)
    await store.trips.leave({
      id,
      connector: connector.id,
      device: where.device,
      memo: seal(dataKey, JSON.stringify({ uid: question.uid, memo }), context(id)),
      expiresAt: seconds(now) + tripSeconds,
    })
    return { kind: 'leave', url }
  } catch (cause) {
    if (cause instanceof UpstreamError) return { kind: 'failed', failure: cause.failure, cause }
    throw cause
  }
}

const context = (id: string) => `upstream_trip.memo.${id}`

export type Coming = {
  connector: string
  /** The callback address from configuration with the query it came with. */
  url: URL
  device: string | undefined
  circumstances: Circumstances
}

export type Return =
  | { kind: 'finish'; uid: string; question: Question; answer: Answer; created: boolean }
  | { kind: 'lost'; why: 'unknown' | 'used' | 'expired' | 'other-browser'; uid?: string }
  | { kind: 'interaction-over'; uid: string }
  | { kind: 'not-connected'; uid: string }
  | { kind: 'failed'; uid: string; failure: UpstreamFailure; cause: UpstreamError }
  | { kind: 'barred'; uid: string; status: (FederatedSignIn & { kind: 'barred' })['status'] }

/** Takes the trip out once and finishes it. */
export async function comeBack(
  ports: TripPorts,
  { connector, url, device, circumstances }: Coming,
): Promise<Return> {
  const { store, now, dataKey, connectors, findQuestion, acr } = ports
  const state = url.searchParams.get('state')
  if (!state) return { kind: 'lost', why: 'unknown' }
  const id = sha256(state)
  const from = { connector, device: device ?? '' }
  const trip = await store.trips.arrive(id, from, seconds(now))
  if (!trip) return whyLost(ports, id, { connector, device })
  const { uid, memo } = readMemo(dataKey, trip)
  const question = await findQuestion(uid)
  if (!question) return { kind: 'interaction-over', uid }
  const upstream = connectors.get(connector)
  if (!upstream) return { kind: 'not-connected', uid }

  try {
    const identity = await upstream.complete({ url, state }, memo)
    const where = { ...circumstances, clientId: question.clientId }
    const signIn = await signInFederated(store, identity, now, where)
    if (signIn.kind === 'barred') return { kind: 'barred', uid, status: signIn.status }
    const login = {
      accountId: signIn.accountId,
      acr,
      amr: identity.amr ?? ['fed'],
      // School computers are shared: the session ends with the browser.
      remember: false,
      // When the county saw her, if it says so: the app is told the truth.
      ts: Math.min(identity.authTime ?? Infinity, seconds(now)),
    }
    const answer = { login, select_account: {} }
    return { kind: 'finish', uid, question, answer, created: signIn.created }
  } catch (cause) {
    if (cause instanceof UpstreamError) {
      await store.audit.record({
        at: seconds(now),
        actor: 'unknown',
        action: 'session.sign-in',
        target: `client:${question.clientId}`,
        outcome: cause.failure,
        ...circumstances,
        details: { way: 'upstream', connector },
      })
      return { kind: 'failed', uid, failure: cause.failure, cause }
    }
    throw cause
  }
}

const readMemo = (
  dataKey: Buffer,
  { id, memo }: TripRow,
): { uid: string; memo: Departure['memo'] } => JSON.parse(unseal(dataKey, memo, context(id)))

/** Why a trip could not be taken out. */
async function whyLost(
  { store, dataKey }: TripPorts,
  id: string,
  { connector, device }: Pick<Coming, 'connector' | 'device'>,
): Promise<Return> {
  const trip = await store.trips.find(id)
  // Another connector's state is as good as none: an answer counts only where it was asked (RFC 9700 §4.4).
  if (!trip || trip.connector !== connector) return { kind: 'lost', why: 'unknown' }
  // No cookie and no match are one case: a trip belongs to the browser it left from.
  if (trip.device !== device) return { kind: 'lost', why: 'other-browser' }
  const { uid } = readMemo(dataKey, trip)
  return { kind: 'lost', why: trip.usedAt === undefined ? 'expired' : 'used', uid }
}
