/** What a person can do when a sign-in did not work: every problem page offers a way on. */
import type { ConnectorConfig } from '#config/connector.ts'
import type { UpstreamFailure } from '#errors.ts'
import type { App } from '../app-of.ts'
import { home, type NextStep, Problem, type ProblemOptions } from '../problem.ts'
import type { Trouble } from './upstream-words.ts'

type Open = { uid: string; app: App }

const choose = (uid: string, id: string, labelKey: string): NextStep => ({
  id,
  kind: 'link',
  href: `/interaction/${uid}?choose=1${id === 'local' ? '#local-form' : ''}`,
  labelKey,
})

const backToApp = ({ uid, app }: Open): NextStep => ({
  id: 'back-to-app',
  kind: 'post',
  href: `/interaction/${uid}/cancel`,
  labelKey: 'next.back-to-app',
  params: { app: app.name },
})

const otherWays = (open: Open): NextStep[] => [
  choose(open.uid, 'other-county', 'next.other-county'),
  choose(open.uid, 'local', 'next.local'),
  backToApp(open),
]

export const upstreamStatus: Record<UpstreamFailure, number> = {
  unreachable: 502,
  slow: 504,
  nonsense: 502,
  refused: 403,
  forged: 400,
}

/** The county did not sign the person in. The app's request is kept. */
export function afterUpstream(
  open: Open,
  { id }: Pick<ConnectorConfig, 'id'>,
  failure: UpstreamFailure,
  { key, down, ...about }: Trouble,
  formAction: string[],
): Problem {
  const { county } = about.params
  const again: NextStep = {
    id: 'again-county',
    kind: 'post',
    href: `/interaction/${open.uid}/upstream/${id}`,
    labelKey: 'next.again-county',
    params: { county },
  }
  if (!down) {
    const next = [{ ...again, primary: true }, ...otherWays(open)]
    return new Problem(upstreamStatus[failure], key, { ...about, formAction, next })
  }
  // To try again at once is no use: what helps now is another way in.
  const here = { ...choose(open.uid, 'local', 'next.local-bound'), primary: true }
  const elsewhere = choose(open.uid, 'other-county', 'next.other-county')
  const next = [here, elsewhere, again, backToApp(open)]
  return new Problem(503, key, { ...about, formAction, next })
}

/** Too many people leave for a county from one address at once. */
export function afterDepartures(open: Open, seconds: number, formAction: string[]): Problem {
  return new Problem(429, 'limited.departure', {
    params: { seconds: String(seconds) },
    retryAfterSeconds: seconds,
    formAction,
    next: otherWays(open),
  })
}

/** The trip cannot be finished, the app's request can. */
export function afterLostTrip(open: Open, why: string, formAction: string[]): Problem {
  const signIn = { ...choose(open.uid, 'sign-in', 'next.sign-in'), primary: true }
  return new Problem(400, `trip.${why}`, { formAction, next: [signIn, backToApp(open)] })
}

/** What is kept of an errand no app waits for. */
export const keptOf = (errand: 'join' | 'link' | 'test'): string => `problem.errand.${errand}`

/** What she was sent for cannot be finished; where she came from it can be begun anew. */
export function afterLostErrand(
  errand: 'join' | 'link' | 'test',
  href: string,
  key: string,
  params: Record<string, string> = {},
  about: Pick<ProblemOptions, 'notices' | 'status'> = {},
): Problem {
  const back: NextStep = { id: 'back', kind: 'link', href, labelKey: 'next.back', primary: true }
  const next = [back, home]
  if (!key.startsWith('upstream.')) return new Problem(400, key, { params, next })
  const { notices, status } = about
  const more = { ...(notices && { notices }), ...(status && { status }) }
  return new Problem(502, key, { ...more, params, next, kept: keptOf(errand) })
}

/** The person is known and may not come in. */
export function afterBarred(
  open: Open,
  status: 'pending' | 'suspended' | 'closed',
  formAction: string[],
): Problem {
  const key = status === 'pending' ? 'account.pending' : 'account.suspended'
  return new Problem(403, key, { formAction, next: otherWays(open) })
}

/** Her login may have been somebody else's before: nothing of that account is opened. */
export function afterReused(open: Open, county: string, formAction: string[]): Problem {
  const next = otherWays(open)
  return new Problem(403, 'account.reused', { params: { county }, formAction, next })
}

/** She registered and has not proven her address: the mail is there, or can be had again. */
export function afterWaiting(open: Open, formAction: string[]): Problem {
  const resend: NextStep = {
    id: 'resend',
    kind: 'link',
    href: '/resend',
    labelKey: 'next.resend',
    primary: true,
  }
  return new Problem(403, 'account.waiting', { formAction, next: [resend, ...otherWays(open)] })
}

/** The question expired, or was answered before. */
export function afterPast(
  uid: string,
  { finished, device = false }: { finished: boolean; device?: boolean },
  app: App | undefined,
): Problem {
  const toApp: NextStep[] = app?.home
    ? [
        {
          id: 'back-to-app',
          kind: 'link',
          href: app.home,
          labelKey: 'next.back-to-app',
          params: { app: app.name },
          primary: finished,
        },
      ]
    : []
  if (finished) return new Problem(400, 'interaction.done', { next: [...toApp, home] })
  const again: NextStep = {
    id: 'start-again',
    kind: 'link',
    // A device shows its code still: it is typed in again.
    href: device ? '/device' : `/interaction/${uid}/start-again`,
    labelKey: 'next.start-again',
    primary: true,
  }
  return new Problem(400, 'interaction.expired', { next: [again, ...toApp] })
}
