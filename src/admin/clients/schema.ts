/** What an app's settings are as staff, programs and the command line write them. */
import { z } from 'zod'
import { visibleLetters } from '#lib/prose.ts'
import { day } from '#lib/time.ts'
import { clientKinds } from '#store/clients.ts'

export { type ClientKind, clientKinds, clientStates } from '#store/clients.ts'

/** Seconds a token may live: ID tokens and access tokens no longer than keys are kept after they signed. */
export const tokenLife = {
  accessTokenSeconds: { least: 60, most: day },
  idTokenSeconds: { least: 60, most: day },
  refreshTokenSeconds: { least: 5 * 60, most: 400 * day },
} as const
export type TokenLife = keyof typeof tokenLife

/** The most letters of a setting, and the most entries of a list. */
export const most = {
  name: 100,
  uri: 2000,
  uris: 100,
  contact: 254,
  contacts: 20,
  scope: 100,
  scopes: 100,
  purpose: 300,
  jwks: 20_000,
} as const

const authMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const
const idTokenAlgs = ['RS256', 'ES256'] as const

/** `null` and an empty text take the value away. */
const clearable = <T extends z.ZodType>(type: T) =>
  z
    .union([type, z.literal(''), z.null()])
    .transform((value) => (value === '' || value === null ? undefined : (value as z.output<T>)))
    .optional()

const uri = z.string().trim().min(1).max(most.uri)
const uris = z.array(uri).max(most.uris).optional()
const seconds = (name: TokenLife) =>
  clearable(z.number().int().min(tokenLife[name].least).max(tokenLife[name].most))
/** What was pasted from a table, or holds a terminal's orders, becomes one line of letters. */
const line = z
  .string()
  .overwrite((text) => text.replace(/\p{Cc}+/gu, ' '))
  .trim()
const name = line
  .min(1, 'must not be empty')
  .max(most.name)
  .refine((text) => text === '' || visibleLetters(text) !== '', {
    message: 'must have letters somebody can see',
    params: { code: 'empty' },
  })
const words = z.array(z.string().min(1).max(most.scope)).max(most.scopes)
const purpose = z.string().trim().max(most.purpose).optional()

/** Everything that may be changed later. */
export const settingFields = {
  /** As people read it, in Chinese. */
  name,
  nameEn: clearable(line.max(most.name)),
  redirectUris: uris,
  postLogoutRedirectUris: uris,
  backchannelLogoutUri: clearable(uri),
  clientUri: clearable(uri),
  tosUri: clearable(uri),
  policyUri: clearable(uri),
  contacts: z.array(z.string().trim().min(1).max(most.contact)).max(most.contacts).optional(),
  /** `null`: all but those of our own API. */
  scopes: clearable(words),
  /** Claims it may ask for one by one, beside those of its scopes; `null`: all. */
  claims: clearable(words),
  /** Why it wants a scope: people read it when they are asked. */
  purposes: z
    .record(z.string().max(most.scope), z.strictObject({ 'zh-TW': purpose, en: purpose }))
    .optional(),
  authMethod: z.enum(authMethods).optional(),
  jwksUri: clearable(uri),
  /** A JWK Set as JSON text. */
  jwks: clearable(z.string().max(most.jwks)),
  idTokenAlg: z.enum(idTokenAlgs).optional(),
  pkce: z.boolean().optional(),
  pairwise: z.boolean().optional(),
  sectorIdentifierUri: clearable(uri),
  firstParty: z.boolean().optional(),
  idTokenClaims: z.boolean().optional(),
  requireSecondFactor: z.boolean().optional(),
  device: z.boolean().optional(),
  resourceServer: clearable(uri),
  dpop: z.boolean().optional(),
  accessTokenSeconds: seconds('accessTokenSeconds'),
  idTokenSeconds: seconds('idTokenSeconds'),
  refreshTokenSeconds: seconds('refreshTokenSeconds'),
}

export const newSettings = z.strictObject({ kind: z.enum(clientKinds), ...settingFields })
export type NewSettings = z.input<typeof newSettings>

export const changedSettings = z.strictObject({ ...settingFields, name: name.optional() })
export type ChangedSettings = z.output<typeof changedSettings>

/** Settings with nothing left open. */
export type Settings = {
  name: string
  nameEn?: string | undefined
  kind: (typeof clientKinds)[number]
  redirectUris: string[]
  postLogoutRedirectUris: string[]
  backchannelLogoutUri?: string | undefined
  clientUri?: string | undefined
  tosUri?: string | undefined
  policyUri?: string | undefined
  contacts: string[]
  scopes?: string[] | undefined
  claims?: string[] | undefined
  purposes: Record<string, { 'zh-TW'?: string | undefined; en?: string | undefined }>
  authMethod: (typeof authMethods)[number] | 'none'
  jwksUri?: string | undefined
  jwks?: string | undefined
  idTokenAlg: (typeof idTokenAlgs)[number]
  pkce: boolean
  pairwise: boolean
  sectorIdentifierUri?: string | undefined
  firstParty: boolean
  idTokenClaims: boolean
  requireSecondFactor: boolean
  device: boolean
  resourceServer?: string | undefined
  dpop: boolean
  accessTokenSeconds?: number | undefined
  idTokenSeconds?: number | undefined
  refreshTokenSeconds?: number | undefined
}

/** The settings as the API gives them. */
export const shownSettings = z.object({
  name: z.string(),
  nameEn: z.string().optional(),
  kind: z.enum(clientKinds),
  redirectUris: z.array(z.string()),
  postLogoutRedirectUris: z.array(z.string()),
  backchannelLogoutUri: z.string().optional(),
  clientUri: z.string().optional(),
  tosUri: z.string().optional(),
  policyUri: z.string().optional(),
  contacts: z.array(z.string()),
  /** Absent: all but those of our own API. */
  scopes: z.array(z.string()).optional(),
  claims: z.array(z.string()).optional(),
  purposes: z.record(
    z.string(),
    z.object({ 'zh-TW': z.string().optional(), en: z.string().optional() }),
  ),
  authMethod: z.enum([...authMethods, 'none']),
  jwksUri: z.string().optional(),
  jwks: z.string().optional(),
  idTokenAlg: z.enum(idTokenAlgs),
  pkce: z.boolean(),
  pairwise: z.boolean(),
  sectorIdentifierUri: z.string().optional(),
  firstParty: z.boolean(),
  idTokenClaims: z.boolean(),
  requireSecondFactor: z.boolean(),
  device: z.boolean(),
  resourceServer: z.string().optional(),
  dpop: z.boolean(),
  accessTokenSeconds: z.number().optional(),
  idTokenSeconds: z.number().optional(),
  refreshTokenSeconds: z.number().optional(),
})
