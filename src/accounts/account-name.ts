/** What a member knows her account by. */
import type { AccountRow, IdentifierRow } from '#store/store.ts'

/** A name she signs in with: an address before others. */
export const signInNameOf = (names: IdentifierRow[]): string | undefined =>
  (names.find(({ type }) => type === 'email') ?? names[0])?.value

/** A name she signs in with or, where a county does that for her, her own. */
export const accountName = (
  { profile }: Pick<AccountRow, 'profile'>,
  names: IdentifierRow[],
): string => signInNameOf(names) ?? profile.preferred_username?.value ?? profile.name?.value ?? ''
