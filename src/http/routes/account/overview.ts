/** Her overview: who she is here, and what wants her attention. */
import { listApps } from '#account/apps.ts'
import { listSignIns } from '#account/history.ts'
import { listAffiliations } from '#accounts/affiliations.ts'
import { ownClientIds } from '#oidc/provider.ts'
import type { AccountViews } from '../../account-views.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { affiliationLabel, classLabel, schoolLabel } from '../labels.ts'
import { namesOfApps } from './app-names.ts'
import { connectorLabel, dateOf, wayOf } from './labels.ts'
import type { Member, MemberRoutes } from './members.ts'

/** Apps named on the overview; all of them have a page of their own. */
const mostApps = 5

export function overviewRoutes({ show, page }: MemberRoutes, house: House): void {
  show('account', '/account', async (ctx, member) => {
    page(ctx, member, 'account', await overview(ctx, member, house))
  })
}

async function overview(ctx: Context, { account, acting }: Member, house: House) {
  const { store } = house
  const lang = ctx.state.language
  const { id } = account
  const [names, affiliations, apps, identities, recovery, picture, signIns] = await Promise.all([
    store.identifiers.ofAccount(id),
    listAffiliations(store, id, house.schoolYear),
    listApps(store, id, acting.at),
    store.identities.ofAccount(id),
    store.recoveryAddresses.find(id),
    store.pictures.find(id),
    listSignIns(store, id, { limit: 2 }),
  ])
  // Our own pages are no app of hers, unless there is a choice to forget.
  const used = apps.filter(({ clientId, choice }) => choice || !ownClientIds.has(clientId))
  const shown = used.slice(0, mostApps)
  const nameOf = await namesOfApps(
    house,
    lang,
    shown.map(({ clientId }) => clientId),
  )
  // The newest one is the one she is here by.
  const [, before] = signIns.list
  const sourceOf = (identityId: string) =>
    connectorLabel(house, lang, identities.find((one) => one.id === identityId)?.connector ?? '')

  const attention: AccountViews['account']['attention'] = []
  if (recovery && recovery.confirmedAt === undefined) attention.push('unconfirmed')
  if (!recovery && names.length > 0) attention.push('no-recovery')

  return {
    account: {
      name: account.profile.name?.value ?? '',
      picture: picture !== undefined,
      identifiers: names.map(({ value }) => value),
      email: account.profile.email?.value,
      recovery: recovery?.value,
    },
    attention,
    lastSignIn: before && { at: dateOf(before.at), way: wayOf(house, lang, before) },
    affiliations: affiliations.map((one) => ({
      school: schoolLabel(house, lang, one),
      roleKey: `role.${one.role}`,
      titles: one.titles,
      classes: one.classes.map(classLabel),
      source: sourceOf(one.identityId),
      readAt: dateOf(one.readAt),
      stale: one.stale,
    })),
    apps: shown.map(({ clientId, choice }) => {
      const acting = affiliations.find((one) => one.key === choice)
      const affiliation = acting && affiliationLabel(house, lang, acting)
      return { clientId, name: nameOf(clientId), affiliation }
    }),
    moreApps: used.length - shown.length,
    actions: { forget: '/account/forget', signOut: '/session/end' },
  }
}
