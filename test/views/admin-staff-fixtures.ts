/** The console's pages about staff with made-up data. */
import type { RoleChoice, ShownStaff } from '../../src/http/routes/admin/staff-views.ts'
import { staffPage } from './admin-fixtures.ts'
import type { Fixture } from './fixtures.ts'

const day = (text: string) => new Date(`${text}T01:30:00Z`)

export function staffFixtures(lang: string): Fixture[] {
  const page = staffPage('/admin/staff')
  const county = lang === 'zh-TW' ? '新北市' : 'New Taipei City'
  const grantedAt = day('2026-11-02')
  const owner: ShownStaff = {
    holder: '6a1d3c2e-8f0b-4f57-9d4e-1b2c3d4e5f60',
    kind: 'person',
    name: '陳管理',
    account: 'chen@mail.edu.tw',
    status: 'active',
    secondFactors: 2,
    roles: [{ role: 'owner', reach: '', own: false, grantedAt }],
  }
  const support: ShownStaff = {
    holder: '7b1d3c2e-8f0b-4f57-9d4e-1b2c3d4e5f61',
    kind: 'person',
    name: '林小美',
    account: 'mei@mail.edu.tw',
    status: 'suspended',
    secondFactors: 0,
    roles: [
      { role: 'support', reach: 'county:ntpc', own: false, county, grantedAt },
      { role: 'client-admin', reach: 'own', own: true, grantedAt },
    ],
  }
  const program: ShownStaff = {
    holder: 'client:nightly-report',
    kind: 'program',
    name: '夜間報表',
    status: 'active',
    roles: [{ role: 'auditor', reach: '', own: false, grantedAt }],
  }
  const everywhere = { value: '', label: lang === 'zh-TW' ? '全部範圍' : 'Everywhere' }
  const choices: RoleChoice[] = [
    { role: 'owner', reaches: [everywhere] },
    {
      role: 'client-admin',
      reaches: [
        everywhere,
        { value: 'own', label: lang === 'zh-TW' ? '自己的介接服務' : 'own apps' },
      ],
    },
    ...(['reviewer', 'support', 'auditor'] as const).map((role) => ({
      role,
      reaches: [everywhere, { value: 'county:ntpc', label: county }],
    })),
  ]
  const list = {
    ...page,
    people: [owner, support, program],
    invitations: [
      {
        id: 'a',
        email: 'new@example.gov.tw',
        roles: [{ role: 'reviewer' as const, reach: 'county:ntpc', own: false, county }],
        again: false,
        createdAt: day('2026-11-20'),
        expiresAt: day('2026-11-27'),
      },
      {
        id: 'b',
        email: '',
        roles: [],
        again: true,
        createdAt: day('2026-11-20'),
        expiresAt: day('2026-11-27'),
      },
    ],
    mayWrite: true,
    asked: {},
    counties: [{ value: 'ntpc', label: county }],
    next: '/admin/staff?cursor=abc',
    actions: { withdraw: '/admin/staff/withdraw' },
  }
  const invite = {
    ...page,
    email: '',
    language: lang,
    choices,
    chosen: { owner: '-', 'client-admin': '-', reviewer: '-', support: '-', auditor: '-' },
    action: '/admin/staff/invite',
  }
  const member = {
    ...page,
    member: support,
    mayWrite: true,
    isHerself: false,
    named: 'mei@mail.edu.tw',
    choices,
    actions: {
      grant: '/admin/staff/id/grant',
      revoke: '/admin/staff/id/revoke',
      reset: '/admin/staff/id/reset',
    },
  }
  return [
    {
      name: 'admin-held',
      view: 'admin-held',
      locals: {
        ...staffPage('/admin/people'),
        held: 'held',
        fields: [
          ['account', 'lin.mei'],
          ['name', '林小美'],
          ['recovery', ''],
          ['note', '第一行\n第二行'],
        ],
        action: '/admin/people/3f6b3a52-7c1e-4f0e-9a57-0f3c1f0a7c11/identities/6a0f0b1e/unlink',
        back: '/admin/people/3f6b3a52-7c1e-4f0e-9a57-0f3c1f0a7c11',
      },
    },
    { name: 'admin-staff', view: 'admin-staff', locals: list },
    {
      name: 'admin-staff-empty',
      view: 'admin-staff',
      locals: { ...list, people: [], invitations: [], next: undefined },
    },
    {
      name: 'admin-staff-none-such',
      view: 'admin-staff',
      locals: { ...list, people: [], next: undefined, asked: { role: 'auditor', county: 'ntpc' } },
    },
    {
      name: 'admin-staff-read-only',
      view: 'admin-staff',
      locals: { ...list, mayWrite: false },
    },
    { name: 'admin-staff-invite', view: 'admin-staff-invite', locals: invite },
    {
      name: 'admin-staff-invite-wrong',
      view: 'admin-staff-invite',
      locals: {
        ...invite,
        email: 'no address',
        problems: [
          { field: 'email', problem: 'admin.problem.email' },
          { field: 'role-owner', problem: 'admin.problem.no-role' },
        ],
      },
    },
    {
      name: 'admin-staff-program',
      view: 'admin-staff-program',
      locals: { ...page, client: '', role: '', action: '/admin/staff/program', choices },
    },
    { name: 'admin-staff-member', view: 'admin-staff-member', locals: member },
    {
      name: 'admin-staff-member-wrong',
      view: 'admin-staff-member',
      locals: {
        ...member,
        problems: [
          { field: 'revoke-support-county-ntpc-confirm', problem: 'admin.problem.confirm' },
          { field: 'grant', problem: 'admin.problem.no-role' },
        ],
      },
    },
  ]
}
