/** What she says of herself, on a form. */
import {
  changeProfile,
  genders,
  type ProfileField,
  profileFields,
  profileForm,
  profileVersion,
} from '#account/profile.ts'
import type { Message } from '#lib/messages.ts'
import { asWritten } from '#lib/taiwan-numbers.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import type { Fields } from '../../input.ts'
import { connectorLabel } from './labels.ts'
import type { Member, MemberRoutes } from './members.ts'

type More = {
  typed?: Fields
  problems?: Partial<Record<ProfileField, Message>>
  pictureProblem?: Message
  notice?: Message
  status?: number
  waitSeconds?: number
}

export function profileRoutes(members: MemberRoutes, house: House): void {
  const { store } = house
  const { show, act, done } = members
  const rules = profileRules(house)

  show('account.profile', '/account/profile', (ctx, member) =>
    showProfile(ctx, member, members, house),
  )

  act(
    'account.profile.save',
    '/account/profile',
    '/account/profile',
    async (ctx, member, fields) => {
      // Only these are read, whatever else was sent.
      const typed = Object.fromEntries(profileFields.map((field) => [field, fields[field]]))
      const version = fields.version ?? ''
      const change = await changeProfile(store, member.acting, typed, { ...rules, version })
      switch (change.kind) {
        case 'saved':
          return done(ctx, '/account/profile', 'saved')
        case 'again': {
          const more = { typed: fields, problems: change.problems, status: 422 }
          return showProfile(ctx, member, members, house, more)
        }
        case 'changed-meanwhile': {
          const account = (await store.accounts.find(member.account.id)) ?? member.account
          const notice = 'account.profile.changed-meanwhile'
          const more = { typed: fields, notice, status: 409 }
          return showProfile(ctx, { ...member, account }, members, house, more)
        }
      }
    },
  )
}

const profileRules = ({ config }: Pick<House, 'config'>) => ({
  editable: config.site.profile.editable,
  upstreams: new Set(config.connectors.map(({ id }) => id)),
})

export async function showProfile(
  ctx: Context,
  member: Member,
  { page }: MemberRoutes,
  house: House,
  { typed = {}, problems = {}, pictureProblem, notice, status = 200, waitSeconds }: More = {},
) {
  const { account } = member
  const lang = ctx.state.language
  const picture = await house.store.pictures.find(account.id)
  const locals = {
    fields: profileForm(account, profileRules(house)).map(({ field, value, lockedBy }) => ({
      field,
      value: (lockedBy === undefined ? typed[field] : undefined) ?? shown(field, value),
      lockedBy: lockedBy === undefined ? undefined : vouching(house, lang, lockedBy),
      problem: problems[field],
    })),
    name: account.profile.name?.value ?? '',
    genders: [...genders],
    version: profileVersion(account),
    picture: picture !== undefined,
    pictureProblem,
    actions: {
      save: '/account/profile',
      picture: '/account/picture',
      removePicture: '/account/picture/remove',
    },
  }
  page(ctx, member, 'account-profile', locals, { status, notice, waitSeconds })
}

/** Numbers are kept as apps want them and shown as people write them. */
const shown = (field: ProfileField, value: string) =>
  field === 'phone_number' ? asWritten(value) : value

/** Who vouched for what she cannot change: a county, or somebody of ours. */
const vouching = (house: House, lang: Context['state']['language'], by: string): Message => {
  const county = connectorLabel(house, lang, by)
  if (house.config.connectors.some(({ id }) => id === by)) {
    return { key: 'account.profile.vouched', params: { county } }
  }
  return by === 'self' ? 'account.profile.locked' : 'account.profile.vouched-staff'
}
