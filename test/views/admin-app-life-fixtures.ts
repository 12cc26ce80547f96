/** Pages of an app's life with made-up data, hostile names among them. */

import { snippetsFor } from '#admin/snippets.ts'
import type { AccountViews } from '#http/account-views.ts'
import type { StaffPage } from '#http/admin-views.ts'
import { longest } from '#http/routes/admin/client-form.ts'
import { staffPage } from './admin-fixtures.ts'
import type { Fixture } from './fixtures.ts'

const date = new Date('2026-11-21T08:00:00Z')
const evil = '"><script>alert(1)</script>'

export function appLifeFixtures(lang: string): Fixture[] {
  const zh = lang === 'zh-TW'
  const clients = staffPage('/admin/clients')
  const client = { id: 'V1StGXR8_Z5jdHi6BmyTqw', name: '課程平台', mayWrite: true }
  const app = {
    issuer: 'https://id.example.edu.tw',
    clientId: client.id,
    kind: 'web' as const,
    redirectUri: 'https://course.example.edu.tw/callback',
    scopes: ['openid', 'profile', 'eduinfo'],
    authMethod: 'client_secret_basic',
    idTokenAlg: 'ES256',
  }
  const snippets = snippetsFor(app)
  const request = [
    'client_id',
    'response_type',
    'redirect_uri',
    'scope',
    'state',
    'nonce',
    'code_challenge',
    'code_challenge_method',
    'ui_locales',
    'prompt',
  ].map((name) => ({ name, value: `${name}-${evil}`, key: `admin.try.param.${name}` }))
  const got = {
    tokens: [
      { name: 'id_token', value: `eyJ${'x'.repeat(400)}` },
      { name: 'access_token', value: 'abcdefghijklmnop', seconds: 3600 },
    ],
    header: '{\n  "alg": "RS256"\n}',
    claims: [
      { name: 'sub', value: 'c0ffee' },
      { name: 'name', value: evil },
    ],
    checks: [
      { key: 'admin.try.check.signature', holds: true },
      { key: 'admin.try.check.nonce', holds: false },
    ],
    userinfo: JSON.stringify({ name: evil }, null, 2),
    scopes: [
      { scope: 'openid', granted: true, claims: [{ claim: 'sub', given: true }] },
      { scope: 'phone', granted: false, claims: [{ claim: 'phone_number', given: false }] },
    ],
    unasked: ['email'],
  }
  const asked = {
    id: 'r1',
    name: evil,
    about: 'change',
    kind: 'web',
    account: 'wang@mail.edu.tw',
    createdAt: date,
  }
  const requests = staffPage('/admin/requests')
  const item = { ...asked, state: 'waiting', purpose: `讓老師登入\n${evil}` }
  const decision = {
    wishes: [
      { key: 'admin.wish.redirectUris', values: ['https://a.example/cb', 'https://b.example/cb'] },
      { key: 'admin.wish.contacts', values: ['ops@a.example'] },
    ],
    differences: [
      { field: 'name', from: '舊', to: evil },
      { field: 'clientUri', to: 'https://a.example/' },
    ],
    scopes: [
      { scope: 'profile', label: zh ? '姓名' : 'Name', ticked: true },
      { scope: 'email', label: zh ? '信箱' : 'Mail', ticked: false },
    ],
    purposes: [{ scope: 'profile', text: evil }],
    reason: '',
    actions: { approve: '/admin/requests/r1/approve', refuse: '/admin/requests/r1/refuse' },
  }
  const registration = staffPage('/admin/registration')
  const token = {
    id: 't1',
    label: evil,
    state: 'open',
    kinds: ['web', 'spa'],
    scopes: ['profile'],
    hosts: ['.example.edu.tw'],
    used: 1,
    usesLeft: 4,
    createdAt: date,
    expiresAt: date,
  }
  const tokens = {
    on: true,
    endpoint: 'https://id.example.edu.tw/reg',
    tokens: [token, { ...token, id: 't2', label: '學校', state: 'revoked' }],
    values: { 'kind.web': 'on', uses: '1', days: '7' },
    state: '',
    kinds: ['web', 'spa', 'native', 'machine'],
    scopes: [{ scope: 'profile', label: zh ? '姓名' : 'Name' }],
    actions: { create: '/admin/registration', revoke: '/admin/registration/revoke' },
    next: '?cursor=x',
  }
  const items = [
    { id: 'course', name: evil, what: 'create' as const, differences: decision.differences },
    { id: 'gone', name: '舊的', what: 'remove' as const, differences: [] },
    { id: 'same', name: '不變', what: 'same' as const, differences: [] },
  ]
  const files = {
    ...clients,
    yaml: 'clients:\n  - id: course\n',
    prune: true,
    longest: 500_000,
    actions: {
      preview: '/admin/clients/import',
      apply: '/admin/clients/import/apply',
      export: '/admin/clients/export',
    },
  }
  const wrong = (field: string, problem: StaffPage['problems'][number]['problem']) => ({
    problems: [{ field, problem }],
  })
  const line = { key: 'admin.problem.app-file', params: { line: 3, key: 'clients.0', what: evil } }
  return [
    {
      name: 'admin-client-snippets',
      view: 'admin-client-snippets',
      locals: { ...clients, client, snippets },
    },
    {
      name: 'admin-client-try',
      view: 'admin-client-try',
      locals: { ...clients, client, scopes: ['profile', 'offline_access'], action: '/try' },
    },
    ...['machine', 'no-redirect', 'disabled', 'pushed'].map(
      (untried): Fixture => ({
        name: `admin-client-try-${untried}`,
        view: 'admin-client-try',
        locals: {
          ...clients,
          client,
          untried,
          scopes: [],
          request: untried === 'machine' ? 'curl …' : undefined,
          action: '/try',
        },
      }),
    ),
    {
      name: 'admin-client-tried',
      view: 'admin-client-tried',
      locals: { ...clients, client, request, got, again: '/admin/clients/x/try' },
    },
    {
      name: 'admin-client-tried-refused',
      view: 'admin-client-tried',
      locals: {
        ...clients,
        client,
        request,
        refused: { error: 'access_denied', detail: evil },
        again: '/admin/clients/x/try',
      },
    },
    {
      name: 'admin-requests',
      view: 'admin-requests',
      locals: {
        ...requests,
        state: 'approved',
        order: 'newest',
        requests: [
          { ...asked, decidedAt: date },
          { ...asked, id: 'r2', about: 'new' },
        ],
        next: '?cursor=x',
      },
    },
    {
      name: 'admin-requests-none',
      view: 'admin-requests',
      locals: { ...requests, state: 'waiting', order: 'oldest', requests: [] },
    },
    {
      name: 'admin-requests-none-such',
      view: 'admin-requests',
      locals: { ...requests, state: 'withdrawn', order: 'newest', requests: [] },
    },
    {
      name: 'admin-registration-none-such',
      view: 'admin-registration',
      locals: { ...registration, ...tokens, tokens: [], next: undefined, state: 'expired' },
    },
    {
      name: 'admin-request',
      view: 'admin-request',
      locals: { ...requests, request: { ...item, version: 3 }, ...decision },
    },
    {
      name: 'admin-request-problem',
      view: 'admin-request',
      locals: {
        ...requests,
        request: item,
        ...decision,
        ...wrong('reason', 'admin.problem.empty'),
      },
    },
    {
      name: 'admin-request-refused',
      view: 'admin-request',
      locals: {
        ...requests,
        request: { ...item, state: 'refused', decidedAt: date, reason: evil, clientId: client.id },
        ...decision,
        differences: [],
      },
    },
    {
      name: 'admin-registration',
      view: 'admin-registration',
      locals: { ...registration, ...tokens, notice: 'admin.done.registration-revoked' },
    },
    {
      name: 'admin-registration-problem',
      view: 'admin-registration',
      locals: {
        ...registration,
        ...tokens,
        problems: [
          { field: 'label', problem: 'admin.problem.empty' },
          { field: 'kinds', problem: 'admin.problem.empty' },
          { field: 'hosts', problem: 'admin.problem.registration-host' },
          { field: 'scopes', problem: 'admin.problem.app-scope' },
        ],
      },
    },
    {
      name: 'admin-registration-off',
      view: 'admin-registration',
      locals: { ...registration, ...tokens, on: false, tokens: [], next: undefined },
    },
    {
      name: 'admin-registration-token',
      view: 'admin-registration-token',
      locals: {
        ...registration,
        token: 'x'.repeat(43),
        label: evil,
        expiresAt: date,
        endpoint: tokens.endpoint,
        on: '/admin/registration',
      },
    },
    { name: 'admin-clients-import', view: 'admin-clients-import', locals: files },
    {
      name: 'admin-clients-import-plan',
      view: 'admin-clients-import',
      locals: { ...files, plan: { digest: 'd', items, changes: 2, named: evil } },
    },
    {
      name: 'admin-clients-import-problem',
      view: 'admin-clients-import',
      locals: { ...files, ...wrong('yaml', line) },
    },
    {
      name: 'admin-clients-imported',
      view: 'admin-clients-imported',
      locals: {
        ...clients,
        items: items.map((one) => ({
          ...one,
          secret: one.what === 'create' ? 's3cr3t' : undefined,
        })),
      },
    },
    ...ownFixtures(zh, snippets),
  ]
}

function ownFixtures(zh: boolean, snippets: ReturnType<typeof snippetsFor>): Fixture[] {
  const member = { formToken: 'token-of-this-form', member: 'whose-form' }
  const asked = { name: evil, about: 'new', createdAt: date }
  const ask: AccountViews['account-client-ask'] = {
    ...member,
    kind: 'web',
    kinds: ['web', 'spa', 'native', 'machine'],
    values: { 'scope.profile': 'on', 'purpose.profile.zh': evil, purpose: evil },
    scopes: [{ scope: 'profile', label: zh ? '姓名' : 'Name', detail: '…' }],
    longest: { ...longest, purposes: 300 },
    problems: [],
    actions: { ask: '/account/clients/ask', back: '/account/clients' },
  }
  const app = { id: 'own', name: evil, kind: 'web', state: 'active' }
  const own: AccountViews['account-client'] = {
    ...member,
    app,
    wishes: [{ key: 'admin.wish.redirectUris', values: ['https://a.example/cb'] }],
    scopes: ['openid', 'profile'],
    issuer: 'https://id.example.edu.tw',
    secret: { unseen: false, createdAt: date, formerUntil: date },
    keepDays: [14, 7, 1, 0],
    once: 'once',
    snippets,
    actions: { secret: '/account/clients/secret', change: '/account/clients/ask?id=own' },
  }
  return [
    {
      name: 'account-clients',
      view: 'account-clients',
      locals: {
        ...member,
        notice: 'account.done.request-made',
        apps: [{ id: 'own', name: evil, state: 'expiring', href: '/account/clients/app?id=own' }],
        requests: [
          { ...asked, id: '1', state: 'waiting' },
          { ...asked, id: '2', state: 'refused', decidedAt: date, reason: evil },
          { ...asked, id: '3', state: 'approved', about: 'change', decidedAt: date },
          { ...asked, id: '4', state: 'withdrawn', decidedAt: date },
        ],
        actions: { ask: '/account/clients/ask', withdraw: '/account/clients/withdraw' },
      },
    },
    {
      name: 'account-clients-none',
      view: 'account-clients',
      locals: { ...member, apps: [], requests: [], actions: { ask: '/a', withdraw: '/w' } },
    },
    { name: 'account-client-ask', view: 'account-client-ask', locals: ask },
    {
      name: 'account-client-ask-kind',
      view: 'account-client-ask',
      locals: { ...ask, kind: undefined },
    },
    {
      name: 'account-client-ask-change',
      view: 'account-client-ask',
      locals: {
        ...ask,
        app: { id: 'own', name: evil },
        problems: [
          { field: 'purpose', problem: 'admin.problem.empty' },
          { field: 'redirectUris', problem: 'admin.problem.app-uri-https' },
          { field: 'scopes', problem: 'admin.problem.app-scope' },
          { problem: { key: 'admin.problem.request-too-many', params: { most: 5 } } },
        ],
      },
    },
    { name: 'account-client', view: 'account-client', locals: own },
    {
      name: 'account-client-unseen',
      view: 'account-client',
      locals: { ...own, secret: { unseen: true }, keepDays: [0] },
    },
    {
      name: 'account-client-secret',
      view: 'account-client-secret',
      locals: { ...member, app, secret: 'x'.repeat(43), formerUntil: date, on: '/account/clients' },
    },
  ]
}
