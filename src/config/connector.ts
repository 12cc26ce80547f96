/** What an operator may write of one upstream: a file of `connectors/`, as a zod schema. */
import { z } from 'zod'
import { envName, id, words } from './words.ts'

/** Upstreams are reached over https; http is for the sandbox, which brings its own settings, and for `insecure: true`. */
const httpsUrl = z.url({ protocol: /^https$/, error: 'must be an https URL' })
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an https URL' })
const origin = z
  .string()
  .regex(
    /^https:\/\/(\*\.)?[a-z0-9.-]+(:\d+)?$/,
    'must be an https origin such as https://*.kh.edu.tw',
  )
const host = z
  .string()
  .regex(
    /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d+)?$/,
    'must be a host name such as openid.tn.edu.tw, or *.openid.tc.edu.tw for all below it',
  )
const day = z.iso.date('must be a day such as 2026-08-01')
const pattern = z.string().refine((text) => {
  try {
    return new RegExp(text, 'u') instanceof RegExp && text.startsWith('^') && text.endsWith('$')
  } catch {
    return false
  }
}, 'must be a regular expression from ^ to $')

const signInOrigins = z
  .array(origin)
  .default([])
  .describe('Further origins its sign-in pages redirect through, for CSP form-action.')
const clientAuth = {
  client_id_env: envName,
  client_secret_env: envName.optional(),
}

/** Settings of connector type `oidc`. */
export const oidcSettings = z.strictObject({
  issuer: httpsUrl,
  ...clientAuth,
  private_key_env: envName
    .optional()
    .describe('Environment variable with a PKCS#8 PEM or JWK, for private_key_jwt.'),
  token_auth: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt'])
    .default('client_secret_basic'),
  scopes: z
    .array(z.string().min(1))
    .min(1)
    .refine((s) => s.includes('openid'), 'must include openid'),
  id_token_algs: z
    .array(z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']))
    .min(1)
    .default(['RS256']),
  userinfo: z
    .boolean()
    .default(true)
    .describe(
      'Ask the userinfo endpoint after the token. Kaohsiung puts everything in the ID token.',
    ),
  claims_call: z
    .strictObject({ claim: z.string().min(1), url: httpsUrl })
    .optional()
    .describe('One further bearer call whose JSON is merged under claim: the Ministry’s eduinfo.'),
  verifies_email: z
    .boolean()
    .default(false)
    .describe('This upstream verifies e-mail addresses before it releases them.'),
  prompt_login: z
    .boolean()
    .default(true)
    .describe('Send prompt=login on when the app asked for a fresh sign-in.'),
  end_session_endpoint: httpsUrl
    .optional()
    .describe('Where people sign out there, when discovery does not say it.'),
  end_session_names: z
    .strictObject({
      id_token_hint: z.string().min(1).default('id_token_hint'),
      post_logout_redirect_uri: z.string().min(1).default('post_logout_redirect_uri'),
    })
    .prefault({})
    .describe('Names it has for these parameters: the Ministry says post_logout_redirect_url.'),
  sign_in_origins: signInOrigins,
})
export type OidcSettings = z.infer<typeof oidcSettings>

/** How one county's OpenID 2.0 identifiers are written: by the connector that reads them, and the one that follows it. */
const claimedIds = {
  hosts: z
    .array(host)
    .min(1)
    .describe(
      'Hosts of its identifiers, renamed ones too: all are one, identifiers are kept under the first.',
    ),
  claimed_id: pattern.describe(
    'What an identifier looks like, https or http alike, written with the first host: ^https://openid\\.tn\\.edu\\.tw/op/user\\.aspx/[^/?#]+$',
  ),
}

/** The simple registration fields (SREG 1.1 §4). */
export const sregFields = [
  'nickname',
  'email',
  'fullname',
  'dob',
  'gender',
  'postcode',
  'country',
  'language',
  'timezone',
] as const

/** Settings of connector type `openid2`: OpenID Authentication 2.0 with AX 1.0 and SREG 1.1. */
export const openid2Settings = z.strictObject({
  identifier: httpUrl.describe(
    'The OP Identifier people sign in with; also the issuer their links are kept under.',
  ),
  ...claimedIds,
  endpoint: httpUrl
    .optional()
    .describe('Its OP Endpoint, where discovery does not work or is not to be relied on.'),
  endpoint_hosts: z
    .array(host)
    .default([])
    .describe('Hosts of its endpoint and of discovery, beside `hosts`.'),
  insecure: z
    .boolean()
    .default(false)
    .describe('It has no https: what it says can be forged on the way. Warned of at every start.'),
  ax: z.array(httpUrl).default([]).describe('Attribute Exchange type URIs to ask for.'),
  sreg: z.array(z.enum(sregFields)).default([]).describe('Simple Registration fields to ask for.'),
  sign_in_origins: signInOrigins,
})
export type OpenId2Settings = z.infer<typeof openid2Settings>

const certificate = z
  .string()
  .regex(
    /^\s*-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----\s*$/,
    'must be a certificate in PEM',
  )

/** Settings of connector type `saml`: SAML 2.0 Web Browser SSO, we are the service provider. */
export const samlSettings = z.strictObject({
  entity_id: z.string().min(1).max(255).describe('The identity provider’s entityID: the issuer.'),
  metadata_url: httpsUrl.optional().describe('Where its metadata is read, and read again.'),
  sign_in_url: httpsUrl.optional().describe('Its SingleSignOnService (HTTP-Redirect).'),
  sign_out_url: httpsUrl.optional().describe('Its SingleLogoutService (HTTP-Redirect).'),
  certificates: z
    .array(certificate)
    .default([])
    .describe('What it signs with, when there is no metadata_url or its keys are pinned.'),
  sp_entity_id: z
    .string()
    .min(1)
    .optional()
    .describe('What we are called there; else the address of our metadata.'),
  private_key_env: envName.describe('Environment variable with our PKCS#8 PEM: signs, decrypts.'),
  certificate_env: envName.describe('Environment variable with its certificate in PEM.'),
  subject: z
    .string()
    .min(1)
    .default('NameID')
    .describe('What the link is kept under: NameID, or an attribute’s name.'),
  name_id_format: z.string().min(1).default('urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'),
  encrypted: z.boolean().default(false).describe('Only encrypted assertions are taken.'),
  clock_skew_seconds: z.int().min(0).max(300).default(120),
  sign_in_origins: signInOrigins,
})
export type SamlSettings = z.infer<typeof samlSettings>

/** A claim, or one inside it: `user.uuid`. */
const claimPath = z
  .string()
  .regex(/^[\w-]+(\.[\w-]+)*$/, 'must be a claim such as user.uuid: call, dot, name')

/** Settings of connector type `oauth2`: OAuth 2.0 code flow without ID tokens, claims from JSON calls. */
export const oauth2Settings = z.strictObject({
  issuer: httpsUrl.describe('What links are kept under: it never says one itself.'),
  authorization_endpoint: httpsUrl,
  token_endpoint: httpsUrl,
  ...clientAuth,
  token_auth: z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_post'),
  token_parameters: z
    .enum(['body', 'query'])
    .default('body')
    .describe('Where the token request carries them: 酷課雲 wants them in the query.'),
  scopes: z.array(z.string().min(1)).min(1),
  scope_separator: z.enum([' ', ',']).default(' '),
  pkce: z.boolean().default(true).describe('Send PKCE. Off only where it is refused.'),
  calls: z
    .array(
      z.strictObject({
        claim: z.string().regex(/^[\w-]+$/, 'must be letters, digits, _ and -'),
        url: z
          .string()
          .regex(/^https:\/\/[^\s{}]+(\{[\w.-]+\}[^\s{}]*)*$/, 'must be an https URL')
          .describe('May hold {claims} of calls before it: https://…/school/{profile.o}'),
        required: z
          .boolean()
          .default(true)
          .describe('Without its answer nobody is signed in. Off: without it less is known.'),
      }),
    )
    .min(1)
    .describe('Bearer calls, in order; the JSON of each is kept under its claim.'),
  subject: claimPath.describe('The claim a link is kept under, unchanging and never reissued.'),
  end_session_endpoint: httpsUrl.optional().describe('Where people sign out there.'),
  sign_in_origins: signInOrigins,
})
export type OAuth2Settings = z.infer<typeof oauth2Settings>

/** Settings of connector type `ldap`: a directory; the form is ours, the password goes there and nowhere else. */
export const ldapSettings = z.strictObject({
  url: z.url({
    protocol: /^ldaps?$/,
    error: 'must be ldaps://host, or ldap://host with start_tls: true',
  }),
  start_tls: z
    .boolean()
    .default(false)
    .describe('TLS begun on a plain connection (RFC 4511 §4.14).'),
  ca_env: envName
    .optional()
    .describe(
      'Environment variable with the PEM its certificate is checked by, in place of the system’s.',
    ),
  issuer: z.string().min(1).max(255).describe('What links are kept under, e.g. urn:school:xinyi.'),
  bind_dn_env: envName.optional().describe('Who we search as; without it, nobody.'),
  bind_password_env: envName.optional(),
  base_dn: z.string().min(1),
  filter: z
    .string()
    .includes('{account}', { error: 'must hold {account}' })
    .default('(&(objectClass=person)(uid={account}))'),
  scope: z.enum(['sub', 'one']).default('sub'),
  attributes: z.array(z.string().min(1)).min(1).describe('What is read of a person.'),
  subject: z
    .string()
    .min(1)
    .default('entryUUID')
    .describe('The attribute a link is kept under: one that is never given to somebody else.'),
  timeout_ms: z.int().min(100).max(30_000).default(5_000),
})
export type LdapSettings = z.infer<typeof ldapSettings>

/** One vocabulary each; `mapped` reads what `map` says. */
export const profileNames = [
  'moe-eduinfo',
  'kaohsiung',
  'taipei',
  'moe-schema',
  'tainan',
  'edu-schema',
  'library-schema',
  'sreg-schema',
  'district-schema',
  'mapped',
] as const
export type ProfileName = (typeof profileNames)[number]

/** For profile `mapped`: our words to the upstream’s. */
const map = z
  .strictObject({
    name: z.string(),
    given_name: z.string(),
    family_name: z.string(),
    nickname: z.string(),
    preferred_username: z.string(),
    email: z.string(),
    gender: z.string(),
    school_code: z.string(),
    school_name: z.string(),
    titles: z.string(),
  })
  .partial()
export type ClaimMap = z.infer<typeof map>

const gate = {
  id,
  label: words,
  keywords: z
    .array(z.string().min(1))
    .default([])
    .describe('What people may type to find it, beside the labels: Latin spellings, old names.'),
  order: z.int().nonnegative().describe('Place in the selector, ascending.'),
  iso: z
    .string()
    .regex(/^TW-[A-Z]{3}$/)
    .optional()
    .describe('ISO 3166-2, e.g. TW-NWT. Two connectors of one county have the same.'),
  school_code_prefixes: z
    .array(z.string().regex(/^[0-9]{1,2}$/))
    .default([])
    .describe('First digits of the school codes this county gives out.'),
  opens: day.optional().describe('Not offered before this day (in Taiwan).'),
  closes: day.optional().describe('Offered no more from this day on (in Taiwan).'),
  enabled_env: envName
    .optional()
    .describe('Offered only while this variable says on: of use where there are no credentials.'),
  profile: z.enum(profileNames),
  map: map.optional(),
  linking: z
    .enum(['never', 'ask', 'verified-email'])
    .default('ask')
    .describe(
      'Somebody new whose e-mail address belongs to an account here. never: she gets one of her own. ask: she may sign in to that account first, and is linked to it. verified-email: where both sides verified the address, her word is enough.',
    ),
  fingerprint: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The claim that differs when a login is given to somebody else: guid. Kept as a keyed hash; another one stops the sign-in.',
    ),
  former: z
    .array(
      z.strictObject({
        issuer: z.string().min(1).describe('What those links are kept under: settings.identifier.'),
        ...claimedIds,
      }),
    )
    .default([])
    .describe(
      'How this very county’s people were known before, over OpenID 2.0: the signed openid2_id re-keys them.',
    ),
  quirks: z.array(z.string().min(1)).default([]).describe('What staff should know of it.'),
  contact: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Whom staff call when it does not work: name, telephone, address.'),
}

/** One file of `connectors/`: one upstream. */
export const connectorFile = z
  .discriminatedUnion('type', [
    z.strictObject({ ...gate, type: z.literal('oidc'), settings: oidcSettings }),
    z.strictObject({ ...gate, type: z.literal('openid2'), settings: openid2Settings }),
    z.strictObject({ ...gate, type: z.literal('saml'), settings: samlSettings }),
    z.strictObject({ ...gate, type: z.literal('oauth2'), settings: oauth2Settings }),
    z.strictObject({ ...gate, type: z.literal('ldap'), settings: ldapSettings }),
  ])
  .superRefine((file, ctx) => {
    const complain = (path: PropertyKey[], message: string) =>
      ctx.addIssue({ code: 'custom', path, message })
    if ((file.profile === 'mapped') !== (file.map !== undefined))
      complain(['map'], 'goes with profile: mapped, and that with it')
    if (file.opens !== undefined && file.closes !== undefined && file.closes <= file.opens)
      complain(['closes'], 'must be after opens: it would never be offered')
    if (
      file.linking === 'verified-email' &&
      !(file.type === 'oidc' && file.settings.verifies_email)
    )
      complain(['linking'], 'needs an upstream that verifies addresses: oidc, with verifies_email')
    switch (file.type) {
      case 'openid2': {
        const { insecure, identifier, endpoint, ax, sreg } = file.settings
        const asked = [...ax, ...sreg.map((field) => `sreg.${field}`)]
        if (file.fingerprint !== undefined && !asked.includes(file.fingerprint))
          complain(['fingerprint'], 'never arrives: ask for it in settings.ax or settings.sreg')
        for (const [key, url] of Object.entries({ identifier, endpoint })) {
          if (url?.startsWith('http:') && !insecure)
            complain(
              ['settings', key],
              'must be https, or insecure: true has to say that it is not',
            )
        }
        return
      }
      case 'saml': {
        const { metadata_url: metadata, sign_in_url: signIn, certificates } = file.settings
        if (!metadata && (!signIn || certificates.length === 0))
          complain(['settings', 'metadata_url'], 'is needed, or sign_in_url and certificates')
        if (file.settings.subject === 'NameID' && /:transient$/.test(file.settings.name_id_format))
          complain(
            ['settings', 'name_id_format'],
            'a transient NameID is another one at each sign-in: name an attribute in subject',
          )
        return
      }
      case 'ldap': {
        const {
          url,
          start_tls: startTls,
          bind_dn_env: dn,
          bind_password_env: password,
        } = file.settings
        if (url.startsWith('ldap:') !== startTls)
          complain(['settings', 'start_tls'], 'must be true with ldap:// and false with ldaps://')
        if ((dn === undefined) !== (password === undefined))
          complain(['settings', 'bind_password_env'], 'goes with bind_dn_env')
        if (file.fingerprint !== undefined && !file.settings.attributes.includes(file.fingerprint))
          complain(['fingerprint'], 'never arrives: ask for it in settings.attributes')
      }
    }
  })
export type ConnectorFile = z.infer<typeof connectorFile>
export type ConnectorType = ConnectorFile['type']

/** How we prove ourselves to an upstream: read from the environment variables its file names. */
export type Credentials = {
  clientId?: string
  clientSecret?: string
  /** PKCS#8 PEM or JWK. */
  privateKey?: string
  /** PEM. */
  certificate?: string
  bindDn?: string
  bindPassword?: string
  /** PEM. */
  ca?: string
}

/** A connector as the rest of the program sees it. Without credentials it is listed but cannot be chosen. */
export type ConnectorConfig = ConnectorFile & {
  credentials?: Credentials
  /** Without credentials: names of the environment variables that would connect it. */
  missing?: string[]
  /** Plain http allowed: the sandbox's counties, never a file's. */
  insecure?: boolean
}
