/** A trip to an upstream and back, bound to its errand and the browser it left from. */
import { randomUUID } from 'node:crypto'
import { checkSubject } from '#accounts/attach-identity.ts'
import type { FederatedSignIn } from '#accounts/federated.ts'
import type { Fingerprints, StaffAlerts } from '#accounts/fingerprint.ts'
import type { Linking } from '#accounts/link-offer.ts'
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
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Circumstances, Store } from '#store/store.ts'
import type { TripRow } from '#store/trips.ts'
import { signIn } from './arrival.ts'
import type { OpenOffer } from './link-offers.ts'
import { type Answer, asksFreshSignIn, type Login, type Question } from './question.ts'

/** What somebody is sent for. */
export type Errand =
  /** To sign in for this question. */
  | {
      kind: 'sign-in'
      uid: string
      remember?: boolean
      /** To the account a link offer is about: its mark. */
      offer?: string
    }
  /** For a step of an application. */
  | { kind: 'join'; application: string; step: string }
  /**
   * To link the identity to the member who is signed in with this very session or, with `merge`, to show that the account
   * it signs in to is hers as well.
   */
  | { kind: 'link'; accountId: string; sessionUid: string; merge?: true }
  /**
   * To see what it says of somebody: staff try it out. Nobody is signed in by it and nothing is linked. Its fields have
   * names of their own: to the last release, which does not know it, it is an errand of nobody's session.
   */
  | { kind: 'test'; connector: string; staff: string; leftAt: number }

export type TestErrand = Extract<Errand, { kind: 'test' }>

export type TripPorts = {
  store: Store
  now: Now
  /** Seals what the trip must remember. */
  dataKey: Buffer
  /** Connected upstreams by id: those people may use now. */
  connectors: ReadonlyMap<string, Connector>
  /** All that have credentials, also those switched off and those whose day it is not: staff test them. */
  opened: ReadonlyMap<string, Connector>
  /** The question, if it is still open. */
  findQuestion: (uid: string) => Promise<Question | undefined>
  ownAddresses: (connector: string) => OwnAddresses
  tripSeconds: number
  acr: string
  /** The longest a session here may stand on one there. */
  upstreamSessionSeconds: number
  /** The enrolment somebody nobody knows goes through who comes from this connector, if there is one. */
  enrolmentOf: (connector: string) => string | undefined
  /** What becomes of somebody new from there whose address is an account's. */
  linkingOf: (connector: string) => Linking
  fingerprintOf: Fingerprints
  /** Who hears of a login that is somebody else's now. */
  staff: StaffAlerts
  log: Pick<Log, 'warn'>
}

export type Leaving =
  | { kind: 'leave'; url: string }
  | { kind: 'not-connected' }
  | { kind: 'failed'; failure: UpstreamFailure; cause: UpstreamError }

/** Starts a trip to sign in for a question. Nothing is kept when the upstream cannot be reached. */
export const leave = (
  ports: TripPorts,
  question: Question,
  { remember, offer, ...where }: Where & { remember?: boolean; offer?: string | undefined },
): Promise<Leaving> =>
  leaveOn(
    ports,
    {
      kind: 'sign-in',
      uid: question.uid,
      ...(remember ? { remember } : {}),
      ...(offer === undefined ? {} : { offer }),
    },
    // What is linked stays linked: a session somebody left there on a shared computer is not enough.
    { ...where, fresh: offer !== undefined || asksFreshSignIn(question) },
  )

type Where = { connector: ConnectorConfig['id']; device: string; locales: string[] }

/** Starts a trip on an errand. `fresh`: she is to prove herself there anew. */
export async function leaveOn(
  ports: TripPorts,
  errand: Errand,
  where: Where & { fresh: boolean },
): Promise<Leaving> {
  const { store, now, dataKey, ownAddresses, tripSeconds } = ports
  const connector = usableFor(ports, errand).get(where.connector)
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

/** Those an errand may be run at: once staff switch one off nobody comes in by it who left before, either. */
export const usableFor = ({ connectors, opened }: TripPorts, { kind }: Errand) =>
  kind === 'test' ? opened : connectors

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
  /** She is to say what becomes of it, on its own page. `said`: what came of her last answer. */
  | { kind: 'offer'; uid: string; said?: 'other-account' | 'unknown-there' | 'changed' }
  /** She has signed in to the account of the offer that waits: it is hers. */
  | { kind: 'link'; uid: string; question: Question; login: Login; offer: OpenOffer }
  /** Her login may have been somebody else's before. */
  | { kind: 'reused'; uid: string }
  /** Whom the trip brought, for an errand that is no sign-in. */
  | { kind: 'brought'; errand: BringingErrand; identity: UpstreamIdentity }
  /** What it said, for staff's eyes only; it took so many milliseconds to say it. */
  | { kind: 'tested'; errand: TestErrand; identity: UpstreamIdentity; took: number }
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

type BringingErrand = Extract<Errand, { kind: 'join' | 'link' }>

/** Takes the trip out once and finishes it. */
export async function comeBack(
  ports: TripPorts,
  { connector, state, device, circumstances, ...arrival }: Coming,
): Promise<Return> {
  const { store, now, dataKey, findQuestion } = ports
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
  const upstream = usableFor(ports, errand).get(connector)
  if (!upstream) return { kind: 'not-connected', errand }

  const began = now()
  try {
    const said = await upstream.complete({ ...arrival, ...form, state }, memo)
    // It may have taken its time to say so.
    if (!usableFor(ports, errand).has(connector)) return { kind: 'not-connected', errand }
    const identity = withoutValue(said, ports.fingerprintOf)
    if (question && errand.kind === 'sign-in') {
      const { remember = false, offer } = errand
      const place = { uid: question.uid, device: trip.device }
      return await signIn(ports, { question, place, offer, remember, identity, circumstances })
    }
    checkSubject(identity)
    if (errand.kind === 'test') return { kind: 'tested', errand, identity, took: now() - began }
    return { kind: 'brought', errand: errand as BringingErrand, identity }
  } catch (cause) {
    if (!(cause instanceof UpstreamError)) throw cause
    // Of a test its maker is told, and the trail by whoever tells her.
    if (errand.kind !== 'test')
      await recordFailure(ports, { connector, errand, question, cause, circumstances })
    return { kind: 'failed', errand, failure: cause.failure, cause }
  }
}

type Failed = Pick<Coming, 'connector' | 'circumstances'> & {
  errand: Errand
  question: Question | undefined
  cause: UpstreamError
}

/** So many failures of one upstream are recorded in so many seconds: anybody can come back with nonsense, many times. */
const recorded = { most: 200, seconds: 10 * 60 }

async function recordFailure(
  { store, now }: TripPorts,
  { connector, errand, question, cause, circumstances }: Failed,
): Promise<void> {
  const at = seconds(now)
  const { failure, stage, status } = cause
  await store.audit.record({
    at,
    actor: 'unknown',
    action: question ? 'session.sign-in' : 'identity.prove',
    ...(question ? { target: `client:${question.clientId}` } : {}),
    outcome: failure,
    ...circumstances,
    details: { way: 'upstream', connector },
  })
  const event = {
    id: randomUUID(),
    connector,
    at,
    kind: 'failure' as const,
    what: failure,
    ref: circumstances.ref ?? '',
    detail: {
      errand: errand.kind,
      ...(stage === undefined ? {} : { stage }),
      ...(status === undefined ? {} : { status }),
    },
  }
  const bounds = { since: at - recorded.seconds, most: recorded.most }
  await store.upstreamEvents.recordFailure(event, bounds)
}

/** Past here nobody knows the value itself: it may be a personal number, or lead to one. */
function withoutValue(identity: UpstreamIdentity, fingerprintOf: Fingerprints): UpstreamIdentity {
  const { connector, fingerprint } = identity
  if (fingerprint === undefined) return identity
  return { ...identity, fingerprint: fingerprintOf(connector, fingerprint) }
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

function readLuggage(dataKey: Buffer, { id, memo }: TripRow): Required<Omit<Luggage, 'uid'>> {
  const luggage: Luggage = JSON.parse(unseal(dataKey, memo, context(id)))
  const { errand = { kind: 'sign-in', uid: luggage.uid ?? '' } } = luggage
  return { errand, memo: luggage.memo }
}

export type UnderWay = { kind: 'under-way'; errand: Errand }

/** What a trip is for that has not come back yet. It stays where it is: our own form of an upstream shows it. */
export async function lookAt(
  ports: TripPorts,
  { connector, state, device }: Pick<Coming, 'connector' | 'state' | 'device'>,
): Promise<UnderWay | Extract<Return, { kind: 'lost' }>> {
  if (!state) return { kind: 'lost', why: 'unknown' }
  const id = sha256(state)
  const trip = await ports.store.trips.find(id)
  const isHers = trip?.connector === connector && trip.device === device
  if (trip && isHers && trip.usedAt === undefined && trip.expiresAt > seconds(ports.now))
    return { kind: 'under-way', errand: readLuggage(ports.dataKey, trip).errand }
  return whyLost(ports, id, { connector, device })
}

/** Why a trip could not be taken out. */
async function whyLost(
  { store, dataKey }: TripPorts,
  id: string,
  { connector, device }: Pick<Coming, 'connector' | 'device'>,
): Promise<Extract<Return, { kind: 'lost' }>> {
  const trip = await store.trips.find(id)
  // Another connector's state is as good as none: an answer counts only where it was asked (RFC 9700 §4.4).
  if (!trip || trip.connector !== connector) return { kind: 'lost', why: 'unknown' }
  // No cookie and no match are one case: a trip belongs to the browser it left from.
  if (trip.device !== device) return { kind: 'lost', why: 'other-browser' }
  const { errand } = readLuggage(dataKey, trip)
  return { kind: 'lost', why: trip.usedAt === undefined ? 'expired' : 'used', errand }
}
