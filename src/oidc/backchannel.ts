/**
 * Back-channel logout. Who must hear that a session ended is kept with its end, in one transaction, and told in the
 * background: node-oidc-provider would wait for every app while the person waits for the page.
 */
import { type Client, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Now } from '#lib/time.ts'
import { seconds } from '#lib/time.ts'
import type { Payloads } from '#store/payloads.ts'
import type { AuditEvent, ClientRow, Store, Tables } from '#store/store.ts'
import { partScopes } from './api-resource.ts'
import { findRegistered } from './remembered-clients.ts'

export type Farewell = {
  clientId: string
  accountId: string
  sid?: string
  /** Of an app that was removed: nobody finds it any more. */
  registration?: Record<string, unknown>
}

export type Farewells = {
  /** Remembers that this request's session ends for the app. */
  say(farewell: Farewell): Promise<void>
  /** The payload table, where a session is not buried without its farewells. */
  payloads: Payloads
}

export function openFarewells(
  store: Pick<Store, 'payloads' | 'outbox' | 'transaction'>,
  now: Now,
): Farewells {
  const said = new WeakMap<object, Farewell[]>()

  const put = (tables: Pick<Tables, 'outbox'>, farewell: Farewell) =>
    putFarewell(tables, farewell, seconds(now))

  return {
    async say(farewell) {
      const { ctx } = Provider
      if (ctx) said.set(ctx, [...(said.get(ctx) ?? []), farewell])
      else await put(store, farewell)
    },
    payloads: Object.assign(Object.create(store.payloads) as Payloads, {
      async bury(id: string, at: number) {
        const { ctx } = Provider
        const farewells = (ctx && said.get(ctx)) ?? []
        const event = ctx && signOutEvent(ctx, at)
        if (!ctx || (farewells.length === 0 && !event)) return store.payloads.bury(id, at)
        said.delete(ctx)
        return store.transaction(async (tables) => {
          const ended = await tables.payloads.bury(id, at)
          if (ended && event) await tables.audit.record(event)
          // Also where another request ended it at this moment: that one may have known of fewer apps.
          for (const farewell of farewells) await put(tables, farewell)
          return ended
        })
      },
    }),
  }
}

const messageOf = (farewell: Farewell, at: number) =>
  ({
    kind: 'backchannel-logout',
    target: farewell.clientId,
    payload: farewell,
    createdAt: at,
  }) as const

/** Waits in the outbox for who delivers it. */
export const putFarewell = (
  { outbox }: Pick<Tables, 'outbox'>,
  farewell: Farewell,
  at: number,
): Promise<string> => outbox.put(messageOf(farewell, at))

/** A session also ends when its id changes: only this is a person signing out. */
function signOutEvent({ oidc, state }: KoaContextWithOIDC, at: number): AuditEvent | undefined {
  const { route, session, client } = oidc
  if (route !== 'end_session_confirm' || !session?.accountId) return undefined
  return {
    at,
    actor: session.accountId,
    action: 'session.sign-out',
    target: client ? `client:${client.clientId}` : '',
    outcome: 'ok',
    address: String(state.source ?? ''),
    ref: String(state.ref ?? ''),
  }
}

/** What to send to the app, and where. Undefined if it is gone, or wants to hear nothing. */
export type LogoutTokens = (
  farewell: Farewell,
  jti: string,
) => Promise<{ uri: string; token: string } | undefined>

/** Made when they are sent: what waited for an hour is not stale, and signed with a key that is still published. */
export function openLogoutTokens(provider: () => Provider): LogoutTokens {
  return async ({ clientId, accountId, sid, registration }, jti) => {
    const { Client, IdToken } = provider()
    const client = registration
      ? new (Client as unknown as NewClient)(registration)
      : await findRegistered(provider(), clientId)
    const uri = client?.backchannelLogoutUri
    if (!client || !uri) return undefined
    const token: LogoutToken = new IdToken({ sub: accountId }, { client })
    // Makes it the `sub` the app knows the person by.
    token.mask = { sub: null }
    token.set('events', { 'http://schemas.openid.net/event/backchannel-logout': {} })
    token.set('jti', jti)
    if (client.backchannelLogoutSessionRequired) token.set('sid', sid)
    return { uri, token: await token.issue({ use: 'logout' }) }
  }
}

type NewClient = new (metadata: Record<string, unknown>) => Client

/** Of an app that is removed, for those who tell it later. It proves itself to nobody any more: no secret goes along. */
export const leftBehind = ({ id, metadata }: ClientRow): Farewell['registration'] => ({
  ...metadata,
  ...partScopes(metadata.scope),
  client_id: id,
  token_endpoint_auth_method: 'none',
})

/** Whether it wants to hear who signs out. */
export const hears = ({ metadata }: ClientRow): boolean =>
  typeof metadata.backchannel_logout_uri === 'string'

/** Tells an app that these people's sessions at it end. Call it in the transaction that destroys their grants. */
export async function putFarewells(
  tables: Pick<Tables, 'outbox' | 'payloads'>,
  app: Pick<Farewell, 'clientId' | 'registration'>,
  people: string[],
  at: number,
): Promise<void> {
  const sessions = await tables.payloads.signedInTo(app.clientId, people, at)
  const farewells = sessions.map((session) => ({ ...app, ...session }))
  // Of a large app there are very many.
  await tables.outbox.putAll(farewells.map((farewell) => messageOf(farewell, at)))
}

type LogoutToken = InstanceType<Provider['IdToken']> & { mask?: Record<string, null> }

/** Ends node-oidc-provider's own calls. */
export function sayFarewellsLater(provider: Provider, { say }: Farewells): void {
  provider.Client.prototype.backchannelLogout = function (this: Client, accountId, sid) {
    return say({ clientId: this.clientId, accountId, sid })
  }
}
