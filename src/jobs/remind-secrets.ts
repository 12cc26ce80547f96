/** Writes to an app's people before its secret ends: a month, a week and a day ahead, once each. */
import { queueMail } from '#accounts/mail.ts'
import { addressesAmong } from '#accounts/mail-addresses.ts'
import { findNamed } from '#accounts/named.ts'
import { sha256 } from '#lib/crypto.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { isMailAddress } from '#lib/mail.ts'
import { day, type Now, seconds } from '#lib/time.ts'
import type { ClientRow, Store, Tables } from '#store/store.ts'
import type { Job } from './runner.ts'

export type ReminderPorts = {
  store: Store
  writeLetter: WriteLetter
  now: Now
  issuer: string
  /** Staff's language, and who is written to of an app nobody looks after. */
  language: string
  alerts: readonly string[]
}

/** Days before the end. */
const warnings = [1, 7, 30]

export function openSecretReminders(ports: ReminderPorts): Job {
  const { store, now } = ports
  return {
    name: 'remind-secrets',
    everySeconds: 3600,
    async run(signal) {
      const at = seconds(now)
      const expiring = await store.clients.secretsExpiring(at, at + Math.max(...warnings) * day)
      for (const row of expiring) {
        if (signal.aborted) return
        await store.transaction((tables) => remind(tables, row, at, ports))
      }
    },
  }
}

async function remind(tables: Tables, row: ClientRow, at: number, ports: ReminderPorts) {
  const { secretExpiresAt = at } = row
  const left = secretExpiresAt - at
  const due = warnings.find((days) => left <= days * day)
  if (due === undefined) return
  // One that comes late says how long it is, and those it overtook are not sent.
  const mark = sha256(['secret expires', row.id, secretExpiresAt, due].join('\n'))
  if (!(await tables.usedOnce.use(mark, secretExpiresAt))) return
  const params = { name: row.name, days: Math.max(1, Math.ceil(left / day)) }
  const { language } = ports
  for (const [to, link] of await readersOf(tables, row, ports)) {
    const letter = { kind: 'secret-expires', to, language, link, params } as const
    await queueMail(tables, ports.writeLetter(letter), { at })
  }
}

/**
 * Its contacts and owners, each with the app's page; of an app without either, whoever looks after this system. An owner's
 * is among her own pages: without a role she cannot open the console.
 */
async function readersOf(
  tables: Tables,
  { id, metadata }: ClientRow,
  { alerts, issuer }: ReminderPorts,
): Promise<Map<string, string>> {
  const atConsole = `${issuer}/admin/clients/${encodeURIComponent(id)}`
  const hers = `${issuer}/account/clients/app?${new URLSearchParams({ id })}`
  const contacts = Array.isArray(metadata.contacts) ? metadata.contacts.map(String) : []
  const readers = new Map(contacts.filter(isMailAddress).map((one) => [one, atConsole]))
  const owners = (await tables.clientOwners.of(id)).map(({ accountId }) => accountId)
  const kept = await tables.recoveryAddresses.ofAccounts(owners)
  const keptBy = new Map(kept.map((one) => [one.accountId, one]))
  for (const { account, names } of (await findNamed(tables, owners)).values()) {
    if (account.status !== 'active') continue
    const addresses = addressesAmong(account, names, keptBy.get(account.id))
    for (const address of addresses) readers.set(address, hers)
  }
  return readers.size > 0 ? readers : new Map(alerts.map((one) => [one, atConsole]))
}
