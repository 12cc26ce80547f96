/** What becomes of a question when an upstream has vouched for somebody. */
import { signInFederated } from '#accounts/federated.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { seconds } from '#lib/time.ts'
import type { Circumstances } from '#store/store.ts'
import { findOffer, keepOffer, type OpenOffer, type Place } from './link-offers.ts'
import type { Login, Question } from './question.ts'
import type { Return, TripPorts } from './trips.ts'
import { keepUpstreamSession, standsOn } from './upstream-logout.ts'

type Arrived = {
  question: Question
  place: Place
  identity: UpstreamIdentity
  remember: boolean
  circumstances: Circumstances
  /** The link offer she was to answer by this sign-in. */
  offer?: string | undefined
}

/** Back from an upstream for this question. */
export async function signIn(ports: TripPorts, arrived: Arrived): Promise<Return> {
  const { place, identity, offer: mark } = arrived
  // One that is over asks for nothing any more: then this is a sign-in like any other.
  const open = mark === undefined ? undefined : await findOffer(ports, place)
  if (!open) return settle(ports, arrived, { linking: ports.linkingOf(identity.connector) })
  if (open.mark !== mark) return { kind: 'offer', uid: place.uid, said: 'changed' }
  return settle(ports, arrived, { offer: open })
}

/** She has said what becomes of it: she goes on as who came, and is asked no more. */
export function goOn(
  ports: TripPorts,
  question: Question,
  { identity, remember, arrivedAt }: OpenOffer,
  { place, circumstances }: Pick<Arrived, 'place' | 'circumstances'>,
): Promise<Return> {
  // Her upstream saw her then, not when she had made up her mind.
  const seen = { ...identity, authTime: identity.authTime ?? arrivedAt }
  return settle(ports, { question, place, identity: seen, remember, circumstances }, {})
}

type Settling = { linking?: ReturnType<TripPorts['linkingOf']>; offer?: OpenOffer }

async function settle(
  ports: TripPorts,
  { question, place, identity, remember, circumstances }: Arrived,
  { linking, offer }: Settling,
): Promise<Return> {
  const { store, now, staff, log } = ports
  const { uid } = question
  const where = { ...circumstances, clientId: question.clientId }
  const enrolment = ports.enrolmentOf(identity.connector)
  // Who is to sign in to an account that is there does not get another one.
  const newcomers = enrolment === undefined && !offer ? 'create' : 'tell'
  const rules = { newcomers, staff, log, ...(linking ? { linking } : {}) } as const
  const signedIn = await signInFederated(store, identity, now, where, rules)
  const upstream = standsOn(identity, ports.dataKey)
  const login = (accountId: string) =>
    loginOf(accountId, identity, { acr: ports.acr, remember, at: seconds(now), upstream })
  const keepSession = (accountId: string) =>
    keepUpstreamSession(store, identity, accountId, seconds(now) + ports.upstreamSessionSeconds)
  switch (signedIn.kind) {
    case 'offer':
      await keepOffer(ports, place, signedIn.offer, { identity, remember, circumstances })
      return { kind: 'offer', uid }
    case 'unknown':
      if (offer) return { kind: 'offer', uid, said: 'unknown-there' }
      if (enrolment === undefined) throw new Error('a newcomer nobody asked to be told of')
      return { kind: 'newcomer', uid, enrolment, identity }
    case 'reused':
      return { kind: 'reused', uid }
    case 'barred': {
      const { accountId, status } = signedIn
      // Hers to have back, and to be signed in to.
      if (status === 'closed') await keepSession(accountId)
      return { kind: 'barred', uid, login: login(accountId), status }
    }
    case 'signed-in': {
      const { accountId, created } = signedIn
      if (offer && offer.accountId !== accountId)
        return { kind: 'offer', uid, said: 'other-account' }
      await keepSession(accountId)
      if (offer) return { kind: 'link', uid, question, login: login(accountId), offer }
      const answer = { login: login(accountId), select_account: {} }
      return { kind: 'finish', uid, question, answer, created }
    }
  }
}

/** How an identity signs its account in. */
export const loginOf = (
  accountId: string,
  { amr, authTime }: Pick<UpstreamIdentity, 'amr' | 'authTime'>,
  { acr, remember, at, upstream }: LoginRules,
): Login => ({
  accountId,
  acr,
  amr: amr ?? ['fed'],
  // School computers are shared: unless she says otherwise the session ends with the browser.
  remember,
  // When the county saw her, if it says so: the app is told the truth.
  ts: Math.min(authTime ?? Infinity, at),
  ...(upstream ? { upstream } : {}),
})

type LoginRules = Pick<Login, 'acr' | 'remember' | 'upstream'> & { at: number }
