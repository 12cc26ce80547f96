/** What connectors are lent. */
import type { FederationPorts } from '#federation/connector.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import { sha256 } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'

export type FederationParts = {
  store: Pick<Store, 'usedOnce' | 'upstreamDocuments'>
  /** The guarded client. */
  fetch: typeof fetch
  now: Now
  issuer: string
}

export const openFederationPorts = ({
  store,
  fetch,
  now,
  issuer,
}: FederationParts): FederationPorts => ({
  fetch,
  now,
  ownAddresses: (connector) => ownAddresses(issuer, connector),
  firstUse: (key, expiresAt) => store.usedOnce.use(sha256(key), expiresAt),
  documents: {
    async find(key) {
      const found = await store.upstreamDocuments.find(key)
      return found && { text: found.body, readAt: found.readAt }
    },
    keep: (key, text) =>
      store.upstreamDocuments.keep({ id: key, body: text, readAt: seconds(now) }),
  },
})
