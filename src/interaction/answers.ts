/** Answers a person gives on our own pages. */
import { currentAffiliations } from '#accounts/affiliations.ts'
import {
  type LocalPorts,
  type LocalSignIn,
  type Stands,
  signInLocally,
  signInName,
} from '#accounts/local.ts'
import type { SchoolYear } from '#accounts/school-year.ts'
import type { Held, SignInLimits, Try } from '#accounts/sign-in-limits.ts'
import type { SiteFile } from '#config/schema.ts'
import { afterWait, type Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { scopeClaims } from '#oidc/claims.ts'
import type { AuditEvent, Circumstances, Granted, Store } from '#store/store.ts'
import type { Answer, Login, Question } from './question.ts'

export type Reply =
  | {
      kind: 'finish'
      answer: Answer
      /** What it stands on may have changed before it was put down: whoever changed it could not end it then. */
      stands?: Stands
    }
  /** The person can mend it on the same page, perhaps after a while. */
  | { kind: 'again'; problem: Message; waitSeconds?: number }
  /** Nothing was looked at: too much was tried before. */
  | { kind: 'held'; because: Held; problem: Message; waitSeconds: number }
  /** `login`: how she would sign in, were she let. She has proved that it is she. */
  | { kind: 'barred'; status: (LocalSignIn & { kind: 'barred' })['status']; login: Login }
  /** She registered, and has not used the link in the mail yet. */
  | { kind: 'waiting' }

/** Signs in with a name and a password kept here. Throws BusyError. */
export async function answerLocally(
  store: Store,
  typed: { account: string; password: string },
  ports: LocalPorts & {
    acr: string
    limits: SignInLimits
    from: Omit<Try, 'name'>
    where: Circumstances & { clientId: string }
    /** She asked to stay signed in. */
    remember: boolean
  },
): Promise<Reply> {
  if (!typed.account.trim() || !typed.password) return { kind: 'again', problem: 'sign-in.empty' }
  const name = signInName(typed.account, ports.domain)
  const begun = await ports.limits.begin({ ...ports.from, name })
  if (begun.kind === 'wait') {
    const { because, seconds: waitSeconds } = begun
    const problem = afterWait(`sign-in.held.${because}`, waitSeconds)
    return { kind: 'held', because, problem, waitSeconds }
  }
  const signIn = await signInLocally(store, typed, ports).catch(async (error: unknown) => {
    await begun.undecided()
    throw error
  })
  if (signIn.kind !== 'wrong') await begun.right()
  await store.audit.record(passwordEvent(signIn, ports))
  switch (signIn.kind) {
    case 'wrong': {
      const waitSeconds = await begun.wrong()
      if (waitSeconds === 0) return { kind: 'again', problem: 'sign-in.wrong' }
      return { kind: 'again', problem: afterWait('sign-in.wrong-wait', waitSeconds), waitSeconds }
    }
    case 'waiting':
      return { kind: 'waiting' }
    case 'barred':
      return { kind: 'barred', status: signIn.status, login: loginOf(signIn.accountId, ports) }
    case 'signed-in': {
      const login = loginOf(signIn.accountId, ports)
      const { stands } = signIn
      return { kind: 'finish', answer: { login, select_account: {} }, stands }
    }
  }
}

const loginOf = (
  accountId: string,
  { acr, remember, now }: { acr: string; remember: boolean; now: LocalPorts['now'] },
): Login => ({ accountId, acr, amr: ['pwd'], remember, ts: seconds(now) })

function passwordEvent(
  signIn: LocalSignIn,
  {
    now,
    where: { clientId, ...where },
  }: Pick<LocalPorts, 'now'> & {
    where: Circumstances & { clientId: string }
  },
): AuditEvent {
  const { kind } = signIn
  const accountId = kind === 'waiting' ? undefined : signIn.accountId
  // Who typed a wrong password is nobody; whose account it was is worth knowing. The name as typed is not kept: people
  // type passwords there.
  return {
    at: seconds(now),
    actor: kind === 'wrong' ? 'unknown' : (accountId ?? 'unknown'),
    action: 'session.sign-in',
    target: `client:${clientId}`,
    outcome: kind === 'barred' ? signIn.status : kind === 'signed-in' ? 'ok' : kind,
    ...where,
    details: { way: 'password', ...(kind === 'wrong' && accountId ? { account: accountId } : {}) },
  }
}

/** Goes on as the person who is signed in. */
export const answerSameAccount = (): Reply => ({ kind: 'finish', answer: { select_account: {} } })

/** The person went back without an answer: the app hears `access_denied` (RFC 6749 §4.1.2.1). */
export const answerCancel = (): Reply => ({
  kind: 'finish',
  answer: { error: 'access_denied', error_description: 'the person cancelled' },
})

/** Remembers in which affiliation she acts towards this app. */
export async function answerAffiliation(
  store: Store,
  { accountId, clientId }: Question,
  key: string | undefined,
  { now, where, year }: Pick<LocalPorts, 'now'> & { where: Circumstances; year: SchoolYear },
): Promise<Reply> {
  if (!accountId) throw new Error('an affiliation is chosen by someone who is signed in')
  const known = (await currentAffiliations(store, accountId, year)).some((one) => one.key === key)
  if (!key || !known) return { kind: 'again', problem: 'choose-affiliation.choose-one' }
  const at = seconds(now)
  await store.transaction(async (tables) => {
    await tables.affiliationChoices.choose(accountId, clientId, key, at)
    const action = { action: 'affiliation.choose', target: `client:${clientId}`, outcome: 'ok' }
    await tables.audit.record({ at, actor: accountId, ...action, ...where })
  })
  return { kind: 'finish', answer: { affiliation: {}, select_account: {} } }
}

/** What this question asks consent for: from our own record, never from the form. */
export function wantedGrant({ prompt: { details } }: Question): Granted {
  const list = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
  const resources = (details.missingResourceScopes ?? {}) as Record<string, unknown>
  return {
    scopes: list(details.missingOIDCScope),
    claims: list(details.missingOIDCClaims),
    resources: Object.fromEntries(Object.entries(resources).map(([id, s]) => [id, list(s)])),
  }
}

/** What to show when consent is asked for: what is missing or, asked again with nothing missing, all of it. */
export function shownGrant(
  question: Question,
  resources: readonly Pick<SiteFile['resources'][number], 'id' | 'scopes'>[],
): Granted {
  const missing = wantedGrant(question)
  if (missing.scopes.length + missing.claims.length + Object.keys(missing.resources).length > 0) {
    return missing
  }
  const { scope = '', claims = '{}', resource } = question.params
  const scopes = scope.split(' ')
  const { userinfo, id_token: idToken } = JSON.parse(claims)
  const asked = resources.filter(({ id }) => id === resource)
  return {
    scopes: scopes.filter((one) => Object.hasOwn(scopeClaims, one) || one === 'offline_access'),
    claims: Object.keys({ ...userinfo, ...idToken }),
    resources: Object.fromEntries(
      asked.map(({ id, scopes: offered }) => [
        id,
        offered.map((one) => one.scope).filter((one) => scopes.includes(one)),
      ]),
    ),
  }
}

/** Remembers what the question asked for as allowed; the grant is widened to it when the request resumes. */
export async function answerConsent(
  store: Store,
  question: Question,
  { now, where }: Pick<LocalPorts, 'now'> & { where: Circumstances },
): Promise<Reply> {
  const { accountId, clientId } = question
  if (!accountId) throw new Error('consent is given by someone who is signed in')
  const at = seconds(now)
  await store.transaction(async (tables) => {
    // Two tabs may allow different things at the same moment: both are kept.
    await tables.accounts.lock(accountId)
    const before = await tables.consents.find(accountId, clientId)
    const wanted = wantedGrant(question)
    await tables.consents.put(accountId, clientId, joinGranted(before, wanted), at)
    const action = { action: 'consent.allow', target: `client:${clientId}`, outcome: 'ok' }
    await tables.audit.record({ at, actor: accountId, ...action, ...where, details: wanted })
  })
  return { kind: 'finish', answer: { consent: {} } }
}

/** Both, without doubles. */
function joinGranted(a: Granted | undefined, b: Granted): Granted {
  if (!a) return b
  const join = (x: string[] = [], y: string[] = []) => [...new Set([...x, ...y])]
  const ids = join(Object.keys(a.resources), Object.keys(b.resources))
  return {
    scopes: join(a.scopes, b.scopes),
    claims: join(a.claims, b.claims),
    resources: Object.fromEntries(ids.map((id) => [id, join(a.resources[id], b.resources[id])])),
  }
}
