/** What an enrolment made: the account with all that belongs to it, and who would hear of it. */
import { seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'

/** No secret and no personal number is in it. */
export async function describeAccount(store: Store, accountId: string) {
  const account = await store.accounts.find(accountId)
  if (!account) throw new Error('the account that was made is not there')
  const [identifiers, password, recovery, identities, agreements, guardian, picture, numbers] =
    await Promise.all([
      store.identifiers.ofAccount(accountId),
      store.credentials.findPassword(accountId),
      store.recoveryAddresses.find(accountId),
      store.identities.ofAccount(accountId),
      store.agreements.ofAccount(accountId),
      store.guardians.find(accountId),
      store.pictures.find(accountId),
      store.personalNumbers.ofAccount(accountId),
    ])
  const profile = Object.entries(account.profile).map(([claim, { value, by, verified }]) => [
    claim,
    { value, by, ...(verified === undefined ? {} : { verified }) },
  ])
  return {
    kind: account.kind,
    status: account.status,
    identifiers: identifiers.map(({ type, value, verifiedAt }) => ({
      [type]: value,
      verified: verifiedAt !== undefined,
    })),
    password: password !== undefined,
    ...(recovery
      ? {
          recovery_address: {
            value: recovery.value,
            confirmed: recovery.confirmedAt !== undefined,
          },
        }
      : {}),
    profile: Object.fromEntries(profile),
    ...(picture ? { picture: `${picture.type}, ${picture.bytes.length} bytes` } : {}),
    ...(numbers.length > 0 ? { personal_numbers: numbers.map(({ type }) => type) } : {}),
    ...(guardian ? { guardian: { name: guardian.name, email: guardian.email } } : {}),
    identities: identities.map(({ connector }) => connector),
    agreements: agreements.map(({ terms, version, language }) => `${terms} ${version} ${language}`),
    provision: await eventsOf(store),
  }
}

async function eventsOf(store: Store): Promise<unknown[]> {
  const at = seconds(Date.now)
  const events: unknown[] = []
  for (const { id, kind } of await store.outbox.list()) {
    if (kind !== 'provisioning') continue
    const taken = await store.outbox.take(id, { at, until: at + 60 })
    if (taken) events.push(taken.payload)
  }
  return events
}
