/** What staff can do about apps. */

import { z } from 'zod'
import { isoOr, isoTime } from '#lib/time.ts'
import { clientKinds, clientSorts, clientStates } from '#store/clients.ts'
import { listVersions, mostVersions, shownVersion } from '../clients/history.ts'
import { resourceScopesOf } from '../clients/judge.ts'
import { findApps } from '../clients/list.ts'
import { putLogo, removeLogo } from '../clients/logo.ts'
import { addOwner, ownersOf, removeOwner } from '../clients/ownership.ts'
import { findWithin } from '../clients/reach.ts'
import { register, registerPortsOf, reregister } from '../clients/register.ts'
import { changedSettings, newSettings, type Settings } from '../clients/schema.ts'
import { addSecret, dropFormer, keepDays, mostExpiryDays } from '../clients/secrets.ts'
import { listedClient, shown, shownClient } from '../clients/shown.ts'
import { disable, enable, remove } from '../clients/standing.ts'
import { undoTo } from '../clients/undo.ts'
import { uriProblem } from '../clients/uris.ts'
import { done, nothing, type Operation, type Outcome, operation } from '../operation.ts'
import { paged, pageOf } from '../paging.ts'
import { time } from '../times.ts'

const id = z.string().min(1).max(255)
const onlyId = z.strictObject({ id })
/** The one she looked at: where it is another by now, nothing is written. */
const version = z.coerce.number().int().min(1).max(mostVersions)
const named = z.strictObject({
  id,
  /** Its name, typed: so that it is this app and no other. */
  name: z.string().max(200),
})

const then = <T, U>(outcome: Outcome<T>, value: (done: T) => U): Outcome<U> =>
  outcome.kind === 'done' ? done(value(outcome.value)) : outcome
const toNothing = <T>(outcome: Outcome<T>) => then(outcome, () => ({}))

export const listClients = operation({
  id: 'clients.list',
  summary: 'Lists apps: by name, or the newest or last changed first.',
  permission: 'clients.read',
  method: 'GET',
  path: '/clients',
  input: z.strictObject({
    ...paged,
    /** A part of the name, the beginning of the id, or a part of a redirect URI’s host. */
    q: z.string().trim().max(200).optional(),
    kind: z.enum(clientKinds).optional(),
    state: z.enum(clientStates).optional(),
    sort: z.enum(clientSorts).default('name'),
    order: z.enum(['ascending', 'descending']).default('ascending'),
  }),
  output: pageOf(listedClient),
  run: findApps,
})

export const getClient = operation({
  id: 'clients.get',
  summary: 'Reads one app with its settings and owners; never its secret.',
  permission: 'clients.read',
  method: 'GET',
  path: '/clients/{id}',
  input: onlyId,
  output: shownClient,
  async run({ store, config, keys }, by, input) {
    const row = await findWithin(store, by, input.id)
    if (!row) return { kind: 'unknown' }
    const owners = (await ownersOf(store, keys, by, row.id)).map((one) => ({
      ...one,
      since: isoTime(one.since),
    }))
    return done({ ...shown(row, by.at, resourceScopesOf(config.site.resources)), owners })
  },
})

export const createClient = operation({
  id: 'clients.create',
  summary: 'Registers an app; its secret is in this answer and nowhere else.',
  permission: 'clients.write',
  method: 'POST',
  path: '/clients',
  input: newSettings,
  output: z.object({ id: z.string(), version: z.number(), secret: z.string().optional() }),
  async run(ports, by, input) {
    const settings = input as Partial<Settings> & Pick<Settings, 'name' | 'kind'>
    const outcome = await register(registerPortsOf(ports), by, settings)
    return then(outcome, ({ row, secret }) => ({ id: row.id, version: row.version, secret }))
  },
})

export const updateClient = operation({
  id: 'clients.update',
  summary: 'Changes some of an app’s settings; those not named stay.',
  permission: 'clients.write',
  method: 'PATCH',
  path: '/clients/{id}',
  input: z.strictObject({ id, version, ...changedSettings.shape }),
  /** A secret only where it needs one from now on. */
  output: z.object({ id: z.string(), version: z.number(), secret: z.string().optional() }),
  async run(ports, by, { id, version, ...changes }) {
    const outcome = await reregister(registerPortsOf(ports), by, { id, version }, changes)
    return then(outcome, ({ row, secret }) => ({ id, version: row.version, secret }))
  },
})

export const checkClient = operation({
  id: 'clients.check',
  summary: 'Says what is wrong with redirect URIs, one by one; nothing is written.',
  permission: 'clients.write',
  method: 'POST',
  path: '/client-checks',
  input: z.strictObject({
    kind: z.enum(clientKinds),
    redirectUris: z.array(z.string().max(2000)).max(100),
  }),
  output: z.object({
    items: z.array(
      z.object({
        uri: z.string(),
        problem: z.object({ message: z.string(), code: z.string() }).optional(),
      }),
    ),
  }),
  async run(_ports, _by, { kind, redirectUris }) {
    return done({ items: redirectUris.map((uri) => ({ uri, problem: uriProblem(uri, kind) })) })
  },
})

export const addClientSecret = operation({
  id: 'clients.secret.add',
  summary:
    'Makes a new secret, in this answer and nowhere else; the one before stays good for a while.',
  permission: 'clients.write',
  dangerous: true,
  method: 'POST',
  path: '/clients/{id}/secrets',
  input: z.strictObject({
    id,
    /** The one before is good for so many days; 0: everything older ends at once. */
    keepDays: z.coerce.number().int().min(0).max(keepDays.most).default(keepDays.usual),
    /** Left out: it does not expire. */
    expiresDays: z.coerce.number().int().min(1).max(mostExpiryDays).optional(),
  }),
  output: z.object({
    id: z.string(),
    secret: z.string(),
    expiresAt: time.optional(),
    formerExpiresAt: time.optional(),
  }),
  async run(ports, by, { id, keepDays: keep, expiresDays: expires }) {
    const outcome = await addSecret(ports, by, { id, keep, expires })
    return then(outcome, ({ secret, expiresAt, formerExpiresAt }) => ({
      id,
      secret,
      expiresAt: isoOr(expiresAt),
      formerExpiresAt: isoOr(formerExpiresAt),
    }))
  },
})

export const dropClientSecret = operation({
  id: 'clients.secret.drop',
  summary: 'Ends the secret before the present one.',
  permission: 'clients.write',
  dangerous: true,
  method: 'DELETE',
  path: '/clients/{id}/secrets/former',
  input: onlyId,
  output: nothing,
  run: async (ports, by, { id }) => toNothing(await dropFormer(ports, by, id)),
})

export const disableClient = operation({
  id: 'clients.disable',
  summary: 'Switches an app off: its grants and tokens end, it is told to sign everybody out.',
  permission: 'clients.write',
  dangerous: true,
  method: 'POST',
  path: '/clients/{id}/disable',
  input: named,
  output: nothing,
  run: async (ports, by, input) => toNothing(await disable(ports, by, input)),
})

export const enableClient = operation({
  id: 'clients.enable',
  summary: 'Switches an app on again.',
  permission: 'clients.write',
  method: 'POST',
  path: '/clients/{id}/enable',
  input: onlyId,
  output: nothing,
  run: async (ports, by, { id }) => toNothing(await enable(ports, by, id)),
})

export const removeClient = operation({
  id: 'clients.remove',
  summary: 'Removes an app with everything issued to it.',
  permission: 'clients.write',
  dangerous: true,
  method: 'DELETE',
  path: '/clients/{id}',
  input: named,
  output: nothing,
  run: async (ports, by, input) => toNothing(await remove(ports, by, input)),
})

export const listClientVersions = operation({
  id: 'clients.versions',
  summary: 'Lists what an app’s settings were: who changed what and when, the newest first.',
  permission: 'clients.read',
  method: 'GET',
  path: '/clients/{id}/versions',
  input: z.strictObject({ id, ...paged }),
  output: pageOf(shownVersion),
  run: listVersions,
})

export const undoClient = operation({
  id: 'clients.undo',
  summary: 'Brings an app’s settings back to what they were, as a new version.',
  permission: 'clients.write',
  method: 'POST',
  path: '/clients/{id}/versions/{version}/undo',
  input: z.strictObject({ id, version, current: version }),
  output: z.object({ id: z.string(), version: z.number(), secret: z.string().optional() }),
  async run(ports, by, input) {
    const outcome = await undoTo(registerPortsOf(ports), by, input)
    return then(outcome, ({ row, secret }) => ({ id: row.id, version: row.version, secret }))
  },
})

export const addClientOwner = operation({
  id: 'clients.owners.add',
  summary: 'Adds an owner to an app, by a name she signs in with.',
  permission: 'clients.write',
  method: 'POST',
  path: '/clients/{id}/owners',
  input: z.strictObject({ id, account: z.string().trim().min(1).max(254) }),
  output: z.object({ id: z.string(), accountId: z.string() }),
  run: addOwner,
})

export const removeClientOwner = operation({
  id: 'clients.owners.remove',
  summary: 'Removes an owner from an app.',
  permission: 'clients.write',
  method: 'DELETE',
  path: '/clients/{id}/owners/{accountId}',
  input: z.strictObject({ id, accountId: z.string().min(1).max(64) }),
  output: nothing,
  run: async (ports, by, input) => toNothing(await removeOwner(ports, by, input)),
})

export const putClientLogo = operation({
  id: 'clients.logo.put',
  summary: 'Sets an app’s picture: JPEG, PNG or WebP, encoded anew as a square.',
  permission: 'clients.write',
  method: 'PUT',
  path: '/clients/{id}/logo',
  bodyBytes: 7_100_000,
  input: z.strictObject({
    id,
    /** In base64, of at most 5 MB. */
    image: z.base64().min(1).max(7_000_000),
  }),
  output: z.object({ id: z.string(), logo: z.string() }),
  run: putLogo,
})

export const removeClientLogo = operation({
  id: 'clients.logo.remove',
  summary: 'Removes an app’s picture.',
  permission: 'clients.write',
  method: 'DELETE',
  path: '/clients/{id}/logo',
  input: onlyId,
  output: nothing,
  run: async (ports, by, { id }) => toNothing(await removeLogo(ports, by, id)),
})

export const clientsOperations: readonly Operation[] = [
  listClients,
  getClient,
  createClient,
  updateClient,
  checkClient,
  addClientSecret,
  dropClientSecret,
  disableClient,
  enableClient,
  removeClient,
  listClientVersions,
  undoClient,
  addClientOwner,
  removeClientOwner,
  putClientLogo,
  removeClientLogo,
]
