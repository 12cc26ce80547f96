/** What owners of two accounts are told when they become one. */
import type { WriteLetter } from '#lib/letter.ts'
import { maskName } from '#lib/mask.ts'
import type { AccountRow, Tables } from '#store/store.ts'
import { accountName } from './account-name.ts'
import { queueMail } from './mail.ts'
import { addressesOf } from './mail-addresses.ts'
import type { Pair } from './merging.ts'

export type JoiningLetter = {
  to: string
  name: string | undefined
  params: { account: string; other: string; merge: string }
}

/**
 * To every address of both, as they are before anything is moved. Each reader knows one account: of the other, a hint.
 */
export async function joiningLetters(
  tables: Tables,
  { kept, merged }: Pair,
  merge: string,
): Promise<JoiningLetter[]> {
  const [stays, goes] = [await nameOf(tables, kept), await nameOf(tables, merged)]
  const hers = await addressesOf(tables, kept, stays.names)
  const theirs = await addressesOf(tables, merged, goes.names)
  return [
    ...hers.map((to) => ({
      to,
      name: kept.profile.name?.value,
      params: { account: stays.name, other: maskName(goes.name), merge },
    })),
    ...theirs
      .filter((to) => !hers.includes(to))
      .map((to) => ({
        to,
        name: merged.profile.name?.value,
        params: { account: maskName(stays.name), other: goes.name, merge },
      })),
  ]
}

/** Call it in the transaction that joins them. */
export async function tellJoined(
  tables: Pick<Tables, 'outbox'>,
  letters: JoiningLetter[],
  { at, language }: { at: number; language: string },
  writeLetter: WriteLetter,
): Promise<void> {
  for (const { name, ...letter } of letters) {
    const greeted = name ? { name } : {}
    await queueMail(
      tables,
      writeLetter({ kind: 'accounts-joined', language, ...greeted, ...letter }),
      { at },
    )
  }
}

async function nameOf({ identifiers }: Pick<Tables, 'identifiers'>, account: AccountRow) {
  const names = await identifiers.ofAccount(account.id)
  return { names, name: accountName(account, names) || account.id.slice(0, 8) }
}
