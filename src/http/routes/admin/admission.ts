/** Who comes to the console: signed in with both factors, let by her role, and fresh where it is dangerous. */
import type Router from '@koa/router'
import type { z } from 'zod'
import { type Barred, type Operation, type Outcome, perform } from '#admin/operation.ts'
import { type By, type Grant, type Permission, provedSeconds, reachOf } from '#admin/staff.ts'
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import { seconds } from '#lib/time.ts'
import { consoleClientId } from '#oidc/provider.ts'
import type { AccountRow } from '#store/store.ts'
import { circumstancesOf } from '../../circumstances.ts'
import type { Context, State } from '../../context.ts'
import type { House } from '../../house.ts'
import { readQuery } from '../../input.ts'
import { forbidden, noSecondFactor, notStaff } from './console-problems.ts'

/** Seconds since she proved herself with both factors: for dangerous acts, and to send in a form that leads to one. */
export const fresh = { page: 15 * 60, act: 20 * 60 }

/** What a route of the console asks. */
export type Rules = {
  permission: Permission
  /** To be shown it wants a fresh proof, as its acts do. */
  dangerous?: boolean
}

export type Staff = {
  account: AccountRow
  by: By
  /** Does it, or says why not. A stale proof is seen to before: of the outcomes only those of `Outcome` come back. */
  perform<I extends z.ZodType, O extends z.ZodType>(
    operation: Operation<I, O>,
    input: z.input<I>,
  ): Promise<Outcome<z.output<O>>>
  may(permission: Permission): boolean
}

export function openAdmission(router: Router<State>, house: House) {
  const { store, config, keys, answer, now } = house

  /** Of the browser and the path: nobody else can make us send her there. */
  const sealPath = (ctx: Context, path: string) =>
    `${Buffer.from(path).toString('base64url')}.${hmac(keys.form, JSON.stringify(['console', ctx.state.device, path]))}`

  function openPath(ctx: Context, state: string): string {
    const path = Buffer.from(state.split('.')[0] ?? '', 'base64url').toString()
    return equalInConstantTime(state, sealPath(ctx, path)) ? path : '/admin'
  }

  /** Through our own sign-in and the second factor, and back to the page. */
  function signInFirst(ctx: Context, path: string, anew: boolean) {
    const request = new URLSearchParams({
      client_id: consoleClientId,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${config.issuer}/admin/signed-in`,
      state: sealPath(ctx, path),
      ui_locales: ctx.state.language,
      acr_values: config.site.acr.two_factor,
      ...(anew ? { prompt: 'second_factor' } : {}),
    })
    answer.redirect(ctx, `/auth?${request}`)
  }

  router.get('admin.signed-in', '/admin/signed-in', async (ctx) => {
    const { state = '', error } = readQuery(ctx)
    // She cancelled: asking again would be a circle.
    if (error) return answer.redirect(ctx, '/')
    const path = openPath(ctx, state)
    // She came back without both factors: she has none, or the provider was not asked by us.
    const found = await findStaff(ctx)
    if (found.kind === 'stranger') throw notStaff()
    if (found.kind === 'one-factor') throw noSecondFactor()
    if (found.kind === 'nobody') throw notStaff()
    answer.redirect(ctx, path)
  })

  type Found =
    | { kind: 'nobody' | 'stranger' | 'one-factor' }
    | { kind: 'staff'; account: AccountRow; by: By; provedAt: number }

  async function findStaff(ctx: Context): Promise<Found> {
    const session = await house.provider.Session.get(ctx as never)
    const { accountId, loginTs = 0, acr } = session
    const account = accountId ? await store.accounts.find(accountId) : undefined
    if (account?.status !== 'active') return { kind: 'nobody' }
    const grants = (await store.staffRoles.of(account.id)) as unknown as Grant[]
    if (grants.length === 0) return { kind: 'stranger' }
    // Ours to say: an upstream's `amr` may name factors, too.
    if (acr !== config.site.acr.two_factor) return { kind: 'one-factor' }
    const by: By = {
      actor: account.id,
      grants,
      fresh: seconds(now) - loginTs <= (ctx.method === 'GET' ? fresh.page : fresh.act),
      where: circumstancesOf(ctx),
      language: ctx.state.language,
    }
    return { kind: 'staff', account, by, provedAt: loginTs }
  }

  /** Who may be here; undefined where she was sent to prove herself first. */
  async function admit(
    ctx: Context,
    page: string,
    { permission, dangerous = false }: Rules,
  ): Promise<Staff | undefined> {
    const found = await findStaff(ctx)
    if (found.kind === 'stranger') throw notStaff()
    if (found.kind !== 'staff') {
      signInFirst(ctx, page, false)
      return undefined
    }
    const { account, by, provedAt } = found
    if (seconds(now) - provedAt > provedSeconds) {
      signInFirst(ctx, page, true)
      return undefined
    }
    if (!reachOf(by, permission)) throw forbidden()
    if (dangerous && !by.fresh) {
      signInFirst(ctx, page, true)
      return undefined
    }
    return {
      account,
      by,
      may: (wanted) => reachOf(by, wanted) !== undefined,
      async perform(one, input) {
        const outcome = (await perform(house, by, one as Operation, input)) as
          | Outcome<z.output<typeof one.output>>
          | Barred
        if (outcome.kind === 'forbidden') throw forbidden()
        if (outcome.kind === 'not-fresh') throw new StaleError()
        return outcome
      },
    }
  }

  /** Whose form it is: in another tab somebody else may have signed in since it was shown. */
  const markOf = (ctx: Context, { account }: Pick<Staff, 'account'>) =>
    hmac(keys.form, JSON.stringify(['staff', ctx.state.device, account.id]))

  async function orProveAnew(ctx: Context, page: string, work: () => Promise<void> | void) {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof StaleError)) throw error
      signInFirst(ctx, page, true)
    }
  }

  return { admit, markOf, orProveAnew }
}

/** The proof grew old between the page and the operation. */
class StaleError extends Error {
  override name = 'StaleError'
}
