/** The member's own page: who she is here, and towards which app she acts as what. */
import { randomUUID } from 'node:crypto'
import type Router from '@koa/router'
import { listAffiliations } from '#accounts/affiliations.ts'
import { accountPageClientId } from '#oidc/provider.ts'
import { appOf } from '../app-of.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { formToken, readForm } from '../input.ts'
import { findMember } from '../member.ts'
import { affiliationLabel, classLabel, schoolLabel } from './labels.ts'

export function accountRoutes(router: Router<State>, house: House): void {
  const { provider, store, keys, config, answer } = house

  /** Sends her through our own sign-in, and back here with a session. */
  function signInFirst(ctx: Context) {
    const request = new URLSearchParams({
      client_id: accountPageClientId,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${config.issuer}/account`,
      state: randomUUID(),
      ui_locales: ctx.state.language,
    })
    answer.redirect(ctx, `/auth?${request}`)
  }

  router.get('account', '/account', async (ctx) => {
    const account = await findMember(house, ctx)
    // Coming back with an error means the person cancelled: asking again would be a circle.
    if (!account) return ctx.query.error ? answer.redirect(ctx, '/') : signInFirst(ctx)

    const lang = ctx.state.language
    const [identifiers, affiliations, choices, consented, identities] = await Promise.all([
      store.identifiers.ofAccount(account.id),
      listAffiliations(store, account.id),
      store.affiliationChoices.ofAccount(account.id),
      store.consents.clientsOf(account.id),
      store.identities.ofAccount(account.id),
    ])
    const sourceOf = (identityId: string) => {
      const id = identities.find((one) => one.id === identityId)?.connector
      return config.connectors.find((one) => one.id === id)?.label[lang] ?? id ?? ''
    }
    const clientIds = [...new Set([...choices.keys(), ...consented])]
    const clients = await Promise.all(clientIds.map((id) => provider.Client.find(id)))
    answer.page(ctx, {
      view: 'account',
      locals: {
        account: {
          name: account.profile.name?.value ?? '',
          identifiers: identifiers.map(({ value }) => value),
          email: account.profile.email?.value,
        },
        affiliations: affiliations.map((one) => ({
          school: schoolLabel(house, lang, one),
          roleKey: `role.${one.role}`,
          titles: one.titles,
          classes: one.classes.map(classLabel),
          source: sourceOf(one.identityId),
          readAt: new Date(one.readAt * 1000),
        })),
        apps: clients
          .filter((client) => client !== undefined)
          .map((client) => {
            const acting = affiliations.find((one) => one.key === choices.get(client.clientId))
            return {
              clientId: client.clientId,
              name: appOf(client).name,
              affiliation: acting && affiliationLabel(house, lang, acting),
            }
          }),
        formToken: formToken(keys.form, ctx.state.device ?? ''),
        actions: { forget: '/account/forget', signOut: '/session/end' },
      },
    })
  })

  router.post('account.forget', '/account/forget', async (ctx) => {
    const fields = await readForm(ctx, keys.form)
    const account = await findMember(house, ctx)
    if (!account) return signInFirst(ctx)
    await store.affiliationChoices.forget(account.id, fields.client_id ?? '')
    answer.redirect(ctx, '/account')
  })
}
