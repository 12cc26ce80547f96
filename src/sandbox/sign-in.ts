/** The sign-in page of a pretend county: account, password, 「保持登入狀態」, and a way to give up. */
import { timingSafeEqual } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import type Provider from 'oidc-provider'
import type { InteractionResults } from 'oidc-provider'
import type { County } from './counties.ts'
import { readForm } from './form.ts'
import { showPage } from './pages.ts'
import { findPerson, fullName, people } from './people.ts'

/** Shows the page and takes its form at `/interaction/<uid>`. */
export function signIn(county: County, provider: Provider): Middleware {
  return async (ctx, next) => {
    if (!/^\/interaction\/[\w-]+$/.test(ctx.path)) return next()
    const interaction = await findInteraction(provider, ctx)
    if (!interaction) return showPage(ctx, 'county-message', { county, kind: 'late' }, 400)
    if (ctx.method !== 'POST') {
      const hint = interaction.params.login_hint
      return show(ctx, county, { account: typeof hint === 'string' ? hint : '', wrong: false })
    }
    const form = await readForm(ctx.req)
    if (form.get('cancel')) return finish(ctx, provider, { error: 'access_denied' })
    const account = (form.get('account') ?? '').trim()
    if (!knows(county, account, form.get('password') ?? '')) {
      return show(ctx, county, { account, wrong: true, remember: form.has('remember') })
    }
    await forgetSomebodyElse(provider, interaction, account)
    return finish(ctx, provider, { login: { accountId: account, remember: form.has('remember') } })
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

function show(
  ctx: Context,
  county: County,
  typed: { account: string; wrong: boolean; remember?: boolean },
) {
  const samples = (people[county.id] ?? []).map((one) => ({ ...one, name: fullName(one) }))
  return showPage(ctx, 'county-sign-in', { county, samples, remember: false, ...typed })
}

/** The password is the account itself. */
function knows(county: County, account: string, password: string): boolean {
  if (!findPerson(county.id, account)) return false
  const [given, right] = [Buffer.from(password), Buffer.from(account)]
  return given.length === right.length && timingSafeEqual(given, right)
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
