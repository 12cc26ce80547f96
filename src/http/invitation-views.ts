/** What the pages of an invitation to be staff are given. */
import type { Message } from '#lib/messages.ts'
import type { QrCode } from '#lib/qr-code.ts'

/** What she is to become. */
export type Offered = {
  roles: { key: string; county?: string | undefined; own: boolean }[]
  /** She is staff, and lost her second factors. */
  again: boolean
}

type Problems = { field?: string; problem: Message }[]

export type InvitationViews = {
  'staff-invitation': {
    formToken: string
    offered: Offered
    /** Who is signed in here. */
    member?: { name: string; account: string } | undefined
    /** What is added to a name without `@`. */
    domain?: string | undefined
    typed: { account: string; name: string }
    shortest: number
    problems: Problems
    actions: { join: string; member: string }
  }
  'staff-invitation-factor': {
    formToken: string
    /** What her account is, or will be. */
    account: string
    picture: QrCode
    uri: string
    secret: string
    /** What the browser is asked for to make a passkey, as JSON. */
    passkey: string
    problems: Problems
    actions: { app: string; passkey: string; other: string }
  }
  'staff-invitation-codes': {
    formToken: string
    account: string
    offered: Offered
    codes: string[]
    /** Stands for the account and these codes in the form. */
    whose: string
    notice?: Message | undefined
    actions: { finish: string }
  }
  'staff-invitation-confirm': {
    formToken: string
    account: { name: string; account: string }
    offered: Offered
    /** Stands for that account in the form. */
    whose: string
    actions: { finish: string; other: string }
  }
}
