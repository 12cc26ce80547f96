/** Every page with made-up data, for the tests and the preview. */
import type { Gate, Views } from '#http/render.ts'
import { accountFixtures } from './account-fixtures.ts'
import { adminFixtures } from './admin-fixtures.ts'
import { joiningFixtures } from './joining-fixtures.ts'
import { secondFactorFixtures } from './second-factor-fixtures.ts'

type Lang = 'zh-TW' | 'en'
export type Fixture<V extends keyof Views = keyof Views> = {
  [K in V]: { name: string; view: K; locals: Views[K] }
}[V]

const counties: [id: string, zh: string, en: string, ...keywords: string[]][] = [
  ['kl', '基隆市', 'Keelung City', 'Jilong'],
  ['ntpc', '新北市', 'New Taipei City', 'Xinbei', '台北縣'],
  ['tp', '臺北市', 'Taipei City', 'Taibei'],
  ['tyc', '桃園市', 'Taoyuan City'],
  ['hcc', '新竹縣', 'Hsinchu County', 'Xinzhu'],
  ['hc', '新竹市', 'Hsinchu City', 'Xinzhu'],
  ['mlc', '苗栗縣', 'Miaoli County'],
  ['tc', '臺中市', 'Taichung City', 'Taizhong'],
  ['chc', '彰化縣', 'Changhua County', 'Zhanghua'],
  ['ntct', '南投縣', 'Nantou County'],
  ['ylc', '雲林縣', 'Yunlin County'],
  ['cyc', '嘉義縣', 'Chiayi County', 'Jiayi'],
  ['cy', '嘉義市', 'Chiayi City', 'Jiayi'],
  ['tn', '臺南市', 'Tainan City'],
  ['kh', '高雄市', 'Kaohsiung City', 'Gaoxiong'],
  ['ptc', '屏東縣', 'Pingtung County', 'Pingdong'],
  ['boe', '臺東縣', 'Taitung County', 'Taidong'],
  ['hlc', '花蓮縣', 'Hualien County'],
  ['ilc', '宜蘭縣', 'Yilan County', 'Ilan'],
  ['phc', '澎湖縣', 'Penghu County'],
  ['km', '金門縣', 'Kinmen County', 'Jinmen'],
  ['matsu', '連江縣', 'Lienchiang County', 'Matsu', '馬祖'],
]
const notConnected = new Set(['tp', 'tn', 'km'])

const connectors = (lang: Lang) =>
  counties.map(([id, zh, en, ...keywords]) => ({
    id,
    label: lang === 'en' ? en : zh,
    keywords: [zh, en, ...keywords],
    connected: !notConnected.has(id),
  }))

const formToken = 'token-of-this-form'

/** All pages in one language. `app` is the name an app gave itself. */
export function fixtures(
  lang: Lang,
  app = lang === 'en' ? 'Learning Pal' : '學習好夥伴',
): Fixture[] {
  const zh = lang === 'zh-TW'
  const host = 'pal.example.edu.tw'
  const county = zh ? '新北市' : 'New Taipei City'
  const uid = 'V1StGXR8_Z5jdHi6B-myT'
  const signIn: Views['sign-in'] = {
    uid,
    app: { name: app, host },
    formToken,
    connectors: connectors(lang),
    canRemember: true,
    actions: {
      local: `/interaction/${uid}/sign-in`,
      upstream: `/interaction/${uid}/upstream`,
      cancel: `/interaction/${uid}/cancel`,
    },
  }
  const upstreamPassword: Views['upstream-password'] = {
    app: { name: app, host },
    directory: zh ? '青松國民中學' : 'Green Pine Junior High School',
    formToken,
    action: '/upstream/school/password?state=state-of-the-trip',
    back: `/interaction/${uid}?choose=1`,
  }
  const linkOffer: Views['link-offer'] = {
    app: { name: app, host },
    county,
    address: 'm•••@mail.edu.tw',
    proof: 'sign-in',
    offer: 'mark-of-this-offer',
    formToken,
    connectors: connectors(lang),
    actions: {
      signIn: `/interaction/${uid}/link/sign-in`,
      upstream: `/interaction/${uid}/link/upstream`,
      word: `/interaction/${uid}/link/word`,
      alone: `/interaction/${uid}/link/alone`,
      cancel: `/interaction/${uid}/cancel`,
    },
  }
  const agreement: Views['agreement'] = {
    app: { name: app, host },
    terms: {
      id: 'educloud',
      version: '2014-08-01',
      title: zh ? '教育雲會員註冊同意書' : 'Edu Cloud membership terms',
      html: `<p>${(zh ? '歡迎使用本網站服務。' : 'Welcome to our services. ').repeat(60)}</p>
<h3>${zh ? '註冊與帳號' : 'Your account'}</h3>
<p>${(zh ? '請提供正確、最新的資料。' : 'Give us what is true. ').repeat(60)}</p>`,
      hash: 'hash-of-the-text',
    },
    before: false,
    formToken,
    action: `/interaction/${uid}/agreement`,
  }
  const schools = [
    {
      key: 'a',
      school: '新北市立示範國民中學',
      roleKey: 'role.teacher',
      titles: ['教師', '設備組長'],
    },
    { key: 'b', school: '新北市立示範國民中學', roleKey: 'role.parent', titles: [] },
    { key: 'c', school: '新北市立範例國民小學', roleKey: 'role.staff', titles: ['代理教師'] },
  ]
  const affiliation: Views['choose-affiliation'] = {
    app: { name: app, host },
    affiliations: schools,
    formToken,
    action: `/interaction/${uid}/affiliation`,
  }
  const consent: Views['consent'] = {
    app: {
      name: app,
      host,
      policyUri: 'https://pal.example.edu.tw/privacy',
      tosUri: 'https://pal.example.edu.tw/terms',
      native: false,
    },
    account: { name: '林小美' },
    scopes: ['profile', 'email', 'eduinfo'].map((scope) => ({
      scope,
      titleKey: `scope.${scope}.title`,
      detailKey: `scope.${scope}.detail`,
    })),
    claims: [],
    resources: [],
    offline: false,
    formToken,
    actions: { allow: `/interaction/${uid}/consent`, deny: `/interaction/${uid}/consent` },
  }
  const problem = (
    key: string,
    next: Views['problem']['next'],
    params?: Views['problem']['params'],
    kept = true,
  ): Views['problem'] => ({
    titleKey: `problem.${key}.title`,
    whatKey: `problem.${key}.what`,
    keptKey: kept ? `problem.${key}.kept` : undefined,
    params,
    next,
    formToken,
  })
  const again = {
    id: 'again-county',
    kind: 'post',
    href: `/interaction/${uid}/upstream/ntpc`,
    labelKey: 'next.again-county',
    params: { county },
    primary: true,
  } as const
  const choose = `/interaction/${uid}?choose=1`
  const other = {
    id: 'other-county',
    kind: 'link',
    href: choose,
    labelKey: 'next.other-county',
  } as const
  const local = { id: 'local', kind: 'link', href: choose, labelKey: 'next.local' } as const
  const back = {
    id: 'back-to-app',
    kind: 'post',
    href: `/interaction/${uid}/cancel`,
    labelKey: 'next.back-to-app',
    params: { app },
  } as const
  const home = { id: 'home', kind: 'link', href: '/', labelKey: 'next.home' } as const
  const device = { action: '/device', xsrf: 'xsrf-value' }
  const at = new Date('2026-11-21T02:05:00Z')
  const hours = (count: number) => new Date(at.getTime() + count * 60 * 60 * 1000)
  const notice = {
    text: {
      'zh-TW': '教育局更新登入系統，期間無法登入。',
      en: 'The county renews its sign-in system.',
    },
    planned: false,
    from: at,
    until: hours(8),
  }
  const notices = [notice, { ...notice, planned: true, from: hours(20), until: hours(22) }]
  const states = ['ok', 'slow', 'down'] as const
  const status: Views['status'] = {
    at,
    upstreams: connectors(lang)
      .filter((one) => one.connected)
      .map(({ id, label }, index) => {
        const state = states[index % states.length] ?? 'ok'
        const since = state === 'ok' ? undefined : at
        return { id, label, state, since, notices: index === 1 ? notices : [] }
      }),
    again: '/status?lang=en',
  }
  const ailments: Record<string, Gate['note']> = {
    ntpc: { key: 'upstream-note.down', params: { since: '10:05' } },
    tyc: { key: 'upstream-note.slow' },
    kl: { key: 'upstream-note.maintenance', params: { until: '18:00' } },
    hc: { key: 'upstream-note.planned', params: { from: '18:00' } },
    mlc: { key: 'upstream-note.down-maintenance', params: { until: '18:00' } },
  }
  const here = { ...local, labelKey: 'next.local-bound', primary: true }
  const ailing = (one: Gate): Gate => ({ ...one, note: ailments[one.id] })

  return [
    { name: 'sign-in', view: 'sign-in', locals: signIn },
    { name: 'upstream-password', view: 'upstream-password', locals: upstreamPassword },
    {
      name: 'upstream-password-wrong',
      view: 'upstream-password',
      locals: { ...upstreamPassword, app: undefined, account: 'wang', problem: 'sign-in.wrong' },
    },
    { name: 'link-offer', view: 'link-offer', locals: linkOffer },
    { name: 'link-offer-word', view: 'link-offer', locals: { ...linkOffer, proof: 'word' } },
    {
      name: 'link-offer-other-account',
      view: 'link-offer',
      locals: { ...linkOffer, account: 'mei@mail.edu.tw', problem: 'link-offer.other-account' },
    },
    {
      name: 'link-offer-no-county',
      view: 'link-offer',
      locals: { ...linkOffer, upstreamProblem: 'sign-in.choose-county' },
    },
    {
      name: 'problem-reused',
      view: 'problem',
      locals: problem('account.reused', [other, local, back], { county }),
    },
    { name: 'agreement', view: 'agreement', locals: agreement },
    {
      name: 'agreement-not-ticked',
      view: 'agreement',
      locals: { ...agreement, before: true, problem: 'agreement.tick' },
    },
    { name: 'reset', view: 'reset', locals: { formToken, action: '/reset' } },
    {
      name: 'reset-held',
      view: 'reset',
      locals: {
        formToken,
        account: 'mei@mail.edu.tw',
        problem: { key: 'reset.held.seconds', params: { seconds: 96 } },
        action: '/reset',
      },
    },
    { name: 'reset-sent', view: 'reset-sent', locals: { minutes: 60, again: '/reset' } },
    {
      name: 'reset-password',
      view: 'reset-password',
      locals: {
        formToken,
        account: 'mei@mail.edu.tw',
        shortest: 10,
        problems: {},
        action: '/reset/token',
      },
    },
    {
      name: 'reset-password-wrong',
      view: 'reset-password',
      locals: {
        formToken,
        account: 'mei@mail.edu.tw',
        shortest: 10,
        problems: { again: 'reset.again.different' },
        action: '/reset/token',
      },
    },
    { name: 'reset-done', view: 'reset-done', locals: { signIn: '/account' } },
    {
      name: 'sign-in-wrong',
      view: 'sign-in',
      locals: { ...signIn, account: 'mei@mail.edu.tw', problem: 'sign-in.wrong', chosen: 'ntpc' },
    },
    {
      name: 'sign-in-too-many',
      view: 'sign-in',
      locals: {
        ...signIn,
        problem: { key: 'sign-in.wrong-wait.minutes', params: { minutes: 15 } },
      },
    },
    {
      name: 'sign-in-no-county',
      view: 'sign-in',
      locals: { ...signIn, upstreamProblem: 'sign-in.choose-county' },
    },
    {
      name: 'sign-in-notice',
      view: 'sign-in',
      locals: {
        ...signIn,
        chosen: 'ntpc',
        notice: { key: 'problem.county.not-connected.what', params: { county } },
      },
    },
    {
      name: 'choose-account',
      view: 'choose-account',
      locals: {
        app: { name: app, host },
        account: { name: '林小美', detail: 'mei@mail.edu.tw' },
        affiliation: { label: '新北市立示範國民中學 · 教師 · 設備組長' },
        canChangeAffiliation: true,
        formToken,
        actions: {
          continue: `/interaction/${uid}/account`,
          another: `/interaction/${uid}?as=another`,
          affiliation: `/interaction/${uid}?as=affiliation`,
        },
      },
    },
    {
      name: 'choose-affiliation',
      view: 'choose-affiliation',
      locals: { ...affiliation, chosen: 'a' },
    },
    {
      name: 'choose-affiliation-none',
      view: 'choose-affiliation',
      locals: { ...affiliation, problem: 'choose-affiliation.choose-one' },
    },
    { name: 'consent', view: 'consent', locals: consent },
    {
      name: 'consent-everything',
      view: 'consent',
      locals: {
        ...consent,
        app: { ...consent.app, native: true },
        scopes: ['openid', 'profile', 'email', 'phone', 'eduinfo', 'openid2'].map((scope) => ({
          scope,
          titleKey: `scope.${scope}.title`,
          detailKey: `scope.${scope}.detail`,
        })),
        claims: ['birthdate', 'something_else'],
        resources: [
          {
            id: 'https://api.example.edu.tw',
            label: zh ? '學習歷程服務' : 'Learning records',
            scopes: [
              {
                scope: 'learning:read',
                label: zh ? '查看您的學習紀錄' : 'See your learning records',
              },
              {
                scope: 'learning:write',
                label: zh ? '新增您的學習紀錄' : 'Add to your learning records',
              },
            ],
          },
        ],
        offline: true,
      },
    },
    { name: 'consent-nothing', view: 'consent', locals: { ...consent, scopes: [] } },
    {
      name: 'problem-upstream',
      view: 'problem',
      locals: problem('upstream.unreachable', [again, other, local, back], { county }),
    },
    {
      name: 'problem-app',
      view: 'problem',
      locals: problem('app.request', [home], { detail: 'invalid_redirect_uri' }),
    },
    { name: 'problem-not-found', view: 'problem', locals: problem('not-found', [home], {}, false) },
    { name: 'problem-bare', view: 'problem', locals: problem('server', []) },
    {
      name: 'problem-upstream-down',
      view: 'problem',
      locals: {
        ...problem('upstream.down', [here, other, { ...again, primary: false }, back], {
          county,
          since: '10:05',
        }),
        notices,
        status: true,
      },
    },
    { name: 'status', view: 'status', locals: status },
    { name: 'status-nobody', view: 'status', locals: { ...status, upstreams: [] } },
    {
      name: 'sign-in-counties-away',
      view: 'sign-in',
      locals: { ...signIn, connectors: signIn.connectors.map(ailing), chosen: 'ntpc' },
    },
    { name: 'device-code', view: 'device-code', locals: device },
    {
      name: 'device-code-unknown',
      view: 'device-code',
      locals: { ...device, problem: 'device.problem.unknown' },
    },
    {
      name: 'device-confirm',
      view: 'device-confirm',
      locals: {
        ...device,
        app: { name: app, host },
        userCode: 'WDJB-MJHT',
        device: {
          ip: '203.0.113.24',
          ua: 'Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36',
        },
      },
    },
    { name: 'device-done', view: 'device-done', locals: { app: { name: app } } },
    {
      name: 'sign-out',
      view: 'sign-out',
      locals: { action: '/session/end/confirm', xsrf: 'xsrf-value', app: { name: app } },
    },
    {
      name: 'sign-out-bare',
      view: 'sign-out',
      locals: { action: '/session/end/confirm', xsrf: 'x', gone: true },
    },
    {
      name: 'sign-out-there',
      view: 'sign-out',
      locals: { action: '/session/end/confirm', xsrf: 'x', app: { name: app }, county: '新北市' },
    },
    { name: 'signed-out', view: 'signed-out', locals: { home: '/' } },
    {
      name: 'still-in',
      view: 'signed-out',
      locals: { app: { name: app }, still: true, home: '/' },
    },
    ...accountFixtures(lang, app),
    ...secondFactorFixtures(lang, app),
    ...adminFixtures(lang),
    ...joiningFixtures(lang, app),
    { name: 'home', view: 'home', locals: {} },
    { name: 'home-signed-in', view: 'home', locals: { signedIn: { name: '林小美' } } },
    { name: 'resend', view: 'resend', locals: { formToken, action: '/resend' } },
    {
      name: 'resend-problem',
      view: 'resend',
      locals: { formToken, action: '/resend', address: 'wang', problem: 'resend.no-address' },
    },
    { name: 'resend-sent', view: 'resend-sent', locals: { again: '/resend' } },
  ]
}

export const languages: Lang[] = ['zh-TW', 'en']
