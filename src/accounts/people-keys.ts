/** By what somebody is found when only the beginning of it is typed. */
import { sha256 } from '#lib/crypto.ts'
import type { AccountKey, KeySource, Store, Tables } from '#store/store.ts'

/** Letters of a key; who types more is found by the first of them. */
const longest = 200
/** A name is found from so many places in it. */
const mostParts = 10

/**
 * As keys are kept and as what is typed is compared with them: without case, full-width letters, invisible characters
 * and the spaces some counties put between the characters of a Chinese name.
 */
export function keyText(text: string): string {
  const plain = text
    .toWellFormed()
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .replace(/(?<=\p{Script=Han}) (?=\p{Script=Han})/gu, '')
    .trim()
  return [...plain].slice(0, longest).join('')
}

/** 王小明 also by 小明 and 明; Anne Marie also by Marie: from each Chinese character and each word on. */
function partsOf(name: string): string[] {
  const letters = [...name]
  const begins = letters.flatMap((letter, at) => {
    const before = letters[at - 1]
    const whole = before === undefined || !/[\p{L}\p{M}\p{N}]/u.test(before)
    return /\p{Script=Han}/u.test(letter) || (whole && /[\p{L}\p{N}]/u.test(letter)) ? [at] : []
  })
  return begins.slice(0, mostParts).map((at) => letters.slice(at).join(''))
}

/** All keys of one person, each once and sorted: the digest is made of them. */
export function keysOf({ profile, names }: Pick<KeySource, 'profile' | 'names'>): AccountKey[] {
  const { name, preferred_username: username, email } = profile
  const keys: AccountKey[] = [
    ...names.flatMap(({ type, value }): AccountKey[] =>
      // A telephone number is shown to nobody who does not say why, so it is not found by its first digits either.
      type === 'phone' ? [] : [{ kind: type === 'email' ? 'email' : 'account', value }],
    ),
    ...(username ? [{ kind: 'account' as const, value: username.value }] : []),
    ...(email ? [{ kind: 'email' as const, value: email.value }] : []),
    ...partsOf(keyText(name?.value ?? '')).map((value) => ({ kind: 'name' as const, value })),
  ]
  const byValue = new Map(
    keys.flatMap(({ kind, value }): [string, AccountKey][] => {
      const text = keyText(value)
      return text === '' ? [] : [[`${kind} ${text}`, { kind, value: text }]]
    }),
  )
  return [...byValue.keys()].sort().flatMap((one) => byValue.get(one) ?? [])
}

const keyed = (source: KeySource) => {
  const keys = keysOf(source)
  return { id: source.id, keys, digest: sha256(JSON.stringify(keys)), before: source.digest }
}

const stale = (sources: KeySource[]) =>
  sources.map(keyed).filter(({ digest, before }) => digest !== before)

/** Makes their keys what they should be; nothing is written where they are. How many were not. Call it inside a transaction. */
export async function indexIn(
  { accountKeys }: Pick<Tables, 'accountKeys'>,
  ids: string[],
): Promise<number> {
  // Held before they are read: whoever erases one of them meanwhile comes before or after.
  await accountKeys.hold(ids)
  const rows = stale(await accountKeys.sources(ids))
  await accountKeys.put(rows)
  return rows.length
}

/** The same for many of whom most are as they were: those are only read. */
export async function indexPeople(
  store: Pick<Store, 'accountKeys' | 'transaction'>,
  ids: string[],
): Promise<number> {
  const changed = stale(await store.accountKeys.sources(ids)).map(({ id }) => id)
  if (changed.length === 0) return 0
  return store.transaction((tables) => indexIn(tables, changed))
}
