/** The pretend counties as data: what differs between real counties is a value here, never a branch in code. */
import type { Words } from '#config/words.ts'
import type { vocabularies } from './providers/oidc/vocabularies.ts'

/** What every upstream of the sandbox has. */
type Front = {
  id: string
  label: Words
  /** Who runs it, as its sign-in page says it: the education bureau of a city, of a county, a school. */
  office: string
  /** The name of its product, as its sign-in page says it. */
  product: Words
  /** One line for the newcomer: what to look at here. */
  lesson: Words
  /** It keeps nobody signed in, and does not offer to. */
  forgets?: true
}

/** Paths of the endpoints below the issuer. */
export type Routes = {
  authorization: string
  token: string
  userinfo: string
  jwks: string
  end_session: string
}

/** A county with OpenID Connect. */
export type OidcCounty = Front & {
  protocol: 'oidc'
  routes: Routes
  /** The claims it knows, and whether the ID token or userinfo carries them. */
  vocabulary: keyof typeof vocabularies
  /** The only way its token endpoint lets a client prove itself; without it Basic and post both work. */
  onlyTokenAuth?: 'client_secret_post'
  subjects: 'public' | 'pairwise'
  /** It tells us when somebody signs out there (OpenID Connect Back-Channel Logout 1.0). */
  tellsOfSignOut?: true
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
}

/** A county with OpenID 2.0. */
export type OpenId2County = Front & {
  protocol: 'openid2'
  /** Below the county: its OP Identifier, its OP Endpoint, and what a person's identifier begins with. */
  routes: { identifier: string; endpoint: string; person: string }
}

/** An upstream with SAML 2.0. Its entityID is where its metadata is. */
export type SamlCounty = Front & {
  protocol: 'saml'
  routes: { metadata: string; signIn: string; signOut: string }
}

/** A county with OAuth 2.0: no ID tokens, claims from calls. */
export type OAuth2County = Front & {
  protocol: 'oauth2'
  routes: { authorization: string; token: string; user: string; profile: string }
}

/** A directory: no pages, our own form asks. */
export type DirectoryUpstream = Front & { protocol: 'ldap'; baseDn: string }

/** Whoever has a provider on the counties' port. */
export type County = OidcCounty | OpenId2County | SamlCounty | OAuth2County
export type Protocol = County['protocol']
export type CountyOf<P extends Protocol> = Extract<County, { protocol: P }>
export type Upstream = County | DirectoryUpstream

/** What each protocol is called. */
export const protocols: Record<Upstream['protocol'], string> = {
  oidc: 'OpenID Connect',
  openid2: 'OpenID 2.0',
  saml: 'SAML 2.0',
  oauth2: 'OAuth 2.0',
  ldap: 'LDAP',
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
  protocol: 'oidc',
  product: { 'zh-TW': '縣市教育雲端帳號認證', en: 'County education account' },
  routes: ministryRoutes,
  vocabulary: 'ministry',
  subjects: 'public',
  kid: true,
} as const

const oidcCounties: OidcCounty[] = [
  {
    ...ministry,
    id: 'ntpc',
    label: { 'zh-TW': '新北市', en: 'New Taipei City' },
    office: '新北市政府教育局',
    product: { 'zh-TW': '校務行政帳號登入', en: 'School affairs account' },
    openid2: {
      claim: 'openid2_id',
      identifier: (account) => `https://openid.ntpc.edu.tw/user/${account}`,
    },
    eduinfo: ministryEduinfo,
    lesson: { 'zh-TW': '教育部縣市標準版', en: "The Ministry's standard county product" },
  },
  {
    protocol: 'oidc',
    id: 'kh',
    label: { 'zh-TW': '高雄市', en: 'Kaohsiung City' },
    office: '高雄市政府教育局',
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
    tellsOfSignOut: true,
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
    office: '雲林縣政府教育處',
    eduinfo: ministryEduinfo,
    lesson: { 'zh-TW': '不提供 OpenID 2.0 舊識別碼', en: 'No former OpenID 2.0 identifier' },
  },
  {
    ...ministry,
    id: 'hlc',
    label: { 'zh-TW': '花蓮縣', en: 'Hualien County' },
    office: '花蓮縣政府教育處',
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
    office: '臺中市政府教育局',
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

const tainan: OpenId2County = {
  protocol: 'openid2',
  id: 'tn',
  forgets: true,
  label: { 'zh-TW': '臺南市', en: 'Tainan City' },
  office: '臺南市政府教育局',
  product: { 'zh-TW': '臺南市 OpenID', en: 'Tainan OpenID' },
  routes: { identifier: '/op/', endpoint: '/op/server', person: '/op/user.aspx/' },
  lesson: {
    'zh-TW': '只有 OpenID 2.0：識別碼是網址，資料是簽過章的屬性',
    en: 'OpenID 2.0 only: an address is who she is, signed attributes are what is known of her',
  },
}

const taipei: OAuth2County = {
  protocol: 'oauth2',
  id: 'tp',
  forgets: true,
  label: { 'zh-TW': '臺北市', en: 'Taipei City' },
  office: '臺北市政府教育局',
  product: { 'zh-TW': '臺北市單一身分驗證', en: 'Taipei single sign-on' },
  routes: {
    authorization: '/oauth/authorize',
    token: '/oauth/token',
    user: '/api/user',
    profile: '/api/profile',
  },
  lesson: {
    'zh-TW': '自有 OAuth 2.0：沒有 ID token，以兩個 API 說明是誰',
    en: 'Its own OAuth 2.0: no ID token, two calls say who she is',
  },
}

/** No county of Taiwan speaks SAML to us: a university as there are many. */
const samlSchool: SamlCounty = {
  protocol: 'saml',
  id: 'saml-school',
  label: { 'zh-TW': '示範大學', en: 'Model University' },
  office: '示範大學計算機與網路中心',
  product: { 'zh-TW': '單一登入', en: 'Single sign-on' },
  routes: { metadata: '/saml/metadata', signIn: '/saml/sso', signOut: '/saml/slo' },
  lesson: {
    'zh-TW': 'SAML 2.0：回應是一份簽章且加密的 XML，由瀏覽器以表單送回',
    en: 'SAML 2.0: signed, encrypted XML that the browser brings back as a form',
  },
}

/** A school that has a directory and nothing else. */
export const directory: DirectoryUpstream = {
  protocol: 'ldap',
  id: 'directory',
  label: { 'zh-TW': '示範國民中學', en: 'Model Junior High' },
  office: '示範國民中學資訊組',
  product: { 'zh-TW': '校內目錄服務', en: 'School directory' },
  baseDn: 'ou=people,dc=school,dc=example',
  lesson: {
    'zh-TW': 'LDAP：對方沒有登入頁，由城門詢問密碼，只送到那個目錄',
    en: 'LDAP: it has no sign-in page; ours asks, and the password goes to that directory only',
  },
}

/** Whoever has a provider on the counties' port. */
export const counties: County[] = [...oidcCounties, tainan, taipei, samlSchool]

/** Everybody people can come from in the sandbox, in the index's order. */
export const upstreams: Upstream[] = [...counties, directory]

/** The issuer of one pretend county, and what every address of it begins with. */
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
