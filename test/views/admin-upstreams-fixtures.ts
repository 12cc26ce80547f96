/** The console's pages of upstreams with made-up data. */
import type { Views } from '#http/render.ts'
import { staffPage } from './admin-fixtures.ts'
import type { Fixture } from './fixtures.ts'

const at = new Date('2026-11-21T02:05:00Z')
const hour = 60 * 60 * 1000
const words = 'admin.upstreams'

const days: Views['admin-upstream']['days'] = Array.from({ length: 30 }, (_, i) => ({
  day: new Date(at.getTime() - (29 - i) * 24 * hour),
  share: i < 10 ? undefined : i === 20 ? '62.5' : '100',
  slow: i === 25 ? 90 : 0,
  down: i === 20 ? 540 : 0,
  off: 0,
  bars:
    i < 10
      ? []
      : i === 20
        ? [
            { is: 'ok', y: 15, height: 25 },
            { is: 'down', y: 0, height: 15 },
          ]
        : i === 25
          ? [
              { is: 'ok', y: 3, height: 37 },
              { is: 'slow', y: 0, height: 3 },
            ]
          : [{ is: 'ok', y: 0, height: 40 }],
}))

export function upstreamsFixtures(lang: string): Fixture[] {
  const frame = staffPage('/admin/upstreams')
  const zh = lang === 'zh-TW'
  const label = zh ? '新北市' : 'New Taipei City'
  const row = (id: string, name: string): Views['admin-upstreams']['upstreams'][number] => ({
    id,
    label: name,
    state: { key: `${words}.state.ok`, tone: 'good', since: at },
    failures: { count: 0, atLeast: false },
    checkedAt: at,
  })
  const list: Views['admin-upstreams'] = {
    ...frame,
    show: 'all',
    sort: 'failures',
    upstreams: [
      {
        ...row('ntpc', label),
        state: { key: `${words}.state.relapse`, tone: 'bad', since: at },
        failures: { count: 200, atLeast: true },
        certificate: { at: new Date(at.getTime() + 200 * hour), soon: true },
      },
      {
        ...row('kh', zh ? '高雄市' : 'Kaohsiung City'),
        state: { key: `${words}.opening.off`, tone: 'warn' },
      },
      {
        ...row('km', zh ? '金門縣' : 'Kinmen County'),
        state: { key: `${words}.opening.not-connected`, tone: 'none' },
        checkedAt: undefined,
      },
    ],
    links: {
      state: '?sort=state',
      failures: '?sort=failures',
      certificate: '?sort=certificate',
      order: '?',
    },
    next: '/admin/upstreams?cursor=abc',
    empty: false,
  }
  const one: Views['admin-upstream'] = {
    ...frame,
    id: 'ntpc',
    label,
    path: '/admin/upstreams/ntpc',
    mayWrite: true,
    connected: true,
    state: { key: `${words}.state.down`, tone: 'bad', since: at },
    took: 240,
    checkedAt: at,
    reason: '',
    errors: [
      { failure: 'unreachable', count: 31, last: at },
      { failure: 'refused', count: 2, last: at },
    ],
    atLeast: false,
    contact: zh ? '教育局資訊科 02-2960-3456' : 'Education bureau, IT, 02-2960-3456',
    events: [
      { at, whatKey: `${words}.state.down`, tone: 'bad', more: [] },
      {
        at,
        whatKey: `${words}.failure.unreachable.what`,
        tone: 'warn',
        more: [
          `${words}.errand.sign-in`,
          { key: `${words}.history.stage`, params: { stage: 'token endpoint' } },
          { key: `${words}.history.status`, params: { status: 502 } },
          { key: `${words}.history.ref`, params: { ref: 'K7P2QX' } },
        ],
      },
    ],
    kind: '',
    next: '/admin/upstreams/ntpc?cursor=abc#history',
    share: '98.1',
    days,
    knownDays: 20,
    badDays: 1,
    certificates: [
      {
        whoseKey: `${words}.certificates.server`,
        name: 'ntpc.sso.edu.tw:443',
        at,
        soon: true,
        over: false,
      },
      { whoseKey: `${words}.certificates.own`, name: 'CN=citygate', at, soon: true, over: true },
    ],
    notices: [
      {
        id: 'n1',
        text: { 'zh-TW': '教育局更新系統。', en: 'The county renews its system.' },
        from: at,
        until: new Date(at.getTime() + 2 * hour),
      },
    ],
    typed: { zh: '', en: '', from: '2026-11-21T11:05', until: '2026-11-21T13:05' },
    facts: [
      { key: `${words}.facts.type`, value: 'oidc' },
      { key: `${words}.facts.issuer`, value: 'https://ntpc.sso.edu.tw' },
      { key: `${words}.facts.linking`, value: { key: `${words}.facts.linkings.ask` } },
      {
        key: `${words}.facts.quirks`,
        value: 'One person may be teacher and parent at the same school.',
      },
    ],
    addresses: [
      { what: 'callback', url: 'https://id.example.edu.tw/upstream/ntpc/callback' },
      { what: 'logout', url: 'https://id.example.edu.tw/upstream/ntpc/logout' },
    ],
  }
  const off: Views['admin-upstream'] = {
    ...one,
    state: { key: `${words}.opening.off`, tone: 'warn' },
    switchedOff: { at, by: zh ? '陳管理' : 'Chen', reason: zh ? '金鑰外洩' : 'Its keys leaked' },
    errors: [],
    events: [],
    certificates: [],
    notices: [],
    share: undefined,
    addresses: [],
    next: undefined,
  }
  const wrong: Views['admin-upstream'] = {
    ...one,
    typed: { zh: '', en: 'Maintenance', from: '2026-11-21T11:05', until: '2020-11-21T13:05' },
    problems: [
      { field: 'zh', problem: 'admin.problem.empty' },
      { field: 'until', problem: 'admin.problem.moment' },
      { field: 'switch-off-confirm', problem: 'admin.problem.confirm' },
    ],
  }
  const test: Views['admin-upstream-test'] = {
    ...frame,
    id: 'ntpc',
    label,
    path: '/admin/upstreams/ntpc/test',
    canTest: true,
  }
  const well: Views['admin-upstream-test'] = {
    ...test,
    away: { key: `${words}.trial.away.early` },
    result: {
      well: true,
      away: '12.4',
      took: 480,
      stages: [
        { label: `${words}.stage.discovery`, is: 'passed' },
        { label: `${words}.stage.ID-token`, is: 'passed' },
        { label: { key: `${words}.stage.call`, params: { name: 'eduinfo' } }, is: 'passed' },
      ],
      who: {
        issuer: 'https://ntpc.sso.edu.tw',
        subject: 'ntpctest',
        masked: 'nt•••st',
        facts: [
          { key: `${words}.trial.fingerprint`, value: { key: `${words}.trial.fingerprint-yes` } },
        ],
        account: 'yes',
        accountPath: '/admin/people/1',
      },
      raw: '{\n  "sub": "ntpctest",\n  "name": "</pre><script>alert(1)</script>"\n}',
      made: [{ key: 'claim.name', value: '林老師' }],
      affiliations: [
        {
          school: '青松國小 014569',
          roleKey: 'role.teacher',
          titles: '教師、組長',
          classes: '113-1-5-2',
        },
      ],
      unread: ['eduinfo.titles'],
    },
  }
  const failed: Views['admin-upstream-test'] = {
    ...test,
    result: {
      well: false,
      failureKey: `${words}.failure.nonsense`,
      why: 'ntpc: token endpoint: error=invalid_client',
      away: '8.0',
      stages: [
        { label: `${words}.stage.discovery`, is: 'passed' },
        { label: `${words}.stage.token-endpoint`, is: 'not-passed' },
        { label: `${words}.stage.ID-token`, is: 'not-reached' },
      ],
      made: [],
      affiliations: [],
      unread: [],
    },
  }
  return [
    { name: 'admin-upstreams', view: 'admin-upstreams', locals: list },
    {
      name: 'admin-upstreams-empty',
      view: 'admin-upstreams',
      locals: { ...list, upstreams: [], next: undefined, empty: true },
    },
    { name: 'admin-upstream', view: 'admin-upstream', locals: one },
    { name: 'admin-upstream-off', view: 'admin-upstream', locals: off },
    { name: 'admin-upstream-wrong', view: 'admin-upstream', locals: wrong },
    { name: 'admin-upstream-test', view: 'admin-upstream-test', locals: test },
    { name: 'admin-upstream-test-well', view: 'admin-upstream-test', locals: well },
    { name: 'admin-upstream-test-failed', view: 'admin-upstream-test', locals: failed },
  ]
}
