/**
 * Asks our own provider what an app would ask it, inside this process. An app's secret we do not know: the app is stood
 * in for by a copy that needs none, which exists for the one who asks and reaches no request that came over the network.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import compose from 'koa-compose'
import type { Client, Provider } from 'oidc-provider'

const standIns = new AsyncLocalStorage<Client>()

/** Makes whoever asks inside find the copy; everybody else finds what is registered. */
export function admitStandIns({ Client: clients }: Provider): void {
  const find = clients.find.bind(clients)
  clients.find = async (id) => {
    const standIn = standIns.getStore()
    return standIn?.clientId === id ? standIn : find(id)
  }
}

/** The app as it is, but that it proves nothing and binds its tokens to no key. */
function standInFor({ Client: clients }: Provider, client: Client): Client {
  const {
    client_secret: _secret,
    token_endpoint_auth_signing_alg: _alg,
    ...metadata
  } = client.metadata()
  const Constructor = clients as unknown as new (metadata: object) => Client
  return new Constructor({
    ...metadata,
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: false,
  })
}

export type Asked = {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  /** A form. */
  body?: Record<string, string>
}

export type Answered = { status: number; body: Record<string, unknown> }

/** `state`: of the request on whose behalf it is asked. */
export async function askInside(
  provider: Provider,
  { method, path, headers = {}, body }: Asked,
  { state, as }: { state: object; as: Client },
): Promise<Answered> {
  const request = new IncomingMessage(new Socket())
  const text = body ? new URLSearchParams(body).toString() : ''
  request.method = method
  request.url = path
  request.headers = {
    accept: 'application/json',
    ...(body
      ? {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': String(Buffer.byteLength(text)),
        }
      : {}),
    ...headers,
  }
  if (text) request.push(text)
  request.push(null)
  const ctx = provider.createContext(request, new ServerResponse(request))
  ctx.state = state
  await standIns.run(standInFor(provider, as), () => compose(provider.middleware)(ctx))
  const answer = ctx.body
  return {
    status: ctx.status,
    body: typeof answer === 'object' && answer !== null ? (answer as Answered['body']) : {},
  }
}
