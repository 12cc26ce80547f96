/** What a member's own pages are given. */
import type { Message } from '#lib/messages.ts'

/** Every one of them. */
export type MemberPage = {
  formToken: string
  /** Whose page it is: comes back with each form. */
  member: string
  /** What was just done, or why it was not. */
  notice?: Message | undefined
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
    connectors: { id: string; label: string; keywords: string[]; connected: boolean }[]
    problem?: Message | undefined
    actions: { link: string; unlink: string }
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
      apps: string[]
    }[]
    actions: { end: string; endOthers: string }
  }
  'account-apps': MemberPage & {
    apps: {
      clientId: string
      name: string
      host: string
      firstParty: boolean
      since?: Date | undefined
      /** Message keys, or words where there may be none. */
      sees: { key?: string; word?: string }[]
      affiliation?: string | undefined
    }[]
    actions: { forget: string; withdraw: string }
  }
  'account-history': MemberPage & {
    signIns: { at: Date; way: Message; app: string; network: string; right: boolean }[]
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
