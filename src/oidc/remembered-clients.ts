/**
 * Registrations as the provider built them, for a second. A sign-in asks for its client three times, and each time
 * the provider would read, serialise and hash it (and keep no more than 100 of them). What staff change reaches
 * every process within that second.
 */
import type { Client, Provider } from 'oidc-provider'

const lifeMs = 1_000
const most = 1_000

type Remembered = { client: Client; until: number }

const memories = new WeakMap<Provider, Map<string, Remembered>>()

export function rememberClients(provider: Provider): void {
  const known = new Map<string, Remembered>()
  memories.set(provider, known)
  const { Client: clients } = provider
  const find = clients.find.bind(clients)
  clients.find = async (id) => {
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
}

/** This process changed the registration: the next request reads it anew. */
export const forgetClient = (provider: Provider, id: string): void => {
  memories.get(provider)?.delete(id)
}
