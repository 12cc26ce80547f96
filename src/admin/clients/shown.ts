/** An app as staff and their programs see it; no secret among it. */

import { z } from 'zod'
import { day, isoOr, isoTime } from '#lib/time.ts'
import { type ClientState, clientKinds, clientStates } from '#store/clients.ts'
import type { ClientRow } from '#store/store.ts'
import { time } from '../times.ts'
import { toSettings } from './registration.ts'
import { type Settings, shownSettings } from './schema.ts'
import { hasFormer } from './secrets.ts'

/** Seconds before its secret's end in which an app is listed as `expiring`. */
export const soon = 30 * day

export const listedClient = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(clientKinds),
  /** `expiring`: its secret ends within 30 days, or did. */
  state: z.enum(clientStates),
  /** Where people are sent back to; of an app without such an address, nothing. */
  host: z.string().optional(),
  /** `dynamic`: it registered itself. */
  origin: z.literal('dynamic').optional(),
  secretExpiresAt: time.optional(),
  version: z.number(),
  createdAt: time,
  updatedAt: time,
})

export const shownClient = z.object({
  ...listedClient.shape,
  settings: shownSettings,
  disabledAt: time.optional(),
  /** Of the logo, SHA-256. */
  logo: z.string().optional(),
  secret: z
    .object({
      createdAt: time.optional(),
      expiresAt: time.optional(),
      /** The one before it is good until then. */
      formerExpiresAt: time.optional(),
    })
    .optional(),
  owners: z.array(
    z.object({
      /** Of the account; to who may not know whose it is, a mark that is good for this app only. */
      accountId: z.string(),
      /** As it is called here; to who may not know, as whoever added it called it. */
      account: z.string(),
      name: z.string().optional(),
      since: time,
    }),
  ),
})

/** `at`: seconds since 1970. */
export const stateOf = (row: ClientRow, at: number): ClientState => {
  if (row.disabledAt !== undefined) return 'disabled'
  const { secretExpiresAt } = row
  return secretExpiresAt !== undefined && secretExpiresAt < at + soon ? 'expiring' : 'active'
}

/** As a row of the list. */
export function listed(row: ClientRow, at: number): z.input<typeof listedClient> {
  const [first] = Array.isArray(row.metadata.redirect_uris) ? row.metadata.redirect_uris : []
  const host = URL.parse(String(first ?? ''))?.host
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    state: stateOf(row, at),
    ...(host ? { host } : {}),
    ...(row.origin ? { origin: row.origin } : {}),
    secretExpiresAt: isoOr(row.secretExpiresAt),
    version: row.version,
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
  }
}

/** As its own page has it, but for its owners, who are asked for separately. */
export function shown(
  row: ClientRow,
  at: number,
  resourceScopes: readonly string[],
): Omit<z.input<typeof shownClient>, 'owners'> {
  const { logo } = row.metadata
  return {
    ...listed(row, at),
    settings: toSettings(row, resourceScopes) satisfies Settings,
    disabledAt: isoOr(row.disabledAt),
    ...(typeof logo === 'string' ? { logo } : {}),
    ...(row.secretHash === undefined ? {} : { secret: secretOf(row, at) }),
  }
}

const secretOf = (row: ClientRow, at: number) => ({
  createdAt: isoOr(row.secretCreatedAt),
  expiresAt: isoOr(row.secretExpiresAt),
  formerExpiresAt: hasFormer(row, at) ? isoOr(row.formerSecretExpiresAt) : undefined,
})
