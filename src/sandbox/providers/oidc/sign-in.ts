/** Asks who is there at `/interaction/<uid>`, and tells the provider. */
import type { Context, Middleware } from 'koa'
import type Provider from 'oidc-provider'
import type { InteractionResults } from 'oidc-provider'
import type { County } from '../../counties.ts'
import { askToSignIn } from '../../county-sign-in.ts'
import { showPage } from '../../pages.ts'

export function signIn(county: County, provider: Provider): Middleware {
  return async (ctx, next) => {
    if (!/^\/interaction\/[\w-]+$/.test(ctx.path)) return next()
    const interaction = await findInteraction(provider, ctx)
    if (!interaction) return showPage(ctx, 'county-message', { county, kind: 'late' }, 400)
    const hint = interaction.params.login_hint
    const signedIn = await askToSignIn(ctx, county, typeof hint === 'string' ? hint : undefined)
    switch (signedIn.kind) {
      case 'shown':
        return
      case 'cancelled':
        return finish(ctx, provider, { error: 'access_denied' })
      case 'known': {
        const { account, remember } = signedIn
        await forgetSomebodyElse(provider, interaction, account)
        return finish(ctx, provider, { login: { accountId: account, remember } })
      }
    }
  }
}

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

async function findInteraction(provider: Provider, ctx: Context): Promise<Interaction | undefined> {
  try {
    return await provider.interactionDetails(ctx.req, ctx.res)
  } catch {
    // Opened too late, twice, or in another browser: the page says so.
    return undefined
  }
}

/**
 * With somebody else still signed in, the library would bounce through a page that needs a script to
 * sign her out. Ending her session here keeps the county usable without one.
 */
async function forgetSomebodyElse(provider: Provider, interaction: Interaction, account: string) {
  const { session } = interaction
  if (!session || session.accountId === account) return
  await (await provider.Session.findByUid(session.uid))?.destroy()
  interaction.session = undefined
  await interaction.persist()
}

async function finish(ctx: Context, provider: Provider, result: InteractionResults) {
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result))
  ctx.status = 303
}
