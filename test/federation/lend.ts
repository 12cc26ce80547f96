/** What connectors are lent in their own tests: no network but the test's, no database. */
import type { FederationPorts } from '#federation/connector.ts'
import { ownAddresses } from '#federation/own-addresses.ts'

export function lendFederation(ports: Partial<FederationPorts> = {}): FederationPorts {
  const used = new Set<string>()
  const kept = new Map<string, { text: string; readAt: number }>()
  const now = ports.now ?? Date.now
  return {
    now,
    fetch: () => Promise.reject(new TypeError('this test reaches nobody')),
    ownAddresses: (connector) => ownAddresses('https://id.example', connector),
    async firstUse(key) {
      const first = !used.has(key)
      used.add(key)
      return first
    },
    documents: {
      find: async (key) => kept.get(key),
      keep: async (key, text) => void kept.set(key, { text, readAt: Math.floor(now() / 1000) }),
    },
    ...ports,
  }
}
