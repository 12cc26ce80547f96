/** What may stand in the way of accepting an invitation, and the ways on. */
import type { Finished } from '#admin/staff/finishing.ts'
import { home, type NextStep, Problem } from '../problem.ts'
import { toConsole } from './admin/console-problems.ts'

/** Where she accepts; the token is in no address any more. */
export const acceptPath = (id: string) => `/admin/accept/${id}`

export const noLonger = (why: 'used' | 'expired' | 'unknown') =>
  new Problem(410, `invitation.${why}`, {
    next: why === 'used' ? [{ ...toConsole, primary: true }, home] : [{ ...home, primary: true }],
  })

const again = (id: string): NextStep => ({
  id: 'again',
  kind: 'link',
  href: acceptPath(encodeURIComponent(id)),
  labelKey: 'next.back',
  primary: true,
})

/** Opened in another browser than its link was, or too long ago. */
export const notBegun = () =>
  new Problem(400, 'invitation.not-begun', { next: [{ ...home, primary: true }] })

const withAnother = (id: string): NextStep[] => [
  {
    id: 'other',
    kind: 'post',
    href: `${acceptPath(encodeURIComponent(id))}/other`,
    labelKey: 'next.other-account',
    primary: true,
  },
  home,
]

export const otherAccount = (id: string) =>
  new Problem(403, 'invitation.other-account', { next: withAnother(id) })

export const lostFactor = (id: string) =>
  new Problem(403, 'invitation.lost-factor', { next: withAnother(id) })

export const notFresh = (id: string) =>
  new Problem(403, 'invitation.not-fresh', { next: [again(id), home] })

/** Why it was not accepted. */
export function problemOf(finished: Exclude<Finished, { kind: 'accepted' }>, id: string): Problem {
  switch (finished.kind) {
    case 'used':
    case 'expired':
    case 'unknown':
      return noLonger(finished.kind)
    case 'other-account':
      return otherAccount(id)
    case 'lost-factor':
      return lostFactor(id)
    case 'void':
      return new Problem(403, 'invitation.void', { next: [{ ...home, primary: true }] })
    case 'taken':
      return new Problem(409, 'invitation.taken', { next: [{ ...home, primary: true }] })
    case 'again':
      return new Problem(409, 'invitation.again', { next: [again(id), home] })
  }
}
