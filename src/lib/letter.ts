/** What a mail to a person is about, before it has words. */
import type { Mail } from './mail.ts'

/** For how many seconds it is good: written out as minutes, hours or days. */
type Lasts = { lasts: number }
type Account = { account: string }
/** The absolute address behind its button. */
type Link = { link: string }

/** What each kind is told. The words are `mail.<kind>.…` of views/messages, with `params` in their braces. */
type Contents = {
  /** `code` is shown large, to be typed in. */
  code: { code: string; params: Lasts }
  activate: Link & { params: Account & Lasts }
  /** Somebody wants to join with an address that has an account. The link leads to where a password is reset. */
  'address-taken': Link
  resume: Link & { params: Lasts }
  /** To the guardian of `name`. */
  guardian: Link & { params: Lasts & { name: string } }
  /** To the guardian of `name`: what she agreed to, to keep. */
  'guardian-copy': { params: { name: string } }
  /** To the minor. The link leads back to her application. */
  'guardian-agreed': Link & { params: Lasts }
  /** The link leads to where one signs in. */
  welcome: Link & { params: Account }
  reset: Link & { params: Account & Lasts }
  'password-changed': { params: Account }
  /** To the new address. */
  'confirm-address': Link & { params: Account & Lasts }
  /** To the old address. Of the new one, `address`, only as much is shown as its owner needs to know it again. */
  'address-changed': { params: Account & { address: string } }
  'identity-linked': { params: Account & { county: string } }
  'identity-unlinked': { params: Account & { county: string } }
  /** `account` is the reader's own, of the other one she gets a hint; `merge` is what staff find it by. */
  'accounts-joined': { params: Account & { other: string; merge: string } }
  'accounts-parted': { params: Account & { merge: string } }
  /** The link leads to where one signs in, to have it back. */
  'account-closed': Link & { params: Account & Lasts }
  'account-reopened': { params: Account }
  'factor-added': { params: Account }
  'factor-removed': { params: Account }
  'recovery-codes': { params: Account }
  /** `left`: how many are still good. */
  'recovery-code-used': { params: Account & { left: number } }
  /** By staff; how she gets in again is in a letter of its own. */
  'factors-reset': { params: Account }
  /** To become staff. `by` is who invites her. */
  'staff-invitation': Link & { params: Lasts & { by: string } }
  /** To set up a second factor in place of those staff took away. */
  'staff-second-factor': Link & { params: Account & Lasts }
  /** To an app's people. The link leads to its page in the console. `name` is the app's. */
  'secret-expires': Link & { params: { name: string; days: number } }
  /** To who asked for an app, `name`. The link leads to her apps. */
  'client-approved': Link & { params: Account & { name: string } }
  'client-refused': Link & { params: Account & { name: string; reason: string } }
  /** To staff. `identity` is what the command line knows the link by. */
  'staff-reused-login': { params: { county: string; identity: string } }
}

export type LetterKind = keyof Contents

type Envelope<Kind> = {
  kind: Kind
  /** One bare address. */
  to: string
  /** Of the person who gets it. */
  language: string
  /** Of the person who gets it, to greet her. Leave it out where nobody has shown yet that the address is hers. */
  name?: string
}

export type Letter = { [Kind in LetterKind]: Envelope<Kind> & Contents[Kind] }[LetterKind]

type WithoutLink<L> = L extends Link ? Omit<L, 'link'> : never
/** One that has a link, before whoever keeps links has made it: `{ ...letter, link }` is a letter. */
export type UnlinkedLetter = WithoutLink<Letter>

export type WriteLetter = (letter: Letter) => Mail
