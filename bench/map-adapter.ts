/** The cheapest storage there is: a Map that keeps everything, clients too. */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

export function openMapAdapter(clients: AdapterPayload[]): AdapterFactory {
  const rows = new Map<string, AdapterPayload>(
    clients.map((client) => [`Client:${client.client_id}`, client]),
  )
  const sessions = new Map<string, string>()

  return (model): Adapter => ({
    async upsert(id, payload) {
      rows.set(`${model}:${id}`, payload)
      if (model === 'Session' && payload.uid) sessions.set(payload.uid, id)
    },
    find: async (id) => rows.get(`${model}:${id}`),
    findByUid: async (uid) => rows.get(`Session:${sessions.get(uid)}`),
    findByUserCode: async () => undefined,
    async consume(id) {
      const row = rows.get(`${model}:${id}`)
      if (row) row.consumed = Math.floor(Date.now() / 1000)
    },
    async destroy(id) {
      rows.delete(`${model}:${id}`)
    },
    async revokeByGrantId(grantId) {
      for (const [key, row] of rows) if (row.grantId === grantId) rows.delete(key)
    },
  })
}
