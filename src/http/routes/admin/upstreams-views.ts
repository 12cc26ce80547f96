/** What the pages of upstreams are given. */
import type { Message } from '#lib/messages.ts'
import type { StaffPage } from '../../admin-views.ts'

/** Words for how it stands, and how much they want looking at. */
export type ShownState = {
  key: string
  tone: 'good' | 'warn' | 'bad' | 'none'
  since?: Date | undefined
}

export type Fact = {
  key: string
  /** A name of theirs, or words of ours. */
  value: string | { key: string }
}

export type UpstreamViews = {
  'admin-upstreams': StaffPage & {
    show: string
    sort: string
    upstreams: {
      id: string
      label: string
      state: ShownState
      failures: { count: number; atLeast: boolean }
      certificate?: { at: Date; soon: boolean } | undefined
      checkedAt?: Date | undefined
    }[]
    /** Of the filter and the order, by name. */
    links: { state: string; failures: string; certificate: string; order: string }
    first?: string | undefined
    next?: string | undefined
    /** There is none at all, whatever the filter. */
    empty: boolean
  }
  'admin-upstream': StaffPage & {
    id: string
    label: string
    path: string
    mayWrite: boolean
    connected: boolean
    state: ShownState
    took?: number | undefined
    checkedAt?: Date | undefined
    switchedOff?: { at: Date; by: string; reason: string } | undefined
    /** What was typed into the form that was not taken over. */
    reason: string
    errors: { failure: string; count: number; last: Date }[]
    atLeast: boolean
    contact?: string | undefined
    events: {
      at: Date
      whatKey: string
      /** Whether it is good news: words beside, never the colour alone. */
      tone: ShownState['tone']
      more: Message[]
    }[]
    kind: string
    first?: string | undefined
    next?: string | undefined
    share?: string | undefined
    days: {
      day: Date
      share?: string | undefined
      slow: number
      down: number
      off: number
      /** Where its parts begin and end in the chart, from above. */
      bars: { is: string; y: number; height: number }[]
    }[]
    knownDays: number
    badDays: number
    certificates: { whoseKey: string; name: string; at: Date; soon: boolean; over: boolean }[]
    notices: { id: string; text: Record<string, string>; from: Date; until: Date }[]
    typed: { zh: string; en: string; from: string; until: string }
    facts: Fact[]
    addresses: { what: string; url: string }[]
  }
  'admin-upstream-test': StaffPage & {
    id: string
    label: string
    path: string
    /** People cannot use it, and why. */
    away?: Message | undefined
    canTest: boolean
    result?: ShownTest | undefined
  }
}

export type ShownTest = {
  well: boolean
  failureKey?: string | undefined
  why?: string | undefined
  away: string
  took?: number | undefined
  stages: { label: Message; is: 'passed' | 'not-passed' | 'not-reached' }[]
  who?:
    | {
        issuer: string
        subject: string
        masked: string
        facts: Fact[]
        account: 'yes' | 'no' | 'hidden'
        accountPath?: string | undefined
      }
    | undefined
  raw?: string | undefined
  made: Fact[]
  affiliations: { school: string; roleKey: string; titles: string; classes: string }[]
  unread: string[]
}
