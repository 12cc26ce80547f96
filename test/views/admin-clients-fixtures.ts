/** Pages of apps with made-up data, a hostile name among them. */
import { longest } from '#http/routes/admin/client-form.ts'
import type { FormLocals } from '#http/routes/admin/clients-views.ts'
import { staffPage } from './admin-fixtures.ts'
import type { Fixture } from './fixtures.ts'

export function clientFixtures(lang: string): Fixture[] {
  const zh = lang === 'zh-TW'
  const frame = staffPage('/admin/clients')
  const date = new Date('2026-11-21T08:00:00Z')
  const head = { id: 'V1StGXR8_Z5jdHi6BmyTqw', name: '課程平台', mayWrite: true }
  const listed = {
    id: head.id,
    name: head.name,
    kind: 'web',
    state: 'active',
    host: 'course.example.edu.tw',
    dynamic: false,
    createdAt: date,
    updatedAt: date,
  }
  const list = {
    ...frame,
    clients: [
      listed,
      { ...listed, id: 'b', name: 'Backup robot', kind: 'machine', host: undefined, dynamic: true },
      { ...listed, id: 'c', name: '<script>alert(1)</script>', state: 'disabled', kind: 'spa' },
      { ...listed, id: 'd', name: '圖書館', state: 'expiring', secretExpiresAt: date },
    ],
    q: '',
    kind: '',
    state: '',
    sorts: {
      name: { href: '?sort=name&order=descending', sorted: 'ascending' as const },
      created: { href: '?sort=created' },
      updated: { href: '?sort=updated' },
    },
    filtered: false,
    mayWrite: true,
    next: '?cursor=x',
  }
  const form: FormLocals = {
    kind: 'web',
    values: { reach: 'some', pkce: 'on', 'scope.profile': 'on', 'purpose.profile.zh': '排課' },
    scopes: [
      { scope: 'profile', label: zh ? '姓名與基本資料' : 'Name and profile', detail: '…' },
      { scope: 'learning:read', label: zh ? '查看學習紀錄' : 'See learning records' },
    ],
    adminScopes: ['admin:clients.read', 'admin:clients.write'],
    mayTrust: true,
    resources: [{ id: 'https://api.cloud.edu.tw/learning', label: 'Learning' }],
    life: [{ field: 'accessTokenSeconds', least: 60, most: 86_400, usual: 3600 }],
    claims: ['name', 'email', 'phone_number', 'eduinfo'],
    longest,
    checks: [],
    actions: { save: '/admin/clients/new', check: '/admin/clients/check', back: '/admin/clients' },
  }
  const page = {
    ...frame,
    client: {
      ...head,
      kind: 'web',
      state: 'expiring',
      disabled: false,
      version: 7,
      createdAt: date,
      updatedAt: date,
      redirectUris: ['https://course.example.edu.tw/callback'],
      scopes: ['openid', 'profile', 'learning:read'],
      policyUri: 'https://course.example.edu.tw/privacy',
      tosUri: 'ftp://course.example.edu.tw/terms',
    },
    endpoints: [
      { key: 'admin.clients.page.issuer', url: 'https://id.example.gov.tw' },
      { key: 'admin.clients.page.token', url: 'https://id.example.gov.tw/token' },
    ],
    secret: { createdAt: date, expiresAt: date, soon: true },
    owners: [{ accountId: 'a', account: 'wang@mail.edu.tw', name: '王小明', since: date }],
    keepDays: [14, 7],
    lifeDays: [365, 180, 730],
    path: `/admin/clients/${head.id}`,
  }
  return [
    { name: 'admin-clients', view: 'admin-clients', locals: list },
    {
      name: 'admin-clients-none',
      view: 'admin-clients',
      locals: { ...list, clients: [], next: undefined },
    },
    {
      name: 'admin-client-kind',
      view: 'admin-client-kind',
      locals: { ...frame, kinds: ['web', 'spa', 'native', 'machine'] },
    },
    {
      name: 'admin-client-kind-missing',
      view: 'admin-client-kind',
      locals: {
        ...frame,
        kinds: ['web', 'spa', 'native', 'machine'],
        problems: [{ field: 'kind', problem: 'admin.problem.app-kind' }],
      },
    },
    { name: 'admin-client-form', view: 'admin-client-form', locals: { ...frame, ...form } },
    {
      name: 'admin-client-form-wrong',
      view: 'admin-client-form',
      locals: {
        ...frame,
        ...form,
        client: head,
        version: 7,
        values: {
          ...form.values,
          name: '課程平台',
          redirectUris: 'http://app.example/\nhttps://a',
        },
        checks: [
          { uri: 'http://app.example/', problem: 'admin.problem.app-uri-https' },
          { uri: 'https://a' },
        ],
        problems: [
          { field: 'redirectUris', problem: 'admin.problem.app-uri-https' },
          { field: 'reach', problem: 'admin.problem.app-scope' },
          {
            field: 'accessTokenSeconds',
            problem: { key: 'admin.problem.number-least', params: { least: 60 } },
          },
        ],
      },
    },
    { name: 'admin-client', view: 'admin-client', locals: page },
    {
      name: 'admin-client-two-secrets',
      view: 'admin-client',
      locals: {
        ...page,
        client: {
          ...page.client,
          disabled: true,
          state: 'disabled',
          logo: 'data:image/webp;base64,UklGRg==',
        },
        secret: { createdAt: date, soon: false, formerUntil: date },
        problems: ['remove-confirm', 'secret-drop-confirm', 'secret-now-confirm'].map((field) => ({
          field,
          problem: 'admin.problem.confirm',
        })),
        confirmTyped: '"><script>alert(1)</script>',
      },
    },
    {
      name: 'admin-client-read',
      view: 'admin-client',
      locals: {
        ...page,
        client: { ...page.client, mayWrite: false, kind: 'spa', scopes: undefined },
        secret: undefined,
        owners: [],
      },
    },
    {
      name: 'admin-client-secret',
      view: 'admin-client-secret',
      locals: {
        ...frame,
        client: head,
        secret: 'x'.repeat(43),
        formerUntil: date,
        on: `/admin/clients/${head.id}`,
      },
    },
    {
      name: 'admin-client-versions',
      view: 'admin-client-versions',
      locals: {
        ...frame,
        client: head,
        current: 3,
        path: `/admin/clients/${head.id}/versions`,
        next: '?cursor=x',
        versions: [
          {
            version: 3,
            at: date,
            by: 'operator:lin',
            becauseKey: 'admin.clients.versions.because.secret',
            changes: [],
          },
          {
            version: 2,
            at: date,
            by: 'a7d3f0c2-0000-4000-8000-000000000000',
            becauseKey: 'admin.clients.versions.because.change',
            changes: [
              { field: 'redirect_uris', from: 'https://a.example/cb', to: 'https://b.example/cb' },
              { field: 'contacts', to: '<img src=x onerror=alert(1)>' },
            ],
          },
          {
            version: 1,
            at: date,
            becauseKey: 'admin.clients.versions.because.before',
            changes: [],
          },
        ],
      },
    },
  ]
}
