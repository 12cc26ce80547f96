/** What node-oidc-provider tells of what it did: counted, logged, and kept where it concerns a person. */
import type { KoaContextWithOIDC } from 'oidc-provider'
import { seconds } from '#lib/time.ts'
import { circumstancesOf } from './circumstances.ts'
import type { Context } from './context.ts'
import type { House } from './house.ts'

export function listen({ provider, store, metrics, log, now }: House): void {
  // The provider's context is the one our middleware has been through.
  const ours = (ctx: KoaContextWithOIDC) => ctx as unknown as Context

  provider.on('server_error', (ctx, error) => {
    const { state } = ours(ctx)
    state.serverError = error
    state.log.error({ err: error }, 'server error')
    if (ctx.oidc?.route === 'token') metrics.token(grantTypeOf(ctx), 'server_error')
  })
  provider.on('grant.success', (ctx) => metrics.token(grantTypeOf(ctx), 'issued'))
  provider.on('grant.error', (ctx, { error }) => metrics.token(grantTypeOf(ctx), error))

  provider.on('grant.revoked', (ctx) => {
    const { route, client, account } = ctx.oidc
    // Signing out ends its grants too, and is an event of its own.
    if (route === 'end_session_confirm') return
    const event = {
      at: seconds(now),
      actor: client ? `client:${client.clientId}` : 'unknown',
      action: 'grant.revoke',
      target: account?.accountId ?? '',
      outcome: 'ok',
      ...circumstancesOf(ours(ctx)),
      details: { route },
    }
    store.audit
      .record(event)
      .catch((error: unknown) => log.error({ err: error }, 'audit event lost'))
  })
}

/** As the app said it, also where it was turned away before its request was read. */
const grantTypeOf = ({ oidc }: KoaContextWithOIDC) =>
  String(oidc.params?.grant_type ?? oidc.body?.grant_type)
