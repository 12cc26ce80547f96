/** What a member says of herself. */
import {
  type ProfileField,
  profileFields,
  readField,
  unverified,
} from '#accounts/profile-fields.ts'
import type { SiteFile } from '#config/schema.ts'
import { sha256 } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import type { AccountRow, Attribute, Store } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'

export { genders, type ProfileField, profileFields } from '#accounts/profile-fields.ts'

export type ProfileRules = {
  /** Attributes a member may change, beside her name. */
  editable: SiteFile['profile']['editable']
  /** Ids of our upstreams: what one of them vouched for is not hers to change. */
  upstreams: ReadonlySet<string>
}

export type ShownField = {
  field: ProfileField
  value: string
  /** Who vouched for what she cannot change. */
  lockedBy?: string
}

/** The fields of her form, those she may not change too if they say something. */
export function profileForm(
  { profile }: Pick<AccountRow, 'profile'>,
  rules: ProfileRules,
): ShownField[] {
  return profileFields.flatMap((field) => {
    const { value = '', by = '' } = profile[field] ?? {}
    if (isHers(field, profile[field], rules)) return [{ field, value }]
    return value ? [{ field, value, lockedBy: by }] : []
  })
}

const isHers = (
  field: ProfileField,
  known: Attribute | undefined,
  { editable, upstreams }: ProfileRules,
): boolean => !(known && upstreams.has(known.by)) && (field === 'name' || editable.includes(field))

/** Of what she was shown: who saves over a change made in another tab since is told so. */
export const profileVersion = ({ profile }: Pick<AccountRow, 'profile'>): string =>
  sha256(JSON.stringify(profileFields.map((field) => profile[field]?.value ?? '')))

export type ProfileChange =
  | { kind: 'saved'; changed: ProfileField[] }
  | { kind: 'again'; problems: Partial<Record<ProfileField, Message>> }
  /** Somebody, perhaps she herself in another tab, changed it since she was shown it. */
  | { kind: 'changed-meanwhile' }

/** Fields that are not hers, or not named, are not read: what is sent in them changes nothing. */
export async function changeProfile(
  store: Store,
  acting: Acting,
  typed: Partial<Record<ProfileField, string>>,
  { version, ...rules }: ProfileRules & { version: string },
): Promise<ProfileChange> {
  return store.transaction(async (tables): Promise<ProfileChange> => {
    const account = await lockMember(tables, acting.accountId)
    if (profileVersion(account) !== version) return { kind: 'changed-meanwhile' }
    const problems: Partial<Record<ProfileField, Message>> = {}
    const profile = { ...account.profile }
    const changed: ProfileField[] = []
    for (const { field, value: before, lockedBy } of profileForm(account, rules)) {
      const text = typed[field]
      if (lockedBy !== undefined || text === undefined) continue
      const read = readField(field, text, before)
      if ('problem' in read) {
        problems[field] = read.problem
        continue
      }
      if (read.value === before) continue
      changed.push(field)
      if (read.value === '') delete profile[field]
      else profile[field] = { value: read.value, by: 'self', at: acting.at, ...unverified(field) }
    }
    if (Object.keys(problems).length > 0) return { kind: 'again', problems }
    if (changed.length > 0) {
      await tables.accounts.setProfile(account.id, profile, acting.at)
      await tables.audit.record(acted(acting, 'profile.change', { details: { changed } }))
    }
    return { kind: 'saved', changed }
  })
}
