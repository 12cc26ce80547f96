/** What the console's pages about people are given. */
import type { Message } from '#lib/messages.ts'
import type { StaffPage } from '../../admin-views.ts'

type Option = { value: string; label: string }

/** What was typed into one of the page's forms, when it was not taken over. */
export type Typed = { form: string; fields: Readonly<Record<string, string>> }

export type ShownPerson = {
  sub: string
  name: string
  phrase: string
  status: string
  kind: string
  staff: boolean
  roles: { role: string; reach: string }[]
  createdAt: Date
  updatedAt: Date
  closedAt: Date | undefined
  profile: {
    claim: string
    value: string
    masked: boolean
    by: Message
    at: Date
    verified: boolean | undefined
  }[]
  identifiers: { type: string; value: string; verified: boolean }[]
  passwordAt: Date | undefined
  recovery: { address: string; since: Date; confirmed: boolean } | undefined
  guardian: { name: string; address: string; agreedAt: Date } | undefined
  numbers: { type: string; since: Date }[]
  identities: {
    id: string
    county: string
    subject: string
    linkedAt: Date
    readAt: Date
    unread: string[]
    fingerprint: boolean
  }[]
  elsewhere: number
  affiliations: {
    school: string
    code: string
    roleKey: string
    role: string
    titles: string[]
    county: string
    readAt: Date
    stale: boolean
  }[]
  factors: { type: string; label: string; createdAt: Date; usedAt: Date | undefined }[]
  sessions: {
    id: string
    agent: string | undefined
    network: string | undefined
    signedInAt: Date
    lastSeenAt: Date | undefined
    apps: string[]
  }[]
  apps: {
    client: string
    name: string
    scopes: string[]
    consentedAt?: Date | undefined
    active: boolean
  }[]
  agreements: { terms: string; version: string; language: string; agreedAt: Date }[]
  applications: { id: string; enrolment: string; state: string; createdAt: Date; updatedAt: Date }[]
  merges: {
    id: string
    role: 'kept' | 'merged'
    other: string | undefined
    mergedAt: Date
    undoneAt: Date | undefined
  }[]
}

export type ShownSignIn = {
  at: Date
  way: Message
  app: string
  network: string
  outcome: string
  ok: boolean
}

export type PeopleViews = {
  'admin-people': StaffPage & {
    people: {
      sub: string
      name: string
      accounts: string[]
      counties: string[]
      schools: string[]
      status: string
      updatedAt: Date
      createdAt: Date
    }[]
    q: string
    school: string
    county: string
    status: string
    sort: string
    counties: Option[]
    statuses: readonly string[]
    filtered: boolean
    mayAdd: boolean
    first: string | undefined
    next: string | undefined
  }
  'admin-person-new': StaffPage & {
    values: { account: string; name: string; recovery: string }
    action: string
  }
  'admin-person-made': StaffPage & {
    name: string
    account: string
    /** Shown once. */
    password: string | undefined
    to: string | undefined
    on: string
  }
  'admin-person': StaffPage & {
    person: ShownPerson
    path: string
    mayWrite: boolean
    mayUnmask: boolean
    /** What may be unmasked. */
    masked: Option[]
    /** Shown in this answer only. */
    revealed: { label: string; value: string } | undefined
    signIns: ShownSignIn[]
    typed: Typed | undefined
  }
  'admin-person-edit': StaffPage & {
    person: { name: string; phrase: string }
    values: Record<string, string>
    /** The number itself is not shown: what is left empty stays as it is. */
    phone: string
    vouched: Record<string, Message | undefined>
    version: string
    action: string
    path: string
  }
  'admin-person-sign-ins': StaffPage & {
    person: { name: string }
    path: string
    signIns: ShownSignIn[]
    first: string | undefined
    next: string | undefined
  }
}
