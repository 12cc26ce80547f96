/** What may stand in the way at the console, and the ways on. */
import { type Barred, type Outcome, unknown } from '#admin/operation.ts'
import { home, type NextStep, Problem } from '../../problem.ts'

/** What an outcome other than `done` is on a page, where the page itself has no better way to say it. */
export function problemOf(
  outcome: Exclude<Outcome<never>, { kind: 'done' }>,
  back: string,
): Problem {
  const next: NextStep[] = [
    { id: 'back', kind: 'link', href: back, labelKey: 'next.back', primary: true },
    toConsole,
  ]
  switch (outcome.kind) {
    case 'unknown':
      return new Problem(404, 'admin.unknown', { next })
    case 'conflict':
      return new Problem(409, 'admin.conflict', { next })
    case 'refused':
      return new Problem(409, `admin.${outcome.why}`, { next })
    case 'wait': {
      const params = { minutes: String(Math.ceil(outcome.seconds / 60)) }
      const retryAfterSeconds = outcome.seconds
      return new Problem(429, `admin.${outcome.why}`, { next, params, retryAfterSeconds })
    }
    case 'rejected':
      return new Problem(400, 'admin.rejected', { next })
  }
}

/** The value of what was done; throws the page for any other outcome. */
export function valueIn<T>(outcome: Outcome<T> | Barred, back: string): T {
  if (outcome.kind === 'done') return outcome.value
  // The console has asked already.
  if (outcome.kind === 'forbidden' || outcome.kind === 'not-fresh') throw forbidden()
  throw problemOf(outcome, back)
}

/** The same of what an address names: one that somebody made up names nothing. */
export const valueAt = <T>(outcome: Outcome<T> | Barred, back: string): T =>
  valueIn(outcome.kind === 'rejected' ? unknown : outcome, back)

export const toConsole: NextStep = {
  id: 'console',
  kind: 'link',
  href: '/admin',
  labelKey: 'next.console',
}

export const notStaff = () =>
  new Problem(403, 'admin.not-staff', { next: [{ ...home, primary: true }] })
export const noSecondFactor = () =>
  new Problem(403, 'admin.no-second-factor', { next: [{ ...home, primary: true }] })
export const forbidden = () =>
  new Problem(403, 'admin.forbidden', { next: [{ ...toConsole, primary: true }] })
export const otherStaff = () =>
  new Problem(409, 'admin.other-staff', { next: [{ ...toConsole, primary: true }, home] })
