/** Who may come to the console: signed in with both factors, allowed by a role, and freshly proved where it is dangerous. */
import type Router from '@koa/router'
import type { z } from 'zod'
import { type Operation, type Outcome, perform } from '#admin/operation.ts'
import {
  type By,
  freshSeconds,
  grantsOf,
  type Permission,
  provedSeconds,
  reachOf,
} from '#admin/staff.ts'
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import { seconds } from '#lib/time.ts'
import { consoleClientId } from '#oidc/provider.ts'
import type { AccountRow } from '#store/store.ts'
import { circumstancesOf } from '../../circumstances.ts'
import type { Context, State } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, readQuery } from '../../input.ts'
import { forbidden, noSecondFactor, notStaff } from './console-problems.ts'
import { openHeldForms, typedIn } from './held-forms.ts'
import { openVisits } from './visits.ts'

/** Seconds since she proved herself with both factors: for dangerous acts, and to send in a form that leads to one. */
export const fresh = { page: freshSeconds, act: freshSeconds + 5 * 60 }

/** What a route of the console asks. */
export type Rules = {
  permission: Permission
  /** To be shown it wants a fresh proof, as its acts do. */
  dangerous?: boolean
  /** A page's script asks for it, not a person: it does not count as activity at the console. */
  unattended?: boolean
}

export type Staff = {
  account: AccountRow
  by: By
  /** Performs an operation. She is sent to prove herself anew where that is needed, so only an `Outcome` comes back. */
  perform<I extends z.ZodType, O extends z.ZodType>(
    operation: Operation<I, O>,
    input: z.input<I>,
  ): Promise<Outcome<z.output<O>>>
  may(permission: Permission): boolean
}

export function openAdmission(router: Router<State>, house: House) {
  const { store, config, keys, answer, now } = house
  const idleSeconds = config.site.staff.idle_minutes * 60
  const visits = openVisits(house)
  const { hold } = openHeldForms(house)

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
    const grants = grantsOf(await store.staffRoles.of(account.id))
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

  /** She went away, and somebody else may sit there by now (資通系統防護基準：閒置逾時). */
  function isIdle(ctx: Context, accountId: string, provedAt: number): boolean {
    const visit = visits.last(ctx)
    const at = visit?.accountId === accountId ? Math.max(visit.at, provedAt) : provedAt
    return seconds(now) - at > idleSeconds
  }

  async function isOfStaff(ctx: Context, fields: Fields): Promise<boolean> {
    // Once the session is over the cookie says who it was. Forms of strangers are not kept.
    const { accountId = visits.last(ctx)?.accountId } = await house.provider.Session.get(
      ctx as never,
    )
    if (!accountId || !isMarked(ctx, { account: { id: accountId } }, fields)) return false
    return (await store.staffRoles.of(accountId)).length > 0
  }

  /** Back to the page when she has proved herself; or to what she sent, if it was a form of hers. */
  async function sendAway(
    ctx: Context,
    page: string,
    anew: boolean,
    fields?: Fields,
  ): Promise<undefined> {
    if (!fields || !(await isOfStaff(ctx, fields))) return void signInFirst(ctx, page, anew)
    // A form with nothing but a button is not kept: she presses it again on its page, whose own policy lets it lead elsewhere.
    const back = typedIn(fields).some(([, value]) => value !== '')
      ? await hold(ctx, { action: ctx.path, page, fields })
      : `${page}?done=press-again`
    signInFirst(ctx, back, anew)
  }

  /** Who may be here; undefined where she was sent to prove herself first. `sent`: a form that can be sent again. */
  async function admit(
    ctx: Context,
    page: string,
    { permission, dangerous = false, unattended = false }: Rules,
    sent?: Fields,
  ): Promise<Staff | undefined> {
    const found = await findStaff(ctx)
    if (found.kind === 'stranger') throw notStaff()
    if (found.kind !== 'staff') return sendAway(ctx, page, false, sent)
    const { account, by, provedAt } = found
    if (seconds(now) - provedAt > provedSeconds || isIdle(ctx, account.id, provedAt))
      return sendAway(ctx, page, true, sent)
    if (!reachOf(by, permission)) throw forbidden()
    if (dangerous && !by.fresh) return sendAway(ctx, page, true, sent)
    if (!unattended) visits.note(ctx, account.id)
    return {
      account,
      by,
      may: (wanted) => reachOf(by, wanted) !== undefined,
      async perform(one, input) {
        const outcome = await perform(house, by, one, input)
        if (outcome.kind === 'forbidden') throw forbidden()
        if (outcome.kind === 'not-fresh') throw new StaleError()
        return outcome
      },
    }
  }

  /** Whose form it is: in another tab somebody else may have signed in since it was shown. */
  const markOf = (ctx: Context, { account }: Sender) =>
    hmac(keys.form, JSON.stringify(['staff', ctx.state.device, account.id]))

  const isMarked = (ctx: Context, sender: Sender, { staff = '' }: Fields) =>
    equalInConstantTime(staff, markOf(ctx, sender))

  async function orProveAnew(
    ctx: Context,
    page: string,
    work: () => Promise<void> | void,
    sent?: Fields,
  ) {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof StaleError)) throw error
      await sendAway(ctx, page, true, sent)
    }
  }

  return { admit, markOf, isMarked, orProveAnew }
}

type Sender = { account: Pick<AccountRow, 'id'> }

/** The proof grew old between the page and the operation. */
class StaleError extends Error {
  override name = 'StaleError'
}
