/** What the workloads need in our database: an app, a machine, and people with a password. */
import { randomUUID } from 'node:crypto'
import { addClient, type NewClient } from '#admin/clients.ts'
import type { House } from '#http/house.ts'
import { seconds } from '#lib/time.ts'
import { type App, localAccount, password, redirectUri } from './site.ts'

/** Registers the two apps: our own, so that there is no consent page. */
export async function addApps(house: House): Promise<{ app: App; machine: App }> {
  const add = async (more: Pick<NewClient, 'type' | 'redirectUris'>): Promise<App> => {
    const ports = { ...house, resources: house.config.site.resources, actor: 'bench' }
    const added = await addClient(ports, { name: 'Bench', firstParty: true, ...more })
    if (added.kind === 'rejected') throw new Error(JSON.stringify(added.problems))
    const { client_id: id, client_secret: secret } = added.registration
    return { clientId: String(id), clientSecret: String(secret) }
  }
  return {
    app: await add({ type: 'web', redirectUris: [redirectUri] }),
    machine: await add({ type: 'machine' }),
  }
}

/** Makes local accounts that share one hash: each would take as long as a sign-in. */
export async function addPeople({ store, passwords, now }: House, count: number): Promise<void> {
  const secret = await passwords.hash(password)
  const at = seconds(now)
  const stamps = { createdAt: at, updatedAt: at }
  for (let n = 0; n < count; n++) {
    const accountId = randomUUID()
    await store.transaction(async ({ accounts, identifiers, credentials }) => {
      await accounts.create({
        id: accountId,
        kind: 'person',
        status: 'active',
        profile: { name: { value: `測試${n}`, by: 'staff', at } },
        ...stamps,
      })
      await identifiers.take({ type: 'email', value: localAccount(n), accountId, verifiedAt: at })
      await credentials.create({ id: randomUUID(), accountId, type: 'password', secret, ...stamps })
    })
  }
}
