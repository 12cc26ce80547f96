/** In which school and role a person can act, and in which she chose to act towards an app. */
import type { AffiliationRow, Store } from '#store/store.ts'
import type { SchoolYear } from './school-year.ts'

export type PersonAffiliation = Omit<AffiliationRow, 'accountId'> & {
  /** Stable over snapshots: the school and the role, not the position in a list that counties reorder. */
  key: string
  /** Last school year's: she is shown it, nobody else is told. */
  stale: boolean
}

type Reads = Pick<Store, 'affiliations' | 'affiliationChoices'>

/** One entry per school and role: of two snapshots that agree, the newer one. */
export async function listAffiliations(
  store: Pick<Store, 'affiliations'>,
  accountId: string,
  year: SchoolYear,
): Promise<PersonAffiliation[]> {
  const byKey = new Map<string, PersonAffiliation>()
  for (const { accountId: _, ...row } of await store.affiliations.ofAccount(accountId)) {
    const key = `${row.schoolCode}:${row.role}`
    if (!byKey.has(key)) byKey.set(key, { key, ...row, stale: year.isPast(row.readAt) })
  }
  return [...byKey.values()]
}

/** Those of this school year: she can act in them, and apps may be told. */
export const currentAffiliations = async (
  ...args: Parameters<typeof listAffiliations>
): Promise<PersonAffiliation[]> => (await listAffiliations(...args)).filter(({ stale }) => !stale)

/** All a person can act in, the one she acts in towards `clientId` first. */
export async function affiliationsToward(
  store: Reads,
  accountId: string,
  clientId: string,
  year: SchoolYear,
): Promise<PersonAffiliation[]> {
  const all = await currentAffiliations(store, accountId, year)
  if (all.length < 2) return all
  const key = await store.affiliationChoices.find(accountId, clientId)
  const chosen = all.find((one) => one.key === key)
  return chosen ? [chosen, ...all.filter((one) => one !== chosen)] : all
}

/** True when she has several and has not said in which one she acts here, or that one is gone. */
export async function mustChooseAffiliation(
  store: Reads,
  accountId: string,
  clientId: string,
  year: SchoolYear,
): Promise<boolean> {
  const all = await currentAffiliations(store, accountId, year)
  if (all.length < 2) return false
  const key = await store.affiliationChoices.find(accountId, clientId)
  return !all.some((one) => one.key === key)
}
