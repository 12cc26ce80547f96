/** A trip to an upstream and back, bound to its errand and the browser it left from. */
import { checkSubject, type FederatedSignIn, signInFederated } from '#accounts/federated.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import type {
  Arrival,
  Connector,
  Departure,
  OwnAddresses,
  UpstreamIdentity,
} from '#federation/connector.ts'
import { randomToken, seal, sha256, unseal } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Circumstances, Store } from '#store/store.ts'
import type { TripRow } from '#store/trips.ts'
import { type Answer, asksFreshSignIn, type Login, type Question } from './question.ts'

/** What somebody is sent for. */
export type Errand =
  /** To sign in for this question. */
  | { kind: 'sign-in'; uid: string; remember?: boolean }
  /** For a step of an application. */
  | { kind: 'join'; application: string; step: string }
  /** To link the identity to the member who is signed in with this very session. */
  | { kind: 'link'; accountId: string; sessionUid: string }

export type TripPorts = {
  store: Store
  now: Now
  /** Seals what the trip must remember. */
  dataKey: Buffer
  /** Connected upstreams by id. */
  connectors: ReadonlyMap<string, Connector>
  /** The question, if it is still open. */
  findQuestion: (uid: string) => Promise<Question | undefined>
  ownAddresses: (connector: string) => Pick<OwnAddresses, 'callback' | 'password'>
  tripSeconds: number
  acr: string
  /** The enrolment somebody nobody knows goes through who comes from this connector, if there is one. */
  enrolmentOf: (connector: string) => string | undefined
}

export type Leaving =
  | { kind: 'leave'; url: string }
  | { kind: 'not-connected' }
  | { kind: 'failed'; failure: UpstreamFailure; cause: UpstreamError }

/** Starts a trip to sign in for a question. Nothing is kept when the upstream cannot be reached. */
export const leave = (
  ports: TripPorts,
  question: Question,
  { remember, ...where }: Where & { remember?: boolean },
): Promise<Leaving> =>
  leaveOn(
    ports,
    { kind: 'sign-in', uid: question.uid, ...(remember ? { remember } : {}) },
    { ...where, fresh: asksFreshSignIn(question) },
  )

type Where = { connector: ConnectorConfig['id']; device: string; locales: string[] }

/** Starts a trip on an errand. `fresh`: she is to prove herself there anew. */
export async function leaveOn(
  { store, now, dataKey, connectors, ownAddresses, tripSeconds }: TripPorts,
  errand: Errand,
  where: Where & { fresh: boolean },
): Promise<Leaving> {
  const connector = connectors.get(where.connector)
  if (!connector) return { kind: 'not-connected' }
  const state = randomToken()
  const addresses = ownAddresses(connector.id)
  try {
    const { url, memo } = await connector.begin({
      callbackUrl: addresses.callback,
      passwordUrl: addresses.password,
      state,
      fresh: where.fresh,
      locales: where.locales,
    })
    const id = sha256(state)
    await store.trips.leave({
      id,
      connector: connector.id,
      device: where.device,
      memo: seal(dataKey, JSON.stringify({ errand, memo } satisfies Luggage), context(id)),
      expiresAt: seconds(now) + tripSeconds,
    })
    return { kind: 'leave', url }
  } catch (cause) {
    if (cause instanceof UpstreamError) return { kind: 'failed', failure: cause.failure, cause }
    throw cause
  }
}

const context = (id: string) => `upstream_trip.memo.${id}`

/** `uid`: how the last release wrote an errand, all of which were sign-ins. */
type Luggage = { errand?: Errand; uid?: string; memo: Departure['memo'] }

export type Coming = Omit<Arrival, 'state'> & {
  connector: string
  /** What the trip is known by, wherever the protocol carries it. */
  state: string | undefined
  device: string | undefined
  circumstances: Circumstances
}

export type Return =
  | { kind: 'finish'; uid: string; question: Question; answer: Answer; created: boolean }
  /** Nobody here knows her: she may join through this enrolment. */
  | { kind: 'newcomer'; uid: string; enrolment: string; identity: UpstreamIdentity }
  /** Whom the trip brought, for an errand that is no sign-in. */
  | { kind: 'brought'; errand: Exclude<Errand, { kind: 'sign-in' }>; identity: UpstreamIdentity }
  | { kind: 'lost'; why: 'unknown' | 'used' | 'expired' | 'other-browser'; errand?: Errand }
  | { kind: 'interaction-over'; uid: string }
  | { kind: 'not-connected'; errand: Errand }
  | { kind: 'failed'; errand: Errand; failure: UpstreamFailure; cause: UpstreamError }
  | {
      kind: 'barred'
      uid: string
      /** How she would sign in, were she let. She has proved that it is she. */
      login: Login
      status: (FederatedSignIn & { kind: 'barred' })['status']
    }

/** Takes the trip out once and finishes it. */
export async function comeBack(
  ports: TripPorts,
  { connector, state, device, circumstances, ...arrival }: Coming,
): Promise<Return> {
  const { store, now, dataKey, connectors, findQuestion } = ports
  if (!state) return { kind: 'lost', why: 'unknown' }
  const id = sha256(state)
  const from = { connector, device: device ?? '' }
  const trip = await store.trips.arrive(id, from, seconds(now))
  if (!trip) return whyLost(ports, id, { connector, device })
  const { errand, memo } = readLuggage(dataKey, trip)
  const form =
    trip.parked === undefined
      ? {}
      : { form: new URLSearchParams(unseal(dataKey, trip.parked, parkedContext(id))) }
  const question = errand.kind === 'sign-in' ? await findQuestion(errand.uid) : undefined
  if (errand.kind === 'sign-in' && !question) return { kind: 'interaction-over', uid: errand.uid }
  const upstream = connectors.get(connector)
  if (!upstream) return { kind: 'not-connected', errand }

  try {
    const identity = await upstream.complete({ ...arrival, ...form, state }, memo)
    if (question && errand.kind === 'sign-in') {
      return await signIn(ports, { question, errand, identity, circumstances })
    }
    checkSubject(identity)
    return { kind: 'brought', errand: errand as Exclude<Errand, { kind: 'sign-in' }>, identity }
  } catch (cause) {
    if (cause instanceof UpstreamError) {
      await store.audit.record({
        at: seconds(now),
        actor: 'unknown',
        action: question ? 'session.sign-in' : 'identity.prove',
        ...(question ? { target: `client:${question.clientId}` } : {}),
        outcome: cause.failure,
        ...circumstances,
        details: { way: 'upstream', connector },
      })
      return { kind: 'failed', errand, failure: cause.failure, cause }
    }
    throw cause
  }
}

/**
 * Keeps the form an upstream sent the browser back with until the browser, which brought no cookie of ours along with
 * it, asks again. False if no trip waits for it.
 */
export async function park(
  { store, now, dataKey }: Pick<TripPorts, 'store' | 'now' | 'dataKey'>,
  { connector, state, form }: { connector: string; state: string; form: URLSearchParams },
): Promise<boolean> {
  const id = sha256(state)
  const sealed = seal(dataKey, form.toString(), parkedContext(id))
  return store.trips.park(id, connector, sealed, seconds(now))
}

const parkedContext = (id: string) => `upstream_trip.parked.${id}`

type Arrived = {
  question: Question
  errand: Extract<Errand, { kind: 'sign-in' }>
  identity: UpstreamIdentity
  circumstances: Circumstances
}

async function signIn(
  { store, now, acr, enrolmentOf }: TripPorts,
  { question, errand, identity, circumstances }: Arrived,
): Promise<Return> {
  const { uid } = question
  const where = { ...circumstances, clientId: question.clientId }
  const enrolment = enrolmentOf(identity.connector)
  const newcomers = enrolment === undefined ? 'create' : 'tell'
  const signedIn = await signInFederated(store, identity, now, where, newcomers)
  const remember = errand.remember === true
  const login = (accountId: string) =>
    loginOf(accountId, identity, { acr, remember, at: seconds(now) })
  switch (signedIn.kind) {
    case 'unknown':
      if (enrolment === undefined) throw new Error('a newcomer nobody asked to be told of')
      return { kind: 'newcomer', uid, enrolment, identity }
    case 'barred': {
      const { accountId, status } = signedIn
      return { kind: 'barred', uid, login: login(accountId), status }
    }
    case 'signed-in': {
      const answer = { login: login(signedIn.accountId), select_account: {} }
      return { kind: 'finish', uid, question, answer, created: signedIn.created }
    }
  }
}

/** How an identity signs its account in. */
export const loginOf = (
  accountId: string,
  { amr, authTime }: Pick<UpstreamIdentity, 'amr' | 'authTime'>,
  { acr, remember, at }: { acr: string; remember: boolean; at: number },
): Login => ({
  accountId,
  acr,
  amr: amr ?? ['fed'],
  // School computers are shared: unless she says otherwise the session ends with the browser.
  remember,
  // When the county saw her, if it says so: the app is told the truth.
  ts: Math.min(authTime ?? Infinity, at),
})

function readLuggage(dataKey: Buffer, { id, memo }: TripRow): Required<Omit<Luggage, 'uid'>> {
  const luggage: Luggage = JSON.parse(unseal(dataKey, memo, context(id)))
  const { errand = { kind: 'sign-in', uid: luggage.uid ?? '' } } = luggage
  return { errand, memo: luggage.memo }
}

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
  const { errand } = readLuggage(dataKey, trip)
  return { kind: 'lost', why: trip.usedAt === undefined ? 'expired' : 'used', errand }
}
