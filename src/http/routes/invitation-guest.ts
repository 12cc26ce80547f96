/** Who stands before an invitation: which one, in which browser, signed in as whom. */
import { accountName } from '#accounts/account-name.ts'
import { type Acceptance, findAcceptance, type Place } from '#admin/staff/acceptance.ts'
import { needsOwnLink } from '#admin/staff/finishing.ts'
import { findInvitation } from '#admin/staff/invitations.ts'
import { seconds } from '#lib/time.ts'
import { consoleClientId } from '#oidc/provider.ts'
import type { AccountRow, StaffInvitationRow } from '#store/store.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { formToken, readQuery } from '../input.ts'
import type { Offered } from '../invitation-views.ts'
import { linkPaths } from '../link-paths.ts'
import { connectorLabel } from './account/labels.ts'
import {
  acceptPath,
  lostFactor,
  noLonger,
  notBegun,
  notFresh,
  otherAccount,
} from './invitation-problems.ts'

/** Where she comes back to when she has signed in. */
export const backPath = '/admin/invited'

/** Seconds since she signed in to the account a second factor is added to. */
const fresh = 10 * 60

export type Signed = { account: AccountRow; both: boolean; isFresh: boolean }

export type Here = {
  place: Place
  row: StaffInvitationRow
  acceptance: Acceptance
  /** Whose second factor it is to be. */
  accountId: string
  account: { name: string; account: string }
  signed?: Signed
  /** She has a second factor, and has shown it. */
  proved: boolean
}

export type Invited = ReturnType<typeof openInvited>

export function openInvited(house: House) {
  const { store, config, keys, answer, now, writeLetter } = house
  const linkTo = (token: string) => `${config.issuer}${linkPaths['confirm-address']}/${token}`
  const ports = { store, dataKey: keys.data, writeLetter, linkTo }
  const twoFactor = config.site.acr.two_factor

  const deviceOf = ({ state }: Context) => state.device ?? ''
  const tokenOf = (ctx: Context) => formToken(keys.form, deviceOf(ctx))

  async function readInvitation(id: string): Promise<StaffInvitationRow> {
    const found = await findInvitation(store, id, seconds(now))
    if (found.kind !== 'open') throw noLonger(found.kind)
    return found.row
  }

  const offeredBy = (ctx: Context, { roles, accountId }: StaffInvitationRow): Offered => ({
    roles: roles.map(({ role, reach }) => ({
      key: `admin.role.${role}`,
      own: reach === 'own',
      county: reach.startsWith('county:')
        ? connectorLabel(house, ctx.state.language, reach.slice('county:'.length))
        : undefined,
    })),
    again: accountId !== undefined,
  })

  async function signedIn(ctx: Context): Promise<Signed | undefined> {
    const session = await house.provider.Session.get(ctx as never)
    const account = session.accountId ? await store.accounts.find(session.accountId) : undefined
    if (account?.status !== 'active') return undefined
    const isFresh = seconds(now) - (session.loginTs ?? 0) <= fresh
    return { account, both: session.acr === twoFactor, isFresh }
  }

  const nameOf = async (account: AccountRow) => ({
    name: account.profile.name?.value ?? '',
    account:
      accountName(account, await store.identifiers.ofAccount(account.id)) || account.id.slice(0, 8),
  })

  function signIn(ctx: Context, more: Record<string, string>) {
    const request = new URLSearchParams({
      client_id: consoleClientId,
      response_type: 'none',
      scope: 'openid',
      ui_locales: ctx.state.language,
      ...more,
    })
    answer.redirect(ctx, `/auth?${request}`)
  }

  /** With the account she has: here, and with what it takes. */
  const signInFirst = (ctx: Context, id: string, more: Record<string, string> = {}) =>
    signIn(ctx, { redirect_uri: `${config.issuer}${backPath}`, state: id, ...more })

  /** Where she is; undefined where she was sent to sign in first. */
  async function findHere(ctx: Context): Promise<Here | undefined> {
    const id = ctx.params.id ?? ''
    const place = { invitation: id, device: deviceOf(ctx) }
    if (ctx.method !== 'GET') ctx.state.pageUrl = acceptPath(encodeURIComponent(id))
    const [row, acceptance] = [
      await readInvitation(id),
      await findAcceptance(ports, place, seconds(now)),
    ]
    if (!acceptance) throw notBegun()
    const { who } = acceptance
    if (who.kind === 'new') {
      const { accountId, account, name } = who
      return { place, row, acceptance, accountId, account: { account, name }, proved: false }
    }
    const signed = await signedIn(ctx)
    if (!signed) return void signInFirst(ctx, id)
    const { account } = signed
    if (row.accountId !== undefined && row.accountId !== account.id) throw otherAccount(id)
    if (await needsOwnLink(store, row, account.id)) throw lostFactor(id)
    const has = (await store.secondFactors.ofAccount(account.id)).length > 0
    const ready = signed.isFresh && (!has || signed.both)
    if (!ready) {
      // Just back from there: her county did not ask her who she is, and would not the next time.
      if (!has && readQuery(ctx).back) throw notFresh(id)
      const anew: Record<string, string> = has
        ? { acr_values: twoFactor, prompt: 'second_factor' }
        : { max_age: String(fresh - 30) }
      return void signInFirst(ctx, id, anew)
    }
    const names = await nameOf(account)
    return { place, row, acceptance, accountId: account.id, account: names, signed, proved: has }
  }

  return {
    ports,
    twoFactor,
    deviceOf,
    tokenOf,
    readInvitation,
    offeredBy,
    signedIn,
    nameOf,
    signIn,
    signInFirst,
    findHere,
  }
}
