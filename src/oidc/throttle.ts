/** Turns a client away as soon as it is known who it says it is, before its secret or its code is looked at. */
import { type Client, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'

/** How many seconds a client has to wait; zero: it may go on. */
export type WaitOf = (ctx: KoaContextWithOIDC, client: Client) => number

type Entity = (
  this: { ctx: KoaContextWithOIDC; entities: { Client?: Client } },
  name: string,
  value: unknown,
) => void

export function throttleClients(provider: Provider, waitOf: WaitOf): void {
  // The provider says here whom a request is from, on every endpoint in the same way.
  const { prototype } = (provider as unknown as { OIDCContext: { prototype: { entity: Entity } } })
    .OIDCContext
  const { entity } = prototype
  prototype.entity = function (name, value) {
    const known = this.entities.Client !== undefined
    entity.call(this, name, value)
    // Some endpoints say it twice.
    if (name !== 'Client' || known) return
    const wait = waitOf(this.ctx, value as Client)
    if (wait === 0) return
    this.ctx.set('Retry-After', String(wait))
    throw tooMany()
  }
}

/** RFC 6585 §4; RFC 6749 has no word of its own for it at the token endpoint, §4.1.2.1 has this one. */
function tooMany() {
  const error = new errors.OIDCProviderError(429, 'temporarily_unavailable')
  return Object.assign(error, { error_description: 'too many requests, see Retry-After' })
}
