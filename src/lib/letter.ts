/** What a mail to a person is about, before it has words. */
import type { Mail } from './mail.ts'
import type { MessageParams } from './messages.ts'

export type LetterKind =
  | 'code'
  | 'activate'
  | 'address-taken'
  | 'resume'
  | 'guardian'
  | 'guardian-agreed'
  | 'welcome'
  | 'reset'
  | 'reset-none'
  | 'password-changed'
  | 'confirm-address'
  | 'address-changed'
  | 'identity-linked'
  | 'identity-unlinked'
  | 'account-closed'
  | 'account-reopened'

/** The words are `mail.<kind>.…` of views/messages. */
export type Letter = {
  kind: LetterKind
  /** One bare address. */
  to: string
  /** Of the person who gets it. */
  language: string
  params?: MessageParams
  /** The absolute address behind its button. */
  link?: string
  /** Shown large, to be typed in. */
  code?: string
}

export type WriteLetter = (letter: Letter) => Mail
