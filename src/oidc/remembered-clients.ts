/**
 * Registrations as the provider built them, for a second. A sign-in asks for its client three times, and each time
 * the provider would read, serialise and hash it (and keep no more than 100 of them). What staff change reaches
 * every process within that second.
 */
import type { Client, Provider } from 'oidc-provider'

const lifeMs = 1_000
const most = 1_000

type Remembered = { client: Client; until: number }
type Memory = { known: Map<string, Remembered>; find: (id: string) => Promise<Client | undefined> }

const memories = new WeakMap<Provider, Memory>()

export function rememberClients(provider: Provider): void {
  const known = new Map<string, Remembered>()
  const { Client: clients } = provider
  const find = clients.find.bind(clients)
  const findAny = async (id: string) => {
    const remembered = known.get(id)
    if (remembered && remembered.until > performance.now()) return remembered.client
    const client = await find(id)
    if (client) {
      // A map gives its oldest entry first.
      if (known.size >= most) known.delete(known.keys().next().value ?? '')
      known.set(id, { client, until: performance.now() + lifeMs })
    } else known.delete(id)
    return client
  }
  memories.set(provider, { known, find: findAny })
  // To the provider one that staff disabled is not there: no page, no token, no introspection.
  clients.find = async (id) => {
    const client = await findAny(id)
    return client?.disabled ? undefined : client
  }
}

/** Also one that is disabled: it still has a name, and hears that its sessions ended. */
export const findRegistered = (provider: Provider, id: string): Promise<Client | undefined> =>
  memories.get(provider)?.find(id) ?? provider.Client.find(id)

/** This process changed the registration: the next request reads it anew. */
export const forgetClient = (provider: Provider, id: string): void => {
  memories.get(provider)?.known.delete(id)
}
