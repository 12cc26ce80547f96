/** What an operator may write, as zod schemas: the only description of our YAML and environment. */
import { z } from 'zod'

const words = z.strictObject({ 'zh-TW': z.string().min(1), en: z.string().min(1) })
/** A text in every language we speak. */
export type Words = z.infer<typeof words>
export type Language = keyof Words
export const languages = ['zh-TW', 'en'] as const satisfies Language[]

const id = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes')
const envName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the NAME of an environment variable, never the value')
const url = z.url({ protocol: /^https?$/ })
/** Upstreams are reached over https; http is for the sandbox, which brings its own settings. */
const httpsUrl = z.url({ protocol: /^https$/, error: 'must be an https URL' })
const origin = z.string().regex(/^https:\/\/(\*\.)?[a-z0-9.-]+(:\d+)?$/, 'must be an https origin such as https://*.kh.edu.tw')
const seconds = z.int().positive()

/** Settings of connector type `oidc`. */
export const oidcSettings = z.strictObject({
  issuer: httpsUrl,
  client_id_env: envName,
  client_secret_env: envName.optional(),
  /** Environment variable with a PKCS#8 PEM or JWK, for private_key_jwt. */
  private_key_env: envName.optional(),
  token_auth: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt']).default('client_secret_basic'),
  scopes: z.array(z.string().min(1)).min(1).refine((s) => s.includes('openid'), 'must include openid'),
  id_token_algs: z.array(z.enum(['RS256', 'PS256', 'ES256', 'EdDSA'])).min(1).default(['RS256']),
  /** Ask the userinfo endpoint after the token. Kaohsiung puts everything in the ID token. */
  userinfo: z.boolean().default(true),
  /** One further bearer call whose JSON is merged under `claim`: the Ministry's eduinfo. */
  claims_call: z.strictObject({ claim: z.string().min(1), url: httpsUrl }).optional(),
  /** This upstream verifies e-mail addresses before it releases them. */
  verifies_email: z.boolean().default(false),
  /** Send `prompt=login` on when the app asked for a fresh sign-in. */
  prompt_login: z.boolean().default(true),
  /** Further origins its sign-in pages redirect through, for CSP form-action. */
  sign_in_origins: z.array(origin).default([]),
})
export type OidcSettings = z.infer<typeof oidcSettings>

export const profileNames = ['moe-eduinfo', 'kaohsiung'] as const

const gate = {
  id,
  label: words,
  /** What people may type to find it, beside the labels: Latin spellings, old names. */
  keywords: z.array(z.string().min(1)).default([]),
  /** Place in the selector, ascending. */
  order: z.int().nonnegative(),
  /** ISO 3166-2, e.g. TW-NWT. */
  iso: z.string().regex(/^TW-[A-Z]{3}$/).optional(),
  /** First digits of the school codes this county gives out. */
  school_code_prefixes: z.array(z.string().regex(/^[0-9]{1,2}$/)).default([]),
}

/** One file of `connectors/`: one upstream. */
export const connectorFile = z.discriminatedUnion('type', [
  z.strictObject({ ...gate, type: z.literal('oidc'), profile: z.enum(profileNames), settings: oidcSettings }),
  /** A county that is listed but speaks a protocol we have no connector for yet. */
  z.strictObject({ ...gate, type: z.literal('unconnected'), speaks: z.enum(['openid2', 'oauth2', 'unknown']) }),
])
export type ConnectorFile = z.infer<typeof connectorFile>
