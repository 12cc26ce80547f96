/** A request as staff and their programs see it. */

import { z } from 'zod'
import { accountName } from '#accounts/account-name.ts'
import { findNamed, type NamedAccount } from '#accounts/named.ts'
import { isoOr, isoTime } from '#lib/time.ts'
import { requestStates } from '#store/client-requests.ts'
import { clientKinds } from '#store/clients.ts'
import type { ClientRequestRow, Store } from '#store/store.ts'
import { difference, differencesOf } from '../clients/versions.ts'
import type { AdminPorts } from '../ports.ts'
import { time } from '../times.ts'
import { currentOf, readWanted, settingsFor, shownOf, shownWanted } from './wanted.ts'

export { requestStates } from '#store/client-requests.ts'

export const listedRequest = z.object({
  id: z.string(),
  state: z.enum(requestStates),
  /** `change`: of the app `clientId`. */
  about: z.enum(['new', 'change']),
  clientId: z.string().optional(),
  /** The app's. */
  name: z.string(),
  kind: z.enum(clientKinds),
  accountId: z.string(),
  account: z.string(),
  createdAt: time,
  decidedAt: time.optional(),
})

export const shownRequest = listedRequest.extend({
  purpose: z.string(),
  /** Absent where it is nothing one may ask for today. */
  wanted: shownWanted.optional(),
  /** Of a change that waits: what would be otherwise. */
  differences: z.array(difference),
  /** Of that app: sent with the approval, it makes a change somebody else made since a conflict. */
  version: z.number().optional(),
  decidedBy: z.string().optional(),
  reason: z.string().optional(),
})

type Listed = z.input<typeof listedRequest>

/** As rows of the list. */
export async function listed(
  store: Pick<Store, 'accounts' | 'identifiers'>,
  rows: ClientRequestRow[],
): Promise<Listed[]> {
  const people = await findNamed(
    store,
    rows.map(({ accountId }) => accountId),
  )
  return rows.map((row) => listedOf(row, people.get(row.accountId)))
}

function listedOf(row: ClientRequestRow, person: NamedAccount | undefined): Listed {
  const { id, state, clientId, accountId, createdAt, decidedAt } = row
  const { wanted, change } = readWanted(row)
  return {
    id,
    state,
    about: change ? 'change' : 'new',
    ...(clientId === undefined ? {} : { clientId }),
    name: wanted?.name ?? id,
    kind: wanted?.kind ?? 'web',
    accountId,
    account: (person && accountName(person.account, person.names)) || accountId,
    createdAt: isoTime(createdAt),
    decidedAt: isoOr(decidedAt),
  }
}

/** As its own page has it, with what it would change. */
export async function shown(
  { store, config }: Pick<AdminPorts, 'store' | 'config'>,
  row: ClientRequestRow,
): Promise<z.input<typeof shownRequest>> {
  const { resources } = config.site
  const client = row.clientId ? await store.clients.find(row.clientId) : undefined
  const { wanted, change } = readWanted(row)
  const before = change ? client : undefined
  const settings = wanted && shownOf(settingsFor(wanted, before, resources), before, resources)
  const people = await findNamed(store, [row.accountId])
  const compared = before && settings && row.state === 'waiting'
  return {
    ...listedOf(row, people.get(row.accountId)),
    purpose: row.purpose,
    ...(settings ? { wanted: settings } : {}),
    differences: compared ? differencesOf(currentOf(before, resources), settings) : [],
    ...(compared ? { version: before.version } : {}),
    ...(row.decidedBy === undefined ? {} : { decidedBy: row.decidedBy }),
    ...(row.reason === undefined ? {} : { reason: row.reason }),
  }
}
