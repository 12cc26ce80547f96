/** On which session at an upstream a session of ours stands, kept in its own row: a sign-in costs no statement more. */
import { Provider, type Provider as ProviderType } from 'oidc-provider'

export type UpstreamSession = {
  connector: string
  issuer: string
  subject: string
  sid?: string
  /** People sign out there. */
  signsOut?: true
  /** What its sign-out wants to be told, sealed. */
  hint?: string
}

/** Makes sessions remember the upstream of the last sign-in; a password's has none. */
export function rememberUpstreams({ Session }: ProviderType): void {
  const kept = Object.getOwnPropertyDescriptor(Session, 'IN_PAYLOAD')?.get
  if (!kept) throw new Error('node-oidc-provider keeps sessions otherwise now')
  Object.defineProperty(Session, 'IN_PAYLOAD', {
    configurable: true,
    get() {
      return [...kept.call(this), 'upstream']
    },
  })
  const prototype = Session.prototype as {
    upstream?: UpstreamSession
    loginAccount(details: object): void
  }
  const { loginAccount } = prototype
  prototype.loginAccount = function (details) {
    const login = Provider.ctx?.oidc.entities.Interaction?.result?.login
    this.upstream = login?.upstream as UpstreamSession | undefined
    loginAccount.call(this, details)
  }
}

/** Of a session as node-oidc-provider gives it. */
export const upstreamOf = (session: object): UpstreamSession | undefined =>
  (session as { upstream?: UpstreamSession }).upstream
