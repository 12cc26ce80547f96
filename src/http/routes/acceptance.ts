/** From the account to the console: the second factor, its recovery codes, and the roles. */
import type Router from '@koa/router'
import { askNewPasskey } from '#accounts/second-factor/passkeys.ts'
import { totpUri } from '#accounts/second-factor/totp.ts'
import {
  beginAcceptance,
  confirmFactor,
  type FactorShown,
  findAcceptance,
} from '#admin/staff/acceptance.ts'
import { finishAcceptance } from '#admin/staff/finishing.ts'
import { equalInConstantTime, hmac, randomToken } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import { qrCode } from '#lib/qr-code.ts'
import { seconds } from '#lib/time.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { type Fields, readForm, readQuery } from '../input.ts'
import { passkeyPorts } from '../passkey-ports.ts'
import { acceptedHint } from './accepted.ts'
import { backPath, type Here, type Invited } from './invitation-guest.ts'
import { acceptPath, notBegun, problemOf } from './invitation-problems.ts'

export function acceptanceRoutes(router: Router<State>, house: House, invited: Invited): void {
  const { config, keys, answer, now } = house
  const { ports, twoFactor, deviceOf, tokenOf, offeredBy, signIn, signInFirst, findHere } = invited

  router.get('invited', backPath, (ctx) => {
    const { state = '', error } = readQuery(ctx)
    if (error || !/^[\w-]{43}$/.test(state)) return answer.redirect(ctx, '/')
    answer.redirect(ctx, `${acceptPath(state)}?back=1`)
  })

  async function showFactor(
    ctx: Context,
    here: Here,
    problems: { field?: string; problem: Message }[] = [],
  ) {
    const { acceptance, accountId, account, row } = here
    const { secret } = acceptance.setUp
    const passkeys = passkeyPorts(house, ctx)
    const uri = await totpUri(secret, { issuer: passkeys.title, account: account.account })
    const whom = { accountId, device: deviceOf(ctx), name: account.account, factors: [] }
    answer.page(ctx, {
      view: 'staff-invitation-factor',
      status: problems.length > 0 ? 422 : 200,
      locals: {
        formToken: tokenOf(ctx),
        account: account.account,
        secret,
        uri,
        picture: await qrCode(uri),
        passkey: await askNewPasskey(whom, seconds(now), passkeys),
        problems,
        actions: {
          app: `${acceptPath(row.id)}/app`,
          passkey: `${acceptPath(row.id)}/passkey`,
          other: `${acceptPath(row.id)}/other`,
        },
      },
    })
  }

  /**
   * Who accepts, and with which second factor: in another tab somebody else may have signed in since she was named, or
   * other codes may have been shown.
   */
  const whoseOf = (ctx: Context, { row, accountId, proved, acceptance: { made } }: Here) => {
    const factor = proved ? undefined : made?.factor.id
    return hmac(keys.form, JSON.stringify(['accept', deviceOf(ctx), row.id, accountId, factor]))
  }

  function showEnd(ctx: Context, here: Here) {
    const { acceptance, row, account, accountId, proved } = here
    const { made } = acceptance
    const common = { formToken: tokenOf(ctx), offered: offeredBy(ctx, row) }
    const finish = `${acceptPath(row.id)}/finish`
    if (proved) {
      const actions = { finish, other: `${acceptPath(row.id)}/other` }
      return answer.page(ctx, {
        view: 'staff-invitation-confirm',
        locals: { ...common, account, whose: whoseOf(ctx, here), actions },
      })
    }
    if (made?.accountId !== accountId) throw new Error('no second factor was made')
    const already = readQuery(ctx).made === 'already'
    answer.page(ctx, {
      view: 'staff-invitation-codes',
      locals: {
        ...common,
        account: account.account,
        codes: made.codes,
        whose: whoseOf(ctx, here),
        notice: already ? 'staff-invitation.made-already' : undefined,
        actions: { finish },
      },
    })
  }

  const isMade = ({ acceptance: { made }, accountId }: Here) => made?.accountId === accountId

  router.get('accept', '/admin/accept/:id', async (ctx) => {
    const here = await findHere(ctx)
    if (!here) return
    if (here.proved || isMade(here)) return showEnd(ctx, here)
    return showFactor(ctx, here)
  })

  const act = (name: string, handle: (ctx: Context, here: Here, fields: Fields) => Promise<void>) =>
    router.post(`accept.${name}`, `/admin/accept/:id/${name}`, async (ctx) => {
      const fields = await readForm(ctx, keys.form)
      const here = await findHere(ctx)
      if (here) await handle(ctx, here, fields)
    })

  const confirm = async (ctx: Context, here: Here, shown: FactorShown) => {
    const to = acceptPath(here.row.id)
    const toCodes = `${to}?made=already`
    // She has shown one meanwhile: the next page says how it goes on.
    if (here.proved) return answer.redirect(ctx, to)
    if (isMade(here)) return answer.redirect(ctx, toCodes)
    const confirmed = await confirmFactor(
      ports,
      here.place,
      here,
      shown,
      seconds(now),
      passkeyPorts(house, ctx),
    )
    if (confirmed.kind === 'confirmed') return answer.redirect(ctx, to)
    if (confirmed.kind === 'made-already') return answer.redirect(ctx, toCodes)
    if (confirmed.why) ctx.state.log.info({ why: confirmed.why }, 'passkey refused')
    const problem = `second-factor.set-up.${shown.way}-wrong`
    return showFactor(ctx, here, [shown.way === 'totp' ? { field: 'code', problem } : { problem }])
  }

  act('app', (ctx, here, { code = '' }) => confirm(ctx, here, { way: 'totp', code, label: '' }))
  act('passkey', (ctx, here, { response = '' }) =>
    confirm(ctx, here, { way: 'passkey', response, label: '' }),
  )

  /** She begins again with another account. */
  router.post('accept.other', '/admin/accept/:id/other', async (ctx) => {
    await readForm(ctx, keys.form)
    const id = ctx.params.id ?? ''
    const place = { invitation: id, device: deviceOf(ctx) }
    if (!(await findAcceptance(ports, place, seconds(now)))) throw notBegun()
    await beginAcceptance(ports, place, { kind: 'member' }, seconds(now))
    signInFirst(ctx, id, { prompt: 'login' })
  })

  act('finish', async (ctx, here, { whose = '' }) => {
    const { acceptance, row, place, signed, proved } = here
    if (!equalInConstantTime(whose, whoseOf(ctx, here))) throw problemOf({ kind: 'again' }, row.id)
    const { who } = acceptance
    const finished = await finishAcceptance(ports, place, {
      // One she set up elsewhere meanwhile stands for both.
      acceptance: proved ? { ...acceptance, made: undefined } : acceptance,
      ...(signed ? { session: { accountId: signed.account.id, proved } } : {}),
      at: seconds(now),
      language: ctx.state.language,
      where: circumstancesOf(ctx),
    })
    if (finished.kind !== 'accepted') throw problemOf(finished, row.id)
    ctx.state.log.info({ account: finished.accountId }, 'invitation accepted')
    if (!finished.anew) return answer.redirect(ctx, '/admin')
    signIn(ctx, {
      redirect_uri: `${config.issuer}/admin/signed-in`,
      state: randomToken(),
      acr_values: twoFactor,
      login_hint: acceptedHint(row.id),
      // Whoever is signed in here may be somebody else.
      ...(who.kind === 'new' ? { prompt: 'login' } : {}),
    })
  })
}
