/** How an upstream fares, told from how our own calls to it went. Pure: the clock is an argument. */
import { UpstreamError, type UpstreamFailure } from '#errors.ts'

export type UpstreamState = 'ok' | 'slow' | 'down'

/** `ms`: how long whoever called had to wait. */
export type Outcome = (
  | { kind: 'ok'; ms: number }
  | { kind: 'failed'; failure: UpstreamFailure }
) & {
  /** Of somebody who came back, not of a call of our own. */
  returned?: boolean
}

type Heard = { at: number; outcome: Outcome }

/** Times are milliseconds since 1970. */
export type Health = {
  state: UpstreamState
  /** In this state since. */
  since: number
  /** When it was last heard of; absent, nothing is known yet. */
  at?: number
  /** Of the last call, if it failed. */
  failure?: UpstreamFailure
  /** How long its last good answer took, in milliseconds. */
  took?: number
  /** When it was back after it was down last. */
  backAt?: number
  /** Soon after it was back those who came back failed anew: it answers our calls and not theirs. */
  relapsed?: boolean
  recent: readonly Heard[]
}

export const healthRules = {
  /** What was heard earlier says nothing of now. */
  windowMs: 2 * 60_000,
  /** Outcomes remembered. */
  remembered: 20,
  /** So many failures, and nothing else since, and it is down. */
  inARow: 3,
  /** Or more than half of all, when there were at least so many. */
  enoughForAShare: 10,
  /** An answer that takes longer is slow… */
  slowMs: 3_000,
  /** … and two of the last three make the upstream so. */
  slowOf: { slow: 2, last: 3 },
  /** A process that was at work itself for more of the time was late itself: no upstream is to blame for that. */
  ownShare: 0.9,
  /** While it is down, one trial of all processes in so many seconds. */
  trialEverySeconds: 15,
  /** After a relapse within this time only somebody who comes back well opens it, for so long: nobody may come. */
  relapseMs: 5 * 60_000,
} as const

export const unheard = (at: number): Health => ({ state: 'ok', since: at, recent: [] })

/** How it fares after one more outcome of a call that began at `began` and ended at `at`. */
export function hear(before: Health, outcome: Outcome, at: number, began = at): Health {
  // Whoever called while it was down still waits for the failure when it is back already.
  const { backAt = -Infinity } = before
  // A clock that was put back makes nobody late.
  const late = began < backAt && backAt <= at
  if (outcome.kind === 'failed' && before.state !== 'down' && late) return before
  if (outcome.kind === 'ok' && isHeld(before, outcome, at)) return { ...before, at }
  const kept = before.recent
    .filter((one) => one.at > at - healthRules.windowMs)
    .slice(1 - healthRules.remembered)
  const now = { at, outcome }
  // A success closes: what failed before it is over, and must not open anew at the next failure.
  const back = before.state === 'down' && outcome.kind === 'ok'
  const recent = back ? [now] : [...kept, now]
  const state = judge(before.state, recent, outcome)
  const down = state === 'down'
  const again = outcome.returned === true && isWithin(healthRules.relapseMs, backAt, at)
  const relapsed = before.state === 'down' ? before.relapsed : again
  return {
    state,
    since: state === before.state ? before.since : at,
    at,
    recent,
    ...pick({ backAt: back ? at : before.backAt, relapsed: (down && relapsed) || undefined }),
    ...(outcome.kind === 'failed'
      ? { failure: outcome.failure, ...pick({ took: before.took }) }
      : { took: Math.round(outcome.ms) }),
  }
}

/** That it answers a call of ours says nothing of those who come back, while it is known to fail them. */
const isHeld = ({ state, since, relapsed }: Health, { returned }: Outcome, at: number): boolean =>
  state === 'down' && relapsed === true && !returned && isWithin(healthRules.relapseMs, since, at)

/** Whichever is earlier: a clock may have been put back. */
const isWithin = (ms: number, one: number, other: number): boolean => Math.abs(one - other) < ms

/** What is there of it. */
const pick = <T extends object>(of: T) =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }

function judge(before: UpstreamState, recent: Heard[], last: Outcome): UpstreamState {
  if (last.kind === 'failed' && (before === 'down' || hasFailed(recent))) return 'down'
  const { slow, last: of } = healthRules.slowOf
  return recent.slice(-of).filter(({ outcome }) => isSlow(outcome)).length >= slow ? 'slow' : 'ok'
}

function hasFailed(recent: Heard[]): boolean {
  const { inARow, enoughForAShare } = healthRules
  const failures = recent.filter(({ outcome }) => outcome.kind === 'failed').length
  if (recent.length >= enoughForAShare && failures * 2 > recent.length) return true
  const last = recent.slice(-inARow)
  return last.length === inARow && last.every(({ outcome }) => outcome.kind === 'failed')
}

const isSlow = (outcome: Outcome) =>
  outcome.kind === 'ok' ? outcome.ms > healthRules.slowMs : outcome.failure === 'slow'

/** What a call was made for. Only the last carries anything a browser brought. */
export type Purpose = 'probe' | 'begin' | 'complete'

/**
 * What a server in front of a broken one says; a stranger's made-up code or ticket does not bring it about. Many of them
 * bring about 429, and that answers at once: nobody waits for it.
 */
const gatewayStatuses = [502, 503, 504]

/**
 * The failure an upstream is to blame for, if it is. A probe and a departure bring nothing from outside: whatever is
 * wrong then is the upstream's. What fails at the return may be somebody's forgery, a cancelled sign-in, or a crash (500,
 * an error page in place of JSON) provoked by what her browser brought: only that nobody answered counts there, or that
 * a gateway says so. Otherwise anybody could close a county's gate for everybody.
 */
export function blameOf(purpose: Purpose, error: unknown): UpstreamFailure | undefined {
  if (!(error instanceof UpstreamError)) return undefined
  const { failure, status } = error
  if (failure === 'refused') return undefined
  if (purpose !== 'complete') return failure
  if (failure !== 'unreachable' && failure !== 'slow') return undefined
  return status === undefined || gatewayStatuses.includes(status) ? failure : undefined
}
