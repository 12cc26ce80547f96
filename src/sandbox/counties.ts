/** The pretend counties as data: what differs between real counties is a value here, never a branch in code. */
import type { Words } from '#config/words.ts'
import type { vocabularies } from './vocabularies.ts'

/** Paths of the endpoints below the issuer. */
export type Routes = {
  authorization: string
  token: string
  userinfo: string
  jwks: string
  end_session: string
}

/** One pretend county. */
export type County = {
  id: string
  label: Words
  /** The department that runs it: 教育局 in cities, 教育處 in counties. */
  office: '教育局' | '教育處'
  /** The name of its OpenID Provider, as its sign-in page says it. */
  product: Words
  routes: Routes
  /** The claims it knows, and whether the ID token or userinfo carries them. */
  vocabulary: keyof typeof vocabularies
  /** The only way its token endpoint lets a client prove itself; without it Basic and post both work. */
  onlyTokenAuth?: 'client_secret_post'
  subjects: 'public' | 'pairwise'
  /** Where the old OpenID 2.0 identifier goes, and what it looks like. */
  openid2?: { claim: 'openid2_id' | 'open2_id'; identifier: (account: string) => string }
  /** Whether keys and ID tokens carry a `kid`. */
  kid: boolean
  eduinfo?: {
    path: string
    /** v2 adds the seat number. */
    seats: boolean
    classes: 'list' | 'null'
    /** Answers compressed though nobody asked (seen at oidc.tanet.edu.tw). */
    gzip: boolean
  }
  /** One line for the newcomer: what to look at here. */
  lesson: Words
}

const ministryRoutes: Routes = {
  authorization: '/oidc/v1/azp',
  token: '/oidc/v1/token',
  userinfo: '/oidc/v1/userinfo',
  jwks: '/oidc/v1/jwksets',
  end_session: '/oidc/v1/logout-to-go',
}

const ministryEduinfo = {
  path: '/cncresource/api/v1/eduinfo',
  seats: false,
  classes: 'list',
  gzip: false,
} as const

const ministry = {
  product: { 'zh-TW': '縣市教育雲端帳號認證', en: 'County education account' },
  routes: ministryRoutes,
  vocabulary: 'ministry',
  subjects: 'public',
  kid: true,
} as const

export const counties: County[] = [
  {
    ...ministry,
    id: 'ntpc',
    label: { 'zh-TW': '新北市', en: 'New Taipei City' },
    office: '教育局',
    product: { 'zh-TW': '校務行政帳號登入', en: 'School affairs account' },
    openid2: {
      claim: 'openid2_id',
      identifier: (account) => `https://openid.ntpc.edu.tw/user/${account}`,
    },
    eduinfo: ministryEduinfo,
    lesson: { 'zh-TW': '教育部縣市標準版', en: "The Ministry's standard county product" },
  },
  {
    id: 'kh',
    label: { 'zh-TW': '高雄市', en: 'Kaohsiung City' },
    office: '教育局',
    product: { 'zh-TW': '高雄市教育局 OpenID', en: 'Kaohsiung education OpenID' },
    routes: {
      authorization: '/oauth2/auth',
      token: '/oauth2/token',
      userinfo: '/userinfo',
      jwks: '/.well-known/jwks.json',
      end_session: '/oauth2/sessions/logout',
    },
    vocabulary: 'kaohsiung',
    onlyTokenAuth: 'client_secret_post',
    subjects: 'pairwise',
    kid: true,
    lesson: {
      'zh-TW': '自有系統：資料全在 ID token，識別碼因應用而異，只收 client_secret_post',
      en: 'Its own system: all in the ID token, pairwise subjects, client_secret_post only',
    },
  },
  {
    ...ministry,
    id: 'ylc',
    label: { 'zh-TW': '雲林縣', en: 'Yunlin County' },
    office: '教育處',
    eduinfo: ministryEduinfo,
    lesson: { 'zh-TW': '不提供 OpenID 2.0 舊識別碼', en: 'No former OpenID 2.0 identifier' },
  },
  {
    ...ministry,
    id: 'hlc',
    label: { 'zh-TW': '花蓮縣', en: 'Hualien County' },
    office: '教育處',
    openid2: {
      claim: 'open2_id',
      identifier: (account) => `http://openid2.hlc.edu.tw/${account}`,
    },
    kid: false,
    eduinfo: { ...ministryEduinfo, classes: 'null' },
    lesson: {
      'zh-TW': '舊版行為：金鑰與 ID token 沒有 kid、聲明名為 open2_id、classinfo 為 null',
      en: 'Old behaviour: no kid, the claim is open2_id, classinfo is null',
    },
  },
  {
    ...ministry,
    id: 'tc',
    label: { 'zh-TW': '臺中市', en: 'Taichung City' },
    office: '教育局',
    openid2: {
      claim: 'openid2_id',
      identifier: (account) => `http://${account}.openid.tc.edu.tw/`,
    },
    eduinfo: { path: '/cncresource/api/v2/eduinfo', seats: true, classes: 'list', gzip: true },
    lesson: {
      'zh-TW': 'eduinfo 第 2 版（含座號），且不論要求一律以 gzip 回應',
      en: 'eduinfo v2 with seat numbers, always gzip-encoded',
    },
  },
]

/** The issuer of one pretend county. */
export function countyIssuer(sandboxPort: number, county: string): string {
  return `http://localhost:${sandboxPort}/${county}`
}

/** What the core is registered as at one pretend county. Obviously fake: production refuses the sandbox. */
export function countyClient(county: string): { clientId: string; clientSecret: string } {
  return {
    clientId: `sandbox-citygate-at-${county}`,
    clientSecret: `sandbox-not-a-secret-${county}`,
  }
}

/** What app.ts merges over config/educloud/connectors so that the five pretend counties are connected. */
export function sandboxCounties(
  sandboxPort: number,
): Record<
  string,
  { issuer: string; clientId: string; clientSecret: string; claimsCallUrl?: string }
> {
  return Object.fromEntries(
    counties.map(({ id, eduinfo }) => {
      const issuer = countyIssuer(sandboxPort, id)
      const claimsCallUrl = eduinfo && issuer + eduinfo.path
      return [id, { issuer, ...countyClient(id), ...(claimsCallUrl && { claimsCallUrl }) }]
    }),
  )
}
