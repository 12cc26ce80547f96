/** One thing of a person that is otherwise masked, for a reason that is written down: shown once. */
import { numberKeyOf, openNumber } from '#accounts/personal-numbers.ts'
import type { AccountRow, Tables } from '#store/store.ts'
import { type Acting, done, rejected } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { decided, uponPerson } from './acts.ts'
import { maskedClaims } from './person.ts'
import { reaches } from './reach.ts'

type Unmasking = { sub: string; field: string; reason: string }

/** What is asked for, as `field` names it: `number:national-id` is of the kind `number`. */
type Wanted = { tables: Tables; by: Acting; ports: AdminPorts; account: AccountRow; which: string }

const readers: Record<string, (wanted: Wanted) => Promise<string | undefined>> = {
  profile: async ({ account, which }) =>
    Object.hasOwn(maskedClaims, which) ? account.profile[which]?.value : undefined,
  identifier: async ({ tables, account, which }) =>
    (await tables.identifiers.ofAccount(account.id)).find(({ type }) => type === which)?.value,
  recovery: async ({ tables, account }) => (await tables.recoveryAddresses.find(account.id))?.value,
  guardian: async ({ tables, account }) => (await tables.guardians.find(account.id))?.email,
  async number({ tables, account, which, ports }) {
    const rows = await tables.personalNumbers.ofAccount(account.id)
    const row = rows.find(({ type }) => type === which)
    return row && openNumber(numberKeyOf(ports.keys.data), row)
  },
  async claims({ tables, account, which, by }) {
    const found = await tables.identities.get(which)
    if (found?.accountId !== account.id || !reaches(by, found.connector)) return undefined
    return JSON.stringify(found.raw, null, 2)
  },
}

/** `rejected` where there is no such masked value. The audit event holds the field and the reason, never the value. */
export const unmask = (ports: AdminPorts, by: Acting, { sub, field, reason }: Unmasking) =>
  uponPerson(ports, by, sub, async (tables, account) => {
    const [kind = '', which = ''] = field.split(/:(.*)/s)
    const read = Object.hasOwn(readers, kind) ? readers[kind] : undefined
    const value = await read?.({ tables, by, ports, account, which })
    if (value === undefined)
      return rejected('field', 'is nothing of hers that is masked', 'people-field')
    await tables.audit.record(decided(by, 'account.unmask', account.id, { field, reason }))
    return done({ field, value })
  })
