/** Keeps programs that register themselves like any other app: with their history, and everything audited. */
import { sha256 } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Registering, Registry } from '#oidc/registration.ts'
import { kindOf } from '#store/clients.ts'
import type { ClientRow, InitialTokenRow, Store } from '#store/store.ts'
import { keepChange, noteChange } from '../clients/changes.ts'
import { usesSecret } from '../clients/registration.ts'
import { withoutSecrets } from '../clients/secrets.ts'
import { takeAway } from '../clients/standing.ts'
import { isWithin } from './ceiling.ts'
import { isSameSubject, judgeRegistration, keepOurs } from './judge.ts'
import { type HeldPolicy, heldPolicy } from './policy.ts'

/** Whether another app may be registered with the token. */
export const isUsable = ({ usesLeft, expiresAt, revokedAt }: InitialTokenRow, at: number) =>
  usesLeft > 0 && expiresAt > at && revokedAt === undefined

export function openRegistry(store: Store, now: Now): Registry {
  const policyOf = (kept: Record<string, unknown> | undefined): HeldPolicy => {
    const parsed = heldPolicy.safeParse(kept)
    // A policy that can no longer be read allows nothing.
    return parsed.success ? parsed.data : { kinds: [], scopes: [], hosts: [] }
  }
  const nameOf = ({ metadata, id }: Registering) => String(metadata.client_name ?? id).slice(0, 200)

  return {
    async mayRegister({ digest }) {
      const token = await store.registrations.findTokenByDigest(digest)
      return token !== undefined && isUsable(token, seconds(now))
    },
    ownerOf: async ({ digest }) => (await store.registrations.findByAccessToken(digest))?.clientId,
    async judge(wanted, by) {
      const { registrations } = store
      if ('initial' in by) {
        const token = await registrations.findTokenByDigest(by.initial.digest)
        return judgeRegistration(wanted, policyOf(token?.policy))
      }
      const held = await registrations.findByAccessToken(by.owner.digest)
      judgeRegistration(wanted, policyOf(held?.policy), by.before)
    },
    create: (client, { digest }) =>
      store.transaction(async (tables) => {
        const at = seconds(now)
        if (!(await tables.registrations.useToken(digest, at))) return false
        const token = await tables.registrations.findTokenByDigest(digest)
        if (!token) return false
        const { id, metadata, secret, where } = client
        const row: ClientRow = {
          id,
          metadata,
          name: nameOf(client),
          kind: kindOf(metadata),
          version: 1,
          origin: 'dynamic',
          ...(secret === undefined ? {} : { secretHash: sha256(secret), secretCreatedAt: at }),
          createdAt: at,
          updatedAt: at,
        }
        if (!(await tables.clients.create(row))) throw new Error('an id was given out twice')
        await tables.registrations.hold(id, token.policy)
        const details = {
          token: token.id,
          name: metadata.client_name,
          redirect_uris: metadata.redirect_uris,
        }
        const who = { actor: `client:${id}`, at, where }
        await noteChange(tables, row, who, { because: 'register', details })
        return true
      }),
    change: (client, { digest }) =>
      store.transaction(async (tables) => {
        const at = seconds(now)
        const before = await tables.clients.find(client.id)
        const owner = await tables.registrations.findByAccessToken(digest)
        if (!before || owner?.clientId !== before.id) return false
        const { id, secret, where } = client
        const metadata = { ...client.metadata }
        // It was judged by what was read up to a second ago: what staff changed since is as they changed it.
        keepOurs(metadata, before.metadata)
        if (!isSameSubject(metadata, before.metadata)) return false
        if (!isWithin(metadata, policyOf(owner.policy))) return false
        const next: ClientRow = {
          ...(usesSecret(metadata) ? before : withoutSecrets(before)),
          metadata,
          name: nameOf(client),
          kind: kindOf(metadata),
          ...(secret === undefined ? {} : { secretHash: sha256(secret), secretCreatedAt: at }),
        }
        const who = { actor: `client:${id}`, at, where }
        const kept = await keepChange(tables, before, next, who, { because: 'reregister' })
        // Of two changes at the same moment the other one was faster, and has used the token up.
        if (!kept) return false
        await tables.registrations.dropAccessToken(digest)
        return true
      }),
    remove: (id, { digest }, where) =>
      store.transaction(async (tables) => {
        const row = await tables.clients.find(id)
        if (!row || !(await tables.registrations.dropAccessToken(digest))) return false
        return takeAway(tables, row, { actor: `client:${id}`, at: seconds(now), where })
      }),
    async setOwner(id, { digest }) {
      await store.registrations.setAccessToken(id, digest)
    },
  }
}
