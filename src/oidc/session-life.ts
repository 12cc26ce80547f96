/** How long a session lasts, and whether it outlives the browser's window. */
import type { Provider } from 'oidc-provider'
import type { SiteFile } from '#config/schema.ts'
import { sessionBegan } from './sessions.ts'

type Session = { accountId?: string; transient?: boolean; loginTs?: number; iat?: number }

/**
 * Seconds a session may still last. One that ends with the browser's window also ends when nobody uses it; one that
 * she asked to be kept lasts its days from when it began, used or not.
 */
export function sessionSeconds(rules: SiteFile['session'], session: Session, at: number): number {
  const began = sessionBegan(session)
  const until = (length: number) => (began ? began + length - at : length)
  const left = isKept(rules, session)
    ? until(rules.remembered_seconds)
    : Math.min(rules.idle_seconds, until(rules.absolute_seconds))
  return Math.max(1, left)
}

/** Before somebody signs in there is nothing to keep. */
const isKept = ({ remember }: SiteFile['session'], { accountId, transient }: Session) =>
  remember && accountId !== undefined && !transient

/** Makes the last sign-in count: node-oidc-provider leaves a session that was not kept as it is when it is to be kept. */
export function tellSessionsApart({ Session }: Provider): void {
  const prototype = Session.prototype as {
    transient?: boolean
    loginAccount(details: object): void
  }
  const { loginAccount } = prototype
  prototype.loginAccount = function (details) {
    this.transient = undefined
    loginAccount.call(this, details)
  }
}
