/** Keys, outbox, audit trail, statistics and the system, with made-up data. */
import { type Finding, fail, ok, warn } from '#admin/doctor/finding.ts'
import { said, trouble } from '#admin/doctor/sayings.ts'
import { columnsOf, shareOf, timelineOf } from '#http/routes/admin/plots.ts'
import { daysAfter } from '#lib/taiwan-days.ts'
import { staffPage } from './admin-fixtures.ts'
import type { Fixture } from './fixtures.ts'

const now = Date.parse('2026-11-21T04:00:00Z') / 1000
const day = 86_400
const iso = (days: number) => new Date((now + days * day) * 1000).toISOString()

const days = Array.from({ length: 30 }, (_, i) => ({
  day: daysAfter('2026-11-21', i - 29),
  ok: Math.round(900 + 700 * Math.sin(i / 1.1) + 13 * i),
  failed: (i * 37) % 90,
}))
const all = days.reduce((sum, one) => ({ ok: sum.ok + one.ok, failed: sum.failed + one.failed }), {
  ok: 0,
  failed: 0,
})

const keys = [
  { kid: 'signing-rs256-3', alg: 'RS256', state: 'signing', from: -40, until: 50 },
  { kid: 'signing-rs256-2', alg: 'RS256', state: 'retired', from: -130, until: -40 },
  { kid: 'signing-es256-3', alg: 'ES256', state: 'signing', from: -89, until: 1 },
  { kid: 'signing-es256-4', alg: 'ES256', state: 'next', from: 1, until: 91 },
] as const

/** What the page says of each is in its keys; the last one is of a release that knows more than this one. */
const findings = [
  ok(said('check.database'), said('database.answers', { version: 'PostgreSQL 15.14' })),
  warn(
    said('check.risk', { setting: 'fsync' }),
    trouble('risk.fsync', { setting: 'fsync', value: 'off' }),
  ),
  fail(said('check.mail'), {
    says: { key: 'delivery.mail-timeout', params: {} },
    mend: said('mail.mend'),
  }),
  fail(said('check.upstream', { id: 'kh' }), {
    says: said('upstream.nonsense', { said: 'discovery: the document names another issuer' }),
    mend: said('upstream.mend.nonsense.oidc'),
  }),
  warn(
    said('check.upstream', { id: 'tn' }),
    trouble('upstream.certificate', { server: 'openid.tn.edu.tw:443', until: '2026-12-02' }),
  ),
  warn(said('check.clock'), {
    says: [
      said('clock.issuer-ahead', { seconds: 121 }),
      said('clock.server-behind', { host: 'openid.tn.edu.tw', seconds: 45 }),
    ],
    mend: said('clock.mend'),
  }),
  ok(
    said('check.disk'),
    said('disk.free', {
      size: '41.7',
      folder: '/srv/containers/citygate/production/volumes/database-and-keys/data',
    }),
  ),
  {
    check: { key: 'doctor.check.dns', params: {} },
    state: 'ok',
    says: [{ key: 'doctor.dns.answers', params: {} }],
  } satisfies Finding,
].map(({ state, ...keys }) => ({ check: 'dns', state, says: 'answers', mend: 'none', keys }))

export function operationsFixtures(lang: string): Fixture[] {
  const zh = lang === 'zh-TW'
  const county = zh ? '新北市' : 'New Taipei City'
  const app = {
    id: 'courses-1',
    name: zh ? '課程平台' : 'Course Hub',
    href: '/admin/clients/courses-1',
  }
  const person = '6f1c2f5e-58f5-4b9e-8d6c-0d9e6f1f3a11'
  const event = {
    chain: 'Zk3vUo1Qm0a8w7c2r5t9yA',
    seq: 4711,
    at: new Date(now * 1000),
    action: 'session.sign-in',
    outcome: 'ok',
    actor: { id: person, name: '王小明', href: `/admin/people/${person}` },
    target: app,
    address: '203.0.113.7',
    ref: 'k3v9x1m2',
    details: { way: 'upstream', connector: 'ntpc', created: false },
    href: '/admin/audit/Zk3vUo1Qm0a8w7c2r5t9yA/4711',
  }
  const check = {
    state: 'whole' as const,
    events: 1_204_331,
    chains: 41,
    broken: 0,
    faults: [],
    startedAt: iso(-1),
    at: iso(-1),
    by: { id: person, what: 'person' as const, key: person },
  }
  const message = {
    id: '0b7e7a52-2e0d-4f6f-9f0e-6d0c6a6a8f10',
    kind: 'backchannel-logout' as const,
    state: 'dead' as const,
    to: app.id,
    createdAt: iso(-2),
    dueAt: iso(-1),
    attempts: 12,
    lastError: 'it answered 503',
  }
  const why = { key: 'delivery.answered', params: { status: '503' } }
  const statistics = {
    from: '2026-10-23',
    until: '2026-11-21',
    countedAt: iso(0),
    all,
    days,
    ways: [{ way: 'upstream', connector: 'ntpc', ok: 700, failed: 20 }],
    apps: [{ clientId: app.id, name: app.name, ok: 700, failed: 20 }],
    failures: [
      { outcome: 'wrong', count: 804 },
      { outcome: 'unreachable', count: 31 },
    ],
  }
  const page = (section: string) => staffPage(`/admin/${section}`)
  const events = [
    event,
    {
      ...event,
      seq: 4710,
      action: 'key.rotate\nfoo',
      outcome: 'wrong',
      actor: { id: 'unknown' },
      target: { id: '<script>alert(1)</script>' },
      address: '',
    },
  ]
  const audit = {
    ...page('audit'),
    asked: {},
    order: 'newest' as const,
    filtered: false,
    events,
    next: '/admin/audit?cursor=abc',
    check,
  }
  return [
    {
      name: 'admin',
      view: 'admin',
      locals: {
        ...staffPage('/admin'),
        first: [],
        tasks: [
          { kind: 'upstreams-down', count: 1, name: county, href: '/admin/upstreams?show=down' },
          { kind: 'requests', count: 3, href: '/admin/requests' },
          { kind: 'messages-dead', count: 12, href: '/admin/outbox?state=dead' },
          { kind: 'secrets-ending', count: 1, name: app.name, href: '/admin/clients' },
        ],
        signIns: { plot: columnsOf(days, 96), ...all, days: 30 },
      },
    },
    {
      name: 'admin-first',
      view: 'admin',
      locals: {
        ...staffPage('/admin'),
        first: [
          { step: 'app', done: false, href: '/admin/clients/new' },
          { step: 'colleague', done: false, href: '/admin/staff' },
          { step: 'mail', done: true, href: '/admin/system' },
          { step: 'county', done: false, href: '/admin/upstreams' },
        ],
        tasks: [],
        signIns: { plot: columnsOf([], 96), ok: 0, failed: 0, days: 30 },
      },
    },
    {
      name: 'admin-keys',
      view: 'admin-keys',
      locals: {
        ...page('keys'),
        keys: [
          ...keys.map(({ kid, alg, state, from, until }) => ({
            kid,
            alg,
            state,
            purpose: 'signing',
            publishedAt: iso(from - 1),
            signsAt: iso(from),
            ...(kid === 'signing-rs256-3'
              ? { successorPublishedAt: iso(until - 1), successorSignsAt: iso(until) }
              : { retiresAt: iso(until), leavesAt: iso(until + 2) }),
          })),
          {
            kid: 'cookie-2',
            purpose: 'cookie',
            state: 'signing',
            publishedAt: iso(-9),
            signsAt: iso(-8),
          },
          { kid: 'audit-1', purpose: 'audit', state: 'permanent', publishedAt: iso(-400) },
        ],
        timeline: timelineOf(
          keys.map(({ kid, from, until }) => ({
            label: kid,
            spans: [
              { kind: 'next', from: now + (from - 1) * day, until: now + from * day },
              { kind: 'signing', from: now + from * day, until: now + until * day },
              { kind: 'retired', from: now + until * day, until: now + (until + 9) * day },
            ],
          })),
          { from: now - 30 * day, until: now + 120 * day, now },
        ),
        mayWrite: true,
        follow: 30,
        jwks: 600,
      },
    },
    {
      name: 'admin-keys-mistyped',
      view: 'admin-keys',
      locals: {
        ...page('keys'),
        keys: [
          {
            kid: 'signing-rs256-1',
            alg: 'RS256',
            purpose: 'signing',
            state: 'signing',
            publishedAt: iso(-9),
          },
        ],
        timeline: timelineOf([], { from: now - day, until: now + day, now }),
        mayWrite: true,
        follow: 30,
        jwks: 600,
        problems: [{ field: 'replace-RS256-confirm', problem: 'admin.problem.confirm' }],
      },
    },
    {
      name: 'admin-outbox',
      view: 'admin-outbox',
      locals: {
        ...page('outbox'),
        asked: {},
        counts: [
          { kind: 'backchannel-logout', waiting: 0, dead: 1 },
          { kind: 'mail', waiting: 1204, dead: 0, since: new Date((now - 3600) * 1000) },
          { kind: 'request', waiting: 0, dead: 0 },
          { kind: 'provisioning', waiting: 2, dead: 0, since: new Date((now - 60) * 1000) },
        ],
        messages: [
          { ...message, href: `/admin/outbox/${message.id}`, shown: app, why },
          {
            ...message,
            id: '5d0c6a6a-2e0d-4f6f-9f0e-8f100b7e7a52',
            kind: 'mail',
            state: 'waiting',
            attempts: 1,
            href: '/admin/outbox/2',
            lastError: 'words of another release',
            shown: { id: 'm•••.edu.tw' },
          },
        ],
        mayWrite: true,
        next: '/admin/outbox?cursor=abc',
      },
    },
    {
      name: 'admin-outbox-empty',
      view: 'admin-outbox',
      locals: { ...page('outbox'), asked: {}, counts: [], messages: [], mayWrite: false },
    },
    {
      name: 'admin-message',
      view: 'admin-message',
      locals: {
        ...page('outbox'),
        message,
        shown: app,
        why,
        named: message.id.slice(0, 8),
        mayWrite: true,
      },
    },
    { name: 'admin-audit', view: 'admin-audit', locals: audit },
    {
      name: 'admin-audit-broken',
      view: 'admin-audit',
      locals: {
        ...audit,
        asked: { action: 'key.', since: '2026-11-01' },
        order: 'oldest' as const,
        filtered: true,
        events: [],
        until: new Date((now - 9 * day) * 1000),
        problems: [{ field: 'since', problem: 'admin.problem.day' }],
        check: {
          ...check,
          state: 'broken',
          broken: 1,
          faults: [
            {
              chain: event.chain,
              seq: 12,
              kind: 'changed',
              message: 'event 12 was changed',
              said: { key: 'admin.audit.check.fault.changed', params: { seq: '12' } },
            },
          ],
        },
      },
    },
    { name: 'admin-event', view: 'admin-event', locals: { ...page('audit'), event } },
    {
      name: 'admin-statistics',
      view: 'admin-statistics',
      locals: {
        ...page('statistics'),
        asked: { days: '30' },
        spans: [7, 30, 90, 365].map((one) => ({
          days: one,
          href: `/admin/statistics?days=${one}`,
          current: one === 30,
        })),
        statistics,
        plot: columnsOf(days),
        ways: [
          {
            way: 'upstream',
            label: county,
            href: '/admin/statistics?connector=ntpc',
            ok: 18_211,
            failed: 230,
            share: shareOf(62, 100),
          },
          {
            way: 'password',
            href: '/admin/statistics?way=password',
            ok: 9_020,
            failed: 804,
            share: shareOf(38, 100),
          },
        ],
        apps: [
          {
            shown: app,
            href: '/admin/statistics?clientId=courses-1',
            ok: 700,
            failed: 20,
            share: '100%',
          },
        ],
        only: [],
        csv: '/admin/statistics/csv?days=30',
      },
    },
    {
      name: 'admin-statistics-empty',
      view: 'admin-statistics',
      locals: {
        ...page('statistics'),
        asked: { days: '7', connector: 'ntpc' },
        spans: [{ days: 7, href: '/admin/statistics?days=7', current: true }],
        statistics: { ...statistics, all: { ok: 0, failed: 0 }, days: [], failures: [] },
        plot: columnsOf([]),
        ways: [],
        apps: [],
        only: [county],
        csv: '/admin/statistics/csv',
      },
    },
    {
      name: 'admin-system',
      view: 'admin-system',
      locals: {
        ...page('system'),
        system: {
          version: '0.5.0',
          node: '24.21.0',
          issuer: 'https://id.example.edu.tw',
          site: 'educloud',
          production: true,
          workers: 4,
          database: {
            engine: 'postgres',
            version: 'PostgreSQL 15.14',
            migrations: { pending: [], unknown: [] },
            pool: { used: 1, free: 2, waiting: 0 },
          },
          process: {
            pid: 4242,
            startedAt: iso(-3),
            uptimeSeconds: 3 * day,
            residentBytes: 187_000_000,
            heapBytes: 61_000_000,
            passwordsWaiting: 0,
          },
          jobs: [
            {
              job: 'sweep',
              everySeconds: 60,
              endedAt: iso(0),
              outcome: 'ok',
              tookMs: 12,
              running: false,
            },
            {
              job: 'probe-upstreams',
              everySeconds: 60,
              endedAt: iso(0),
              outcome: 'failed',
              tookMs: 2_031,
              running: false,
            },
            { job: 'audit-verify', running: true },
          ],
          leases: [{ name: 'turn:sweep', holder: 'Zk3vUo', until: iso(0) }],
          endings: [],
          limits: {
            sign_in: { wrong_passwords: 5, lock_seconds: 900 },
            sources: { shared: ['10.0.0.0/8'] },
          },
          examination: {
            at: iso(0),
            tookMs: 1_400,
            findings,
            unchecked: ['whether people outside your network reach the issuer'],
            uncheckedKeys: [said('unchecked.reach')],
          },
        },
        endings: [
          {
            what: 'secret',
            id: app.id,
            name: app.name,
            at: new Date((now - day) * 1000),
            days: -1,
            href: app.href,
          },
          {
            what: 'certificate',
            id: 'ntpc',
            name: county,
            at: new Date((now + 9 * day) * 1000),
            days: 9,
            href: '/admin/upstreams/ntpc',
          },
          {
            what: 'key',
            id: 'signing-rs256-3',
            name: 'signing-rs256-3',
            at: new Date((now + 50 * day) * 1000),
            days: 50,
            href: '/admin/keys',
          },
        ],
      },
    },
  ]
}
