/** What a member's own pages are given. */
import type { Message } from '#lib/messages.ts'
import type { QrCode } from '#lib/qr-code.ts'
import type { Gate } from './render.ts'

/** Every one of them. */
export type MemberPage = {
  formToken: string
  /** Whose page it is: comes back with each form. */
  member: string
  /** What was just done, or why it was not. */
  notice?: Message | undefined
}

/** One of two accounts to be joined, as much of it as its owner needs to know it again. */
export type MergeSide = {
  name: string
  /** What she signs in with. */
  names: string[]
  counties: string[]
  schools: string[]
  createdAt: Date
  /** It has one, and a name that goes with it. */
  password: boolean
  /** What apps may know it by. */
  sub: string
}

export type AccountViews = {
  account: MemberPage & {
    account: {
      name: string
      picture: boolean
      identifiers: string[]
      email?: string | undefined
      recovery?: string | undefined
    }
    /** What is not as it should be: words and a place to mend it. */
    attention: ('unconfirmed' | 'no-recovery')[]
    lastSignIn?: { at: Date; way: Message } | undefined
    affiliations: {
      school: string
      roleKey: string
      titles: string[]
      classes: string[]
      source: string
      readAt: Date
      /** Last school year's. */
      stale: boolean
    }[]
    apps: { clientId: string; name: string; affiliation?: string | undefined }[]
    moreApps: number
    actions: { forget: string; signOut: string }
  }
  'account-profile': MemberPage & {
    name: string
    fields: {
      field: string
      value: string
      /** Who vouched for what she cannot change. */
      lockedBy?: Message | undefined
      problem?: Message | undefined
    }[]
    genders: string[]
    version: string
    picture: boolean
    pictureProblem?: Message | undefined
    actions: { save: string; picture: string; removePicture: string }
  }
  'account-password': MemberPage & {
    /** A name the password goes with; without one there is no use for a password. */
    account?: string | undefined
    /** She has one. */
    known: boolean
    shortest: number
    problems: Partial<Record<'current' | 'password' | 'again', Message>>
    action: string
  }
  'account-email': MemberPage & {
    current?: { address: string; confirmed: boolean } | undefined
    waiting?: { address: string; sentAt: Date; resendIn: number } | undefined
    typed: { address: string; again: string }
    problems: Partial<Record<'address' | 'again', Message>>
    actions: { change: string; resend: string; cancel: string }
  }
  'account-email-confirm': {
    kind: 'open' | 'used' | 'expired' | 'unknown'
    address?: string | undefined
    formToken: string
    action: string
  }
  'account-identities': MemberPage & {
    identities: { id: string; label: string; linkedAt: Date; usedAt: Date; last: boolean }[]
    connectors: Gate[]
    problem?: Message | undefined
    actions: { link: string; unlink: string; merge: string }
  }
  'account-merge': MemberPage & {
    /** What was typed. */
    account: string
    problem?: Message | undefined
    countyProblem?: Message | undefined
    connectors: { id: string; label: string; connected: boolean }[]
    actions: { password: string; county: string }
  }
  'account-merge-confirm': MemberPage & {
    /** Which one she is shown. */
    merge: string
    kept: MergeSide
    merged: MergeSide
    /** Apps that know the other account. */
    apps: string[]
    action: string
  }
  'account-second-factor': MemberPage & {
    factors: {
      id: string
      type: 'totp' | 'passkey'
      label: string
      createdAt: Date
      usedAt?: Date | undefined
    }[]
    codesLeft: number
    /** Which codes they are, in the form that replaces them. */
    edition: string
    /** She has a role here and no factor: none is added by her password alone. */
    byInvitation: boolean
    /** The last one stays while she has a role. */
    keepsLast: boolean
    /** What the browser is asked for to make a passkey, as JSON. */
    passkey: string
    problem?: Message | undefined
    /** The sign-in that waits for her. */
    back?: string | undefined
    actions: { app: string; passkey: string; remove: string; codes: string }
  }
  'account-second-factor-app': MemberPage & {
    /** Of `uri`. */
    picture: QrCode
    uri: string
    secret: string
    sealed: string
    typed: { label: string }
    problem?: Message | undefined
    action: string
    back: string
  }
  'account-recovery-codes': MemberPage & {
    codes: string[]
    /** They come with her first second factor. */
    first: boolean
    next: string
  }
  'account-sessions': MemberPage & {
    sessions: {
      uid: string
      current: boolean
      agent?: string | undefined
      network?: string | undefined
      signedInAt: Date
      lastSeenAt?: Date | undefined
      wayKey: string
      /** With her second factor. */
      both: boolean
      apps: string[]
    }[]
    actions: { end: string; endOthers: string }
  }
  'account-apps': MemberPage & {
    apps: {
      clientId: string
      name: string
      host: string
      logoUri?: string | undefined
      firstParty: boolean
      since?: Date | undefined
      /** Message keys, or words where there may be none. */
      sees: { key?: string; word?: string }[]
      affiliation?: string | undefined
    }[]
    actions: { forget: string; withdraw: string }
  }
  'account-clients': MemberPage & {
    apps: { id: string; name: string; state: string; href: string }[]
    requests: {
      id: string
      name: string
      about: string
      state: string
      createdAt: Date
      decidedAt?: Date | undefined
      reason?: string | undefined
    }[]
    actions: { ask: string; withdraw: string }
  }
  'account-client-ask': MemberPage & {
    /** Not chosen yet: that is asked first. */
    kind?: string | undefined
    kinds: readonly string[]
    /** A change of this one. */
    app?: { id: string; name: string } | undefined
    values: Readonly<Record<string, string>>
    scopes: { scope: string; label: string; detail?: string | undefined }[]
    /** Letters a field takes, by its name. */
    longest: Readonly<Record<string, number>>
    problems: { field?: string; problem: Message }[]
    actions: { ask: string; back: string }
  }
  'account-client': MemberPage & {
    app: { id: string; name: string; kind: string; state: string }
    wishes: { key: string; values: string[] }[]
    scopes?: string[] | undefined
    issuer: string
    secret?:
      | {
          unseen: boolean
          createdAt?: Date | undefined
          expiresAt?: Date | undefined
          formerUntil?: Date | undefined
        }
      | undefined
    /** Of this page: its second sending is told by it. */
    once: string
    keepDays: number[]
    snippets: {
      id: string
      title: string
      blocks: { file: string; text: string }[]
      notes: string[]
    }[]
    actions: { secret: string; change: string }
  }
  'account-client-secret': MemberPage & {
    app: { id: string; name: string }
    secret: string
    formerUntil?: Date | undefined
    on: string
  }
  'account-history': MemberPage & {
    signIns: { at: Date; way: Message; app: string; network: string; right: boolean }[]
    /** Accounts that were joined, this one having stayed or not. */
    merges: { id: string; what: string; at: Date; undoneAt?: Date | undefined }[]
    older?: string | undefined
    newest?: string | undefined
  }
  'account-export': MemberPage & { action: string }
  'account-close': MemberPage & {
    phrase: string
    typed: string
    problem?: Message | undefined
    graceDays: number
    action: string
  }
  'account-closed': { graceDays: number; signIn: string }
}
