/**
 * What stands before every page and act of a member: who she is, that the form was hers and, where somebody at her
 * unlocked screen could take the account away from her, that she proved herself just now.
 */
import { randomUUID } from 'node:crypto'
import type Router from '@koa/router'
import { type Acting, NotActiveError } from '#account/act.ts'
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { type AccountPage, accountPageClientId } from '#oidc/provider.ts'
import type { AccountRow } from '#store/store.ts'
import type { AccountViews, MemberPage } from '../../account-views.ts'
import type { PageOf } from '../../answer.ts'
import { circumstancesOf } from '../../circumstances.ts'
import type { Context, State } from '../../context.ts'
import type { House } from '../../house.ts'
import {
  type Fields,
  type Files,
  formToken,
  readForm,
  readQuery,
  readUploads,
} from '../../input.ts'
import { home, type NextStep, Problem } from '../../problem.ts'
import { renewSession } from '../../renew-session.ts'
import { backIn, backParam, backState } from './back.ts'

export type Member = {
  account: AccountRow
  session: {
    uid: string
    signedInAt: number
    /** It stands on both factors. */
    both: boolean
  }
  acting: Acting & { sessionUid: string }
}

/** Seconds since she proved herself: to be shown such a page, and to send it in. */
const fresh = { page: 5 * 60, act: 10 * 60 }

export type Rules = {
  /** She must have proved herself just now; for some only now and then. */
  fresh?: boolean | ((member: Member) => Promise<boolean>)
  /** With her second factor, and just now: by the first one it would be no use to have it. */
  both?: (member: Member) => Promise<boolean>
}

/** What she has to prove before she is let. */
type Lacking = 'session' | 'fresh' | 'both'

type MemberViews = {
  [V in keyof AccountViews as AccountViews[V] extends MemberPage ? V : never]: Omit<
    AccountViews[V],
    keyof MemberPage
  >
}

export type MemberRoutes = ReturnType<typeof openMemberRoutes>

export function openMemberRoutes(router: Router<State>, house: House) {
  const { store, config, keys, answer, now, messages } = house

  /** Sends her through our own sign-in, and back to this page with a session. */
  function signInFirst(ctx: Context, page: AccountPage, lacking: Lacking, back?: string) {
    const request = new URLSearchParams({
      client_id: accountPageClientId,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${config.issuer}${page}`,
      state: back === undefined ? randomUUID() : backState(back),
      ui_locales: ctx.state.language,
      // A little less than we want: it is not to be over when she is back here.
      ...(lacking === 'fresh' ? { max_age: String(fresh.page - 30) } : {}),
      ...(lacking === 'both' ? { prompt: 'second_factor' } : {}),
    })
    answer.redirect(ctx, `/auth?${request}`)
  }

  async function findMember(ctx: Context): Promise<Member | undefined> {
    const session = await house.provider.Session.get(ctx as never)
    const { accountId, uid, loginTs = 0, acr } = session
    const account = accountId ? await store.accounts.find(accountId) : undefined
    if (account?.status !== 'active') return undefined
    const acting = {
      accountId: account.id,
      sessionUid: uid,
      at: seconds(now),
      language: ctx.state.language,
      where: circumstancesOf(ctx),
    }
    const both = acr === config.site.acr.two_factor
    return { account, session: { uid, signedInAt: loginTs, both }, acting }
  }

  const wantsFresh = async (member: Member, { fresh = false }: Rules) =>
    typeof fresh === 'function' ? fresh(member) : fresh

  async function lackingOf(
    member: Member,
    rules: Rules,
    within: number,
  ): Promise<Lacking | undefined> {
    if (await rules.both?.(member)) {
      return member.session.both && isFresh(member, within) ? undefined : 'both'
    }
    return (await wantsFresh(member, rules)) && !isFresh(member, within) ? 'fresh' : undefined
  }

  const isFresh = ({ session, acting }: Member, within: number) =>
    acting.at - session.signedInAt <= within

  /** Whose form it is: in another tab somebody else may have signed in since it was shown. */
  const markOf = (ctx: Context, { account }: Member) =>
    hmac(keys.form, JSON.stringify(['member', ctx.state.device, account.id]))

  /** A page of hers. */
  function show(
    name: string,
    path: AccountPage,
    handle: (ctx: Context, member: Member) => Promise<void> | void,
    rules: Rules = {},
  ) {
    router.get(name, path, async (ctx) => {
      const query = readQuery(ctx)
      const member = await findMember(ctx)
      // Coming back with an error means that she cancelled: asking again would be a circle.
      if (query.error) return answer.redirect(ctx, member && path !== '/account' ? '/account' : '/')
      const back = backIn(query)
      if (!member) return signInFirst(ctx, path, 'session', back)
      const lacking = await lackingOf(member, rules, fresh.page)
      if (lacking) {
        // Just back from there: her county did not ask her who she is, and would not the next time.
        if (query.state && lacking === 'fresh') throw notFresh(path)
        return signInFirst(ctx, path, lacking, back)
      }
      // No app asked her to come: the page says that she is in. One she wanted something of goes on with that.
      const said = path === '/account' ? `${path}?done=signed-in` : path
      if (query.state) return answer.redirect(ctx, back ? `${path}?${backParam(back)}` : said)
      await handle(ctx, member)
    })
  }

  /** A form on such a page. */
  function act(
    name: string,
    path: string,
    page: AccountPage,
    handle: (ctx: Context, member: Member, fields: Fields, files: Files) => Promise<void> | void,
    rules: Rules & { files?: boolean; letters?: number } = {},
  ) {
    router.post(name, path, async (ctx) => {
      ctx.state.pageUrl = page
      const { fields, files } = rules.files
        ? await readUploads(ctx, keys.form)
        : { fields: await readForm(ctx, keys.form, rules.letters), files: {} }
      const member = await findMember(ctx)
      if (!member) return signInFirst(ctx, page, 'session')
      if (!equalInConstantTime(fields.member ?? '', markOf(ctx, member))) throw otherMember()
      const lacking = await lackingOf(member, rules, fresh.act)
      if (lacking) return signInFirst(ctx, page, lacking)
      try {
        await handle(ctx, member, fields, files)
      } catch (error) {
        if (error instanceof NotActiveError) return answer.redirect(ctx, '/')
        throw error
      }
    })
  }

  type More = {
    status?: number | undefined
    waitSeconds?: number | undefined
    notice?: Message | undefined
    formAction?: string[]
  }

  function page<View extends keyof MemberViews>(
    ctx: Context,
    member: Member,
    view: View,
    locals: MemberViews[View],
    { status, waitSeconds, notice, formAction }: More = {},
  ) {
    const { done = '' } = ctx.method === 'GET' ? readQuery(ctx) : {}
    const said = `account.done.${done}`
    const common: MemberPage = {
      formToken: formToken(keys.form, ctx.state.device ?? ''),
      member: markOf(ctx, member),
      notice: notice ?? (messages.has(said) ? said : undefined),
    }
    answer.page(ctx, {
      view,
      locals: { ...locals, ...common },
      status,
      retryAfterSeconds: waitSeconds,
      formAction,
      user: { name: member.account.profile.name?.value ?? '' },
    } as PageOf<View>)
  }

  /** On to the page after an act (PRG), which says what was done. */
  const done = (ctx: Context, page: AccountPage, what: string) =>
    answer.redirect(ctx, `${page}?done=${what}`)

  /** The same, for what shuts others out: a copy of this browser's cookie is no good any more either. */
  const doneAlone = async (ctx: Context, page: AccountPage, what: string) => {
    await renewSession(house, ctx)
    done(ctx, page, what)
  }

  /** Who has a second factor shows it: her password alone is not to lead around it. */
  const bothIfHers = async ({ account }: Member) =>
    (await store.secondFactors.ofAccount(account.id)).length > 0

  return { show, act, page, done, doneAlone, findMember, bothIfHers }
}

/** Back to her overview, from wherever she cannot go on. */
export const toAccount: NextStep = {
  id: 'account',
  kind: 'link',
  href: '/account',
  labelKey: 'next.my-account',
}

const notFresh = (page: AccountPage) =>
  new Problem(403, 'account.not-fresh', {
    next: [
      { id: 'prove', kind: 'link', href: page, labelKey: 'next.prove', primary: true },
      toAccount,
      { id: 'sign-out', kind: 'link', href: '/session/end', labelKey: 'account.sign-out' },
    ],
  })

const otherMember = () =>
  new Problem(409, 'account.other-member', { next: [{ ...toAccount, primary: true }, home] })

/** What is not hers, and what is not there: one answer. */
export const notHers = (page: AccountPage) =>
  new Problem(404, 'account.not-hers', {
    next: [{ ...toAccount, href: page, labelKey: 'next.back', primary: true }, toAccount],
  })
