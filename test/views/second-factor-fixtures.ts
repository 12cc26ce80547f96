/** Pages about second factors and invitations to be staff, with made-up data. */
import type { AccountViews, MemberPage } from '#http/account-views.ts'
import type { InvitationViews, Offered } from '#http/invitation-views.ts'
import type { Views } from '#http/render.ts'
import { qrCode } from '#lib/qr-code.ts'
import type { Fixture } from './fixtures.ts'

const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const uri = `otpauth://totp/%E6%95%99%E8%82%B2%E9%9B%B2:mei@mail.edu.tw?secret=${secret}&issuer=%E6%95%99%E8%82%B2%E9%9B%B2`
const picture = await qrCode(uri)
const codes = ['k7mw-q2xd-9hfp', 'w4tn-8sgc-y6jb', 'h3vz-f5kq-2rdm', 'p9xb-c7wn-4gts'].flatMap(
  (one) => [one, one.split('').reverse().join('')],
)
const passkey = JSON.stringify({ challenge: 'Y2hhbGxlbmdl', rpId: 'localhost' })
const formToken = 'token-of-this-form'
const common: MemberPage = { formToken, member: 'whose-form' }
const day = (text: string) => new Date(`${text}T01:30:00Z`)

/** All of them in one language. `app` is the name an app gave itself. */
export function secondFactorFixtures(lang: string, app: string): Fixture[] {
  const county = lang === 'zh-TW' ? '新北市' : 'New Taipei City'
  const uid = 'V1StGXR8_Z5jdHi6B-myT'
  const asked: Views['second-factor'] = {
    app: { name: app, host: 'pal.example.edu.tw' },
    formToken,
    account: { name: '林小美' },
    hasApp: true,
    passkey,
    codesLeft: 9,
    actions: {
      prove: `/interaction/${uid}/second-factor`,
      cancel: `/interaction/${uid}/cancel`,
      setUp: `/account/second-factor?back=${uid}`,
    },
  }
  const { passkey: _, ...plain } = asked
  const offer = {
    mark: 'mark-of-this-offer',
    county,
    address: 'm•••@mail.edu.tw',
    back: `/interaction/${uid}/link`,
    signIn: `/interaction/${uid}?choose=1#local-form`,
  }
  const own: AccountViews['account-second-factor'] = {
    ...common,
    factors: [
      { id: 'a', type: 'totp', label: '', createdAt: day('2026-11-02'), usedAt: day('2026-11-20') },
      { id: 'b', type: 'passkey', label: '辦公室筆電', createdAt: day('2026-11-19') },
    ],
    codesLeft: 9,
    edition: 'of-these-codes',
    byInvitation: false,
    keepsLast: false,
    passkey,
    actions: {
      app: '/account/second-factor/app',
      passkey: '/account/second-factor/passkey',
      remove: '/account/second-factor/remove',
      codes: '/account/second-factor/codes',
    },
  }
  const setUp: AccountViews['account-second-factor-app'] = {
    ...common,
    picture,
    uri,
    secret,
    sealed: 'v1.sealed',
    typed: { label: '' },
    action: '/account/second-factor/app',
    back: '',
  }
  const offered: Offered = {
    roles: [
      { key: 'admin.role.owner', own: false },
      { key: 'admin.role.support', own: false, county },
      { key: 'admin.role.client-admin', own: true },
    ],
    again: false,
  }
  const invitation: InvitationViews['staff-invitation'] = {
    formToken,
    offered,
    domain: 'mail.edu.tw',
    typed: { account: '', name: '' },
    shortest: 10,
    problems: [],
    actions: { join: '/admin/invitation/token/join', member: '/admin/invitation/token/member' },
  }
  const factor: InvitationViews['staff-invitation-factor'] = {
    formToken,
    account: 'mei@mail.edu.tw',
    picture,
    uri,
    secret,
    passkey,
    problems: [],
    actions: {
      app: '/admin/accept/id/app',
      passkey: '/admin/accept/id/passkey',
      other: '/admin/accept/id/other',
    },
  }
  return [
    { name: 'second-factor', view: 'second-factor', locals: asked },
    {
      name: 'second-factor-wrong',
      view: 'second-factor',
      locals: { ...plain, way: 'totp', problem: 'second-factor.totp.wrong' },
    },
    {
      name: 'second-factor-recovery-wrong',
      view: 'second-factor',
      locals: { ...plain, way: 'recovery-code', problem: 'second-factor.recovery-code.wrong' },
    },
    {
      name: 'second-factor-passkey-wrong',
      view: 'second-factor',
      locals: {
        ...asked,
        hasApp: false,
        codesLeft: 0,
        way: 'passkey',
        problem: 'second-factor.passkey.wrong',
      },
    },
    { name: 'second-factor-none', view: 'second-factor', locals: { ...plain, none: 'member' } },
    {
      name: 'second-factor-none-staff',
      view: 'second-factor',
      locals: { ...plain, none: 'staff' },
    },
    { name: 'second-factor-offer', view: 'second-factor', locals: { ...asked, offer } },
    {
      name: 'second-factor-offer-wrong',
      view: 'second-factor',
      locals: { ...plain, offer, way: 'totp', problem: 'second-factor.totp.wrong' },
    },
    {
      name: 'second-factor-offer-none',
      view: 'second-factor',
      locals: { ...plain, offer, none: 'staff' },
    },
    { name: 'account-second-factor', view: 'account-second-factor', locals: own },
    {
      name: 'account-second-factor-none',
      view: 'account-second-factor',
      locals: { ...own, factors: [], codesLeft: 0, back: uid },
    },
    {
      name: 'account-second-factor-staff',
      view: 'account-second-factor',
      locals: {
        ...own,
        factors: own.factors.slice(0, 1),
        keepsLast: true,
        problem: 'account.second-factor.last',
      },
    },
    {
      name: 'account-second-factor-by-invitation',
      view: 'account-second-factor',
      locals: { ...own, factors: [], codesLeft: 0, byInvitation: true },
    },
    {
      name: 'account-second-factor-app',
      view: 'account-second-factor-app',
      locals: setUp,
    },
    {
      name: 'account-second-factor-app-wrong',
      view: 'account-second-factor-app',
      locals: { ...setUp, problem: 'account.second-factor.wrong' },
    },
    {
      name: 'account-recovery-codes',
      view: 'account-recovery-codes',
      locals: { ...common, codes, first: true, next: '/account/second-factor' },
    },
    { name: 'staff-invitation', view: 'staff-invitation', locals: invitation },
    {
      name: 'staff-invitation-wrong',
      view: 'staff-invitation',
      locals: {
        ...invitation,
        typed: { account: 'Wang!', name: '王小明' },
        problems: [
          { field: 'account', problem: 'field.account.letters' },
          { field: 'name', problem: 'staff-invitation.name-empty' },
          { field: 'password', problem: 'staff-invitation.password-empty' },
        ],
      },
    },
    {
      name: 'staff-invitation-member',
      view: 'staff-invitation',
      locals: { ...invitation, member: { name: '林小美', account: 'mei@mail.edu.tw' } },
    },
    {
      name: 'staff-invitation-again',
      view: 'staff-invitation',
      locals: { ...invitation, offered: { roles: [], again: true } },
    },
    { name: 'staff-invitation-factor', view: 'staff-invitation-factor', locals: factor },
    {
      name: 'staff-invitation-factor-wrong',
      view: 'staff-invitation-factor',
      locals: {
        ...factor,
        problems: [{ field: 'code', problem: 'second-factor.set-up.totp-wrong' }],
      },
    },
    {
      name: 'staff-invitation-codes',
      view: 'staff-invitation-codes',
      locals: {
        formToken,
        account: 'mei@mail.edu.tw',
        offered,
        codes,
        whose: 'mark',
        notice: 'staff-invitation.made-already',
        actions: { finish: '/admin/accept/id/finish' },
      },
    },
    {
      name: 'staff-invitation-confirm',
      view: 'staff-invitation-confirm',
      locals: {
        formToken,
        account: { name: '林小美', account: 'mei@mail.edu.tw' },
        offered,
        whose: 'whose',
        actions: { finish: '/admin/accept/id/finish', other: '/admin/accept/id/other' },
      },
    },
  ]
}
