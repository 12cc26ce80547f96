/** Her second factors: an authenticator app, passkeys, and codes for the day both are lost. */
import { randomUUID } from 'node:crypto'
import {
  type Added,
  addPasskey,
  addTotp,
  type FactorActing,
  listFactors,
  removeFactor,
  renewCodes,
  showSetUp,
} from '#account/second-factor.ts'
import { accountName } from '#accounts/account-name.ts'
import { askNewPasskey } from '#accounts/second-factor/passkeys.ts'
import type { Message } from '#lib/messages.ts'
import { qrCode } from '#lib/qr-code.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, readQuery } from '../../input.ts'
import { passkeyPorts } from '../../passkey-ports.ts'
import { Problem } from '../../problem.ts'
import { backIn, backParam } from './back.ts'
import { dateOf } from './labels.ts'
import { type Member, type MemberRoutes, notHers, toAccount } from './members.ts'

const path = '/account/second-factor'
const appPath = `${path}/app`

const labelIn = ({ label = '' }: Fields) => label.trim().slice(0, 60)

export function secondFactorRoutes(
  { show, act, page, done, doneAlone, bothIfHers }: MemberRoutes,
  house: House,
): void {
  const { store, answer, writeLetter } = house

  const rules = { fresh: true, both: bothIfHers }
  /** Who has her first one since a moment ago, and sent its form twice, is told of it before she is asked for it. */
  const adding = {
    fresh: true,
    both: async (member: Member) => member.session.both && (await bothIfHers(member)),
  }

  const actingOf = (ctx: Context, { acting, session }: Member): FactorActing => ({
    ...acting,
    device: ctx.state.device ?? '',
    proved: session.both,
  })
  const portsOf = (ctx: Context) => ({ ...passkeyPorts(house, ctx), writeLetter })
  const nameOf = async ({ account }: Member) =>
    accountName(account, await store.identifiers.ofAccount(account.id)) || account.id.slice(0, 8)
  const withBack = (to: string, back: string | undefined) =>
    back === undefined ? to : `${to}?${backParam(back)}`
  /** Where a page of hers was opened from, or the form on it came from. */
  const backOf = (ctx: Context, fields: Fields = readQuery(ctx)) => backIn({ back: fields.back })

  type How = { problem?: Message; status?: number; back?: string | undefined }

  async function showFactors(ctx: Context, member: Member, { problem, status, back }: How) {
    const acting = actingOf(ctx, member)
    const { list, codesLeft, edition, byInvitation } = await listFactors(store, member.account.id)
    const whom = { ...acting, name: await nameOf(member), factors: list }
    const isStaff = (await store.staffRoles.of(member.account.id)).length > 0
    const locals = {
      factors: list.map(({ id, type, label, createdAt, usedAt }) => ({
        id,
        type,
        label,
        createdAt: dateOf(createdAt),
        usedAt: usedAt === undefined ? undefined : dateOf(usedAt),
      })),
      codesLeft,
      edition,
      byInvitation,
      keepsLast: isStaff && list.length === 1,
      passkey: await askNewPasskey(whom, acting.at, portsOf(ctx)),
      problem,
      back,
      actions: {
        app: withBack(appPath, back),
        passkey: `${path}/passkey`,
        remove: `${path}/remove`,
        codes: `${path}/codes`,
      },
    }
    page(ctx, member, 'account-second-factor', locals, { status })
  }

  async function showApp(ctx: Context, member: Member, fields: Fields, how: How) {
    const acting = actingOf(ctx, member)
    const setUp = await showSetUp(acting, await nameOf(member), portsOf(ctx), fields.sealed)
    const locals = {
      ...setUp,
      picture: await qrCode(setUp.uri),
      typed: { label: labelIn(fields) },
      problem: how.problem,
      action: appPath,
      back: how.back ?? '',
    }
    page(ctx, member, 'account-second-factor-app', locals, { status: how.status })
  }

  /** Shown this once: the answer is kept by nobody on the way (`no-store`), and asked for again it is another page. */
  function showCodes(
    ctx: Context,
    member: Member,
    locals: { codes: string[]; first: boolean; next: string },
  ) {
    page(ctx, member, 'account-recovery-codes', locals)
  }

  async function after(
    ctx: Context,
    member: Member,
    added: Added,
    { fields, again }: { fields: Fields; again: (problem: Message) => Promise<void> },
  ) {
    const back = backOf(ctx, fields)
    const next = back === undefined ? path : `/interaction/${back}`
    switch (added.kind) {
      case 'added':
        if (added.codes) return showCodes(ctx, member, { codes: added.codes, first: true, next })
        return done(ctx, path, 'factor-added')
      case 'wrong':
        if (added.why) ctx.state.log.info({ why: added.why }, 'passkey refused')
        return again('account.second-factor.wrong')
      case 'over':
        return again('account.second-factor.over')
      case 'refused':
        if (added.why === 'prove') throw setUpAlready(back)
        return again(`account.second-factor.${added.why}`)
    }
  }

  show(
    'account.second-factor',
    path,
    (ctx, member) => showFactors(ctx, member, { back: backOf(ctx) }),
    rules,
  )

  show(
    'account.second-factor.app',
    appPath,
    async (ctx, member) => {
      const back = backOf(ctx)
      const { byInvitation } = await listFactors(store, member.account.id)
      if (byInvitation) return answer.redirect(ctx, withBack(path, back))
      return showApp(ctx, member, {}, { back })
    },
    rules,
  )

  act(
    'account.second-factor.add-app',
    appPath,
    appPath,
    async (ctx, member, fields) => {
      const { sealed = '', code = '' } = fields
      const typed = { sealed, code, label: labelIn(fields) }
      const added = await addTotp(store, actingOf(ctx, member), typed, portsOf(ctx))
      const how = { status: 422, back: backOf(ctx, fields) }
      await after(ctx, member, added, {
        fields,
        again: (problem) => showApp(ctx, member, fields, { ...how, problem }),
      })
    },
    adding,
  )

  act(
    'account.second-factor.add-passkey',
    `${path}/passkey`,
    path,
    async (ctx, member, fields) => {
      const { response = '' } = fields
      const made = { id: randomUUID(), response, label: labelIn(fields) }
      const added = await addPasskey(store, actingOf(ctx, member), made, portsOf(ctx))
      const how = { status: 422, back: backOf(ctx, fields) }
      await after(ctx, member, added, {
        fields,
        again: (problem) => showFactors(ctx, member, { ...how, problem }),
      })
    },
    adding,
  )

  act(
    'account.second-factor.remove',
    `${path}/remove`,
    path,
    async (ctx, member, { factor = '' }) => {
      const removed = await removeFactor(store, actingOf(ctx, member), factor, portsOf(ctx))
      if (removed.kind === 'unknown') throw notHers(path)
      if (removed.kind === 'removed') return doneAlone(ctx, path, 'factor-removed')
      const problem = `account.second-factor.${removed.why}`
      return showFactors(ctx, member, { problem, status: 409 })
    },
    rules,
  )

  act(
    'account.second-factor.codes',
    `${path}/codes`,
    path,
    async (ctx, member, { edition = '' }) => {
      const made = await renewCodes(store, actingOf(ctx, member), edition, portsOf(ctx))
      if (made.kind === 'made')
        return showCodes(ctx, member, { codes: made.codes, first: false, next: path })
      const problem = `account.second-factor.${made.why}`
      return showFactors(ctx, member, { problem, status: 409 })
    },
    rules,
  )
}

/** By another click, or in another tab: its recovery codes were shown there. The list asks for it, and makes new ones. */
const setUpAlready = (back: string | undefined) =>
  new Problem(409, 'account.factor-made', {
    next: [
      {
        id: 'factors',
        kind: 'link',
        href: back === undefined ? path : `${path}?${backParam(back)}`,
        labelKey: 'next.factors',
        primary: true,
      },
      toAccount,
    ],
  })
