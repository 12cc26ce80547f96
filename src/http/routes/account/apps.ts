/** The apps she uses: what each may see, as what she acts there, and how to take it back. */
import { forgetChoice, listApps, withdrawApp } from '#account/apps.ts'
import { listAffiliations } from '#accounts/affiliations.ts'
import { ownClientIds } from '#oidc/provider.ts'
import { findRegistered } from '#oidc/remembered-clients.ts'
import type { Granted } from '#store/store.ts'
import { scopeWords } from '../../api/consent.ts'
import { appOf } from '../../app-of.ts'
import type { House } from '../../house.ts'
import { affiliationLabel } from '../labels.ts'
import { dateOf } from './labels.ts'
import { type MemberRoutes, notHers } from './members.ts'

const path = '/account/apps'

export function appRoutes({ show, act, page, done }: MemberRoutes, house: House): void {
  const { store } = house

  show('account.apps', path, async (ctx, member) => {
    const lang = ctx.state.language
    const { id } = member.account
    const [apps, affiliations] = await Promise.all([
      listApps(store, id, member.acting.at),
      listAffiliations(store, id, house.schoolYear),
    ])
    const others = apps.filter(({ clientId }) => !ownClientIds.has(clientId))
    const shown = others.map(async ({ clientId, consent, choice }) => {
      const client = await findRegistered(house.provider, clientId)
      const app = client && appOf(client, { language: lang })
      const acting = affiliations.find((one) => one.key === choice)
      return {
        clientId,
        name: app?.name ?? house.messages.translate(lang, 'account.apps.gone'),
        host: app?.host ?? '',
        logoUri: app?.logoUri,
        firstParty: app?.firstParty ?? false,
        since: consent && dateOf(consent.at),
        sees: consent ? seen(consent.granted) : [],
        affiliation: acting && affiliationLabel(house, lang, acting),
      }
    })
    const actions = { forget: `${path}/forget`, withdraw: `${path}/withdraw` }
    page(ctx, member, 'account-apps', { apps: await Promise.all(shown), actions })
  })

  /** From the overview and from here: she stays where she was. */
  for (const [from, back] of [
    ['/account/forget', '/account'],
    [`${path}/forget`, path],
  ] as const) {
    act(from, from, back, async (ctx, member, { client_id: clientId = '' }) => {
      await forgetChoice(store, member.acting, clientId)
      done(ctx, back, 'forgotten')
    })
  }

  act('account.apps.withdraw', `${path}/withdraw`, path, async (ctx, member, fields) => {
    if (!(await withdrawApp(store, member.acting, fields.client_id ?? ''))) throw notHers(path)
    done(ctx, path, 'withdrawn')
  })
}

/** Message keys of what she allowed an app to see, and of APIs their scopes as they are called. */
const seen = ({ scopes, claims, resources }: Granted): { key?: string; word?: string }[] => [
  ...scopes.filter((scope) => scope !== 'openid').map((scope) => ({ key: `scope.${scope}.title` })),
  ...claims.map((claim) => ({ key: `claim.${claim}`, word: claim })),
  ...Object.values(resources)
    .flat()
    .map((word) => ({ key: scopeWords(word), word })),
]
