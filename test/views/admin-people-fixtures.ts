/** Pages about people with made-up data. */
import type { ShownPerson } from '#http/routes/admin/people-views.ts'
import { staffPage } from './admin-fixtures.ts'
import type { Fixture } from './fixtures.ts'

const at = new Date('2026-11-20T03:00:00Z')
const sub = '2f1c9a55-5b1d-4a6e-9c55-0f4f7d6a0e11'
const path = `/admin/people/${sub}`

export function peopleFixtures(lang: string): Fixture[] {
  const zh = lang === 'zh-TW'
  const staff = staffPage('/admin/people')
  const county = zh ? '新北市' : 'New Taipei City'
  const school = zh ? '新北市立示範國民中學' : 'New Taipei Demonstration Junior High School'
  const counties = [
    { value: 'ntpc', label: county },
    { value: 'tyc', label: zh ? '桃園市' : 'Taoyuan City' },
  ]
  const statuses = ['pending', 'active', 'suspended', 'closed']
  const list = {
    ...staff,
    q: '王',
    school: '',
    county: '',
    status: '',
    sort: '',
    counties,
    statuses,
    filtered: true,
    mayAdd: true,
    first: undefined,
    next: '/admin/people?q=%E7%8E%8B&cursor=somewhere',
  }
  const row = {
    sub,
    name: '王小明',
    accounts: ['wang@mail.edu.tw'],
    counties: [county],
    schools: [school],
    status: 'active',
    updatedAt: at,
    createdAt: at,
  }
  const person: ShownPerson = {
    sub,
    name: '王小明',
    phrase: '王小明',
    status: 'active',
    kind: 'person',
    staff: true,
    roles: [{ role: 'support', reach: 'county:ntpc' }],
    createdAt: at,
    updatedAt: at,
    closedAt: undefined,
    profile: [
      {
        claim: 'name',
        value: '王小明',
        masked: false,
        by: { key: 'admin.people.by.county', params: { county } },
        at,
        verified: undefined,
      },
      {
        claim: 'phone_number',
        value: '•••••678',
        masked: true,
        by: 'admin.people.by.self',
        at,
        verified: false,
      },
    ],
    identifiers: [{ type: 'email', value: 'wang@mail.edu.tw', verified: true }],
    passwordAt: at,
    recovery: { address: 'w•••@mail.example', since: at, confirmed: false },
    guardian: { name: '王大明', address: 'd•••@mail.example', agreedAt: at },
    numbers: [{ type: 'national-id', since: at }],
    identities: [
      {
        id: 'first',
        county,
        subject: 'teacher1',
        linkedAt: at,
        readAt: at,
        unread: ['eduinfo'],
        fingerprint: true,
      },
    ],
    elsewhere: 1,
    affiliations: [
      {
        school,
        code: '014569',
        roleKey: 'role.teacher',
        role: 'teacher',
        titles: ['教師', '設備組長'],
        county,
        readAt: at,
        stale: true,
      },
    ],
    factors: [
      { type: 'passkey', label: 'YubiKey', createdAt: at, usedAt: at },
      { type: 'totp', label: zh ? '我的手機' : 'My phone', createdAt: at, usedAt: undefined },
    ],
    sessions: [
      {
        id: 'session-one',
        agent: 'Chrome, Windows',
        network: '203.0.113.0',
        signedInAt: at,
        lastSeenAt: at,
        apps: [zh ? '學習好夥伴' : 'Learning Pal'],
      },
    ],
    apps: [
      {
        client: 'pal',
        name: zh ? '學習好夥伴' : 'Learning Pal',
        scopes: ['openid', 'profile'],
        consentedAt: at,
        active: true,
      },
    ],
    agreements: [{ terms: 'educloud', version: '2026-01-01', language: 'zh-TW', agreedAt: at }],
    applications: [
      { id: 'one', enrolment: 'teacher', state: 'waiting', createdAt: at, updatedAt: at },
    ],
    merges: [{ id: 'merge', role: 'kept', other: 'the-other', mergedAt: at, undoneAt: undefined }],
  }
  const page = {
    ...staff,
    person,
    path,
    mayWrite: true,
    mayUnmask: true,
    masked: [
      { value: 'profile:phone_number', label: zh ? '電話' : 'Telephone' },
      { value: 'claims:first', label: `${county}: teacher1` },
    ],
    revealed: undefined,
    typed: undefined,
    signIns: [
      {
        at,
        way: { key: 'account.way.upstream', params: { county } },
        app: zh ? '學習好夥伴' : 'Learning Pal',
        network: '203.0.113.0',
        outcome: 'suspended',
        ok: false,
      },
    ],
  }
  const empty: ShownPerson = {
    ...person,
    name: '',
    phrase: '2f1c9a55',
    status: 'suspended',
    staff: false,
    roles: [],
    profile: [],
    identifiers: [],
    passwordAt: undefined,
    recovery: undefined,
    guardian: undefined,
    numbers: [],
    identities: [],
    elsewhere: 0,
    affiliations: [],
    factors: [],
    sessions: [],
    apps: [],
    agreements: [],
    applications: [],
    merges: [],
  }
  const problem = 'admin.problem.confirm'
  return [
    {
      name: 'admin-people',
      view: 'admin-people',
      locals: {
        ...list,
        people: [
          row,
          { ...row, sub: 'other', name: '', accounts: [], schools: [], status: 'closed' },
        ],
      },
    },
    {
      name: 'admin-people-nobody',
      view: 'admin-people',
      locals: { ...list, people: [], next: undefined, first: '/admin/people?q=x' },
    },
    { name: 'admin-people-search-on', view: 'admin-people', locals: { ...list, people: [] } },
    {
      name: 'admin-people-empty',
      view: 'admin-people',
      locals: { ...list, q: '', filtered: false, people: [], next: undefined },
    },
    { name: 'admin-person', view: 'admin-person', locals: page },
    {
      name: 'admin-person-slip',
      view: 'admin-person',
      locals: {
        ...page,
        problems: [{ field: 'suspend-confirm', problem }],
        typed: { form: 'suspend', fields: { reason: 'a reason', confirm: 'somebody else' } },
      },
    },
    {
      name: 'admin-person-revealed',
      view: 'admin-person',
      locals: { ...page, revealed: { label: 'Telephone', value: '{\n  "sub": "teacher1"\n}' } },
    },
    {
      name: 'admin-person-empty',
      view: 'admin-person',
      locals: { ...page, person: empty, masked: [], signIns: [] },
    },
    {
      name: 'admin-person-edit',
      view: 'admin-person-edit',
      locals: {
        ...staff,
        person: { name: '王小明', phrase: '王小明' },
        values: { name: '王小明', nickname: '', title: '', phoneNumber: '', gender: 'male' },
        vouched: { name: { key: 'admin.people.by.county', params: { county } } },
        phone: '•••••678',
        version: 'v',
        action: `${path}/edit`,
        path,
        problems: [{ field: 'name', problem: 'admin.problem.empty' }],
      },
    },
    {
      name: 'admin-person-sign-ins',
      view: 'admin-person-sign-ins',
      locals: {
        ...staff,
        person: { name: '王小明' },
        path,
        signIns: page.signIns,
        first: `${path}/sign-ins`,
        next: `${path}/sign-ins?cursor=x`,
      },
    },
    {
      name: 'admin-person-new',
      view: 'admin-person-new',
      locals: {
        ...staff,
        values: { account: 'wang', name: '', recovery: 'nowhere' },
        action: '/admin/people/new',
        problems: [{ field: 'recovery', problem: 'admin.problem.people-address' }],
      },
    },
    {
      name: 'admin-person-made',
      view: 'admin-person-made',
      locals: {
        ...staff,
        name: '王小明',
        account: 'wang',
        password: 'rQ7aPz0kLm3nTy8vBd2x',
        to: undefined,
        on: path,
      },
    },
    {
      name: 'admin-person-made-link',
      view: 'admin-person-made',
      locals: {
        ...staff,
        name: '王小明',
        account: 'wang',
        password: undefined,
        to: 'w•••@mail.example',
        on: path,
      },
    },
  ]
}
