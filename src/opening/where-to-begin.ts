/** What the screen says as long as nobody can open the console. */
import cluster from 'node:cluster'
import type { House } from '#http/house.ts'

export async function whereToBegin({ store, config }: House): Promise<string[]> {
  // Once, not by each worker.
  if (!cluster.isPrimary || (await store.staffRoles.list()).length > 0) return []
  return [
    `console        ${config.issuer}/admin`,
    '               nobody has a role yet: npx citygate admin invite --role owner --email …',
  ]
}
