/** The guided form of an app: what is typed into it, and the settings that are meant. */
import type { z } from 'zod'
import { apiScopes, resourceScopesOf } from '#admin/clients/judge.ts'
import { mayGivePower } from '#admin/clients/reach.ts'
import { singleClaims, staticScopes } from '#admin/clients/registration.ts'
import {
  type changedSettings,
  most,
  type Settings,
  type shownSettings,
  type TokenLife,
  tokenLife,
} from '#admin/clients/schema.ts'
import type { FieldProblem } from '#admin/operation.ts'
import { reachOf } from '#admin/staff.ts'
import type { House } from '../../house.ts'
import type { Fields } from '../../input.ts'
import type { Staff } from './admission.ts'
import type { FormShape, OfferedScope } from './clients-views.ts'

type Values = Record<string, string>
type Typed = z.input<typeof changedSettings> & { name: string }

const lists = ['redirectUris', 'postLogoutRedirectUris', 'contacts'] as const
const texts = [
  'nameEn',
  'clientUri',
  'tosUri',
  'policyUri',
  'backchannelLogoutUri',
  'jwksUri',
  'jwks',
  'sectorIdentifierUri',
] as const
const boxes = ['pairwise', 'idTokenClaims', 'requireSecondFactor', 'device', 'dpop'] as const
/** Letters a field takes: of a list those of all its lines. */
export const longest = {
  name: most.name,
  nameEn: most.name,
  clientUri: most.uri,
  tosUri: most.uri,
  policyUri: most.uri,
  contacts: most.contacts * (most.contact + 1),
  redirectUris: most.uris * (most.uri + 1),
  postLogoutRedirectUris: most.uris * (most.uri + 1),
  backchannelLogoutUri: most.uri,
  jwksUri: most.uri,
  jwks: most.jwks,
  sectorIdentifierUri: most.uri,
  claims: most.scopes * (most.scope + 1),
  purpose: most.purpose,
} as const

/** Letters of a form with all of them, and with what each scope is for in two languages. */
export const lettersOfForm = (house: Pick<House, 'config' | 'messages'>): number =>
  Object.values(longest).reduce((sum, letters) => sum + letters, 0) +
  2 * longest.purpose * offeredScopes(house, 'en', 'web').length

const lives = Object.keys(tokenLife) as TokenLife[]

/** People's scopes mean nothing to a machine. */
export const offeredScopes = (
  { config, messages }: Pick<House, 'config' | 'messages'>,
  language: string,
  kind: string,
): OfferedScope[] => {
  const own = kind === 'machine' ? [] : staticScopes.filter((one) => one !== 'openid')
  return [
    ...own.map((scope) => ({
      scope,
      label: messages.translate(language, `scope.${scope}.title`),
      detail: messages.translate(language, `scope.${scope}.detail`),
    })),
    ...config.site.resources.flatMap(({ label, scopes }) =>
      scopes.map((one) => ({
        scope: one.scope,
        label: one.label[language as keyof typeof one.label] ?? one.scope,
        detail: label[language as keyof typeof label],
      })),
    ),
  ]
}

/** She answers for all apps, not for hers alone. */
const mayTrust = ({ by }: Staff): boolean => reachOf(by, 'clients.write')?.kind === 'all'

/** What the form shows to her, whatever stands in it. */
export function formOf(house: House, language: string, staff: Staff, kind: string): FormShape {
  const { lifetimes, resources } = house.config.site
  const usual = {
    accessTokenSeconds: lifetimes.access_token_seconds,
    idTokenSeconds: lifetimes.id_token_seconds,
    refreshTokenSeconds: lifetimes.refresh_token_seconds,
  }
  const fitting = lives.filter((field) => kind !== 'machine' || field === 'accessTokenSeconds')
  return {
    kind,
    scopes: offeredScopes(house, language, kind),
    adminScopes: mayGivePower(staff.by) ? [...apiScopes] : [],
    mayTrust: mayTrust(staff),
    resources: resources.map(({ id, label }) => ({
      id,
      label: label[language as keyof typeof label] ?? id,
    })),
    life: fitting.map((field) => ({ field, ...tokenLife[field], usual: usual[field] })),
    claims: singleClaims,
    longest,
  }
}

/** What a form of this app has in its fields. */
export function valuesOf(settings: z.output<typeof shownSettings>): Values {
  const values: Values = {
    name: settings.name,
    authMethod: settings.authMethod,
    idTokenAlg: settings.idTokenAlg,
    resourceServer: settings.resourceServer ?? '',
    reach: settings.scopes ? 'some' : 'all',
    claims: (settings.claims ?? []).join(' '),
    pkce: settings.pkce ? 'on' : '',
    firstParty: settings.firstParty ? 'on' : '',
  }
  for (const name of lists) values[name] = settings[name].join('\n')
  for (const name of texts) values[name] = settings[name] ?? ''
  for (const name of boxes) values[name] = settings[name] ? 'on' : ''
  for (const name of lives) values[name] = String(settings[name] ?? '')
  for (const scope of settings.scopes ?? []) values[`scope.${scope}`] = 'on'
  for (const [scope, words] of Object.entries(settings.purposes)) {
    values[`purpose.${scope}.zh`] = words['zh-TW'] ?? ''
    values[`purpose.${scope}.en`] = words.en ?? ''
  }
  return values
}

/** A new one, before anything is typed. */
export const emptyValues: Readonly<Values> = {
  reach: 'all',
  pkce: 'on',
  authMethod: 'client_secret_basic',
  idTokenAlg: 'RS256',
}

/** The settings a form means. What it did not show is not among them. */
export function readSettings(
  fields: Fields,
  { kind, scopes, adminScopes, mayTrust, life }: FormShape,
  before?: Pick<Settings, 'scopes'>,
): Typed {
  const has = (name: string) => Boolean(fields[name])
  const typed: Typed = { name: fields.name ?? '' }
  for (const name of lists) typed[name] = linesOf(fields[name])
  for (const name of texts) typed[name] = fields[name]?.trim() ?? ''
  for (const name of boxes) typed[name] = has(name)
  for (const { field } of life) {
    const value = fields[field]?.trim() ?? ''
    typed[field as TokenLife] = value === '' ? null : Number(value)
  }
  typed.idTokenAlg = fields.idTokenAlg === 'ES256' ? 'ES256' : 'RS256'
  if (kind === 'web' || kind === 'machine') {
    typed.authMethod = fields.authMethod as NonNullable<Typed['authMethod']>
  }
  if (mayTrust) {
    typed.firstParty = has('firstParty')
    typed.resourceServer = fields.resourceServer ?? ''
    typed.pkce = kind === 'web' ? has('pkce') : true
  }
  // Staff's scopes that are not hers to give stay as they are.
  const kept = adminScopes.length > 0 ? [] : adminOf(before)
  const shown = [...scopes.map(({ scope }) => scope), ...adminScopes]
  const ticked = shown.filter((scope) => has(`scope.${scope}`))
  const restricted = fields.reach === 'some' || ticked.some((one) => apiScopes.includes(one))
  typed.scopes = restricted || kept.length > 0 ? [...ticked, ...kept] : null
  typed.claims = restricted ? wordsOf(fields.claims) : null
  typed.purposes = Object.fromEntries(
    scopes.map(({ scope }) => [
      scope,
      { 'zh-TW': fields[`purpose.${scope}.zh`] ?? '', en: fields[`purpose.${scope}.en`] ?? '' },
    ]),
  )
  return typed
}

const adminOf = (before: Pick<Settings, 'scopes'> | undefined): string[] =>
  (before?.scopes ?? []).filter((one) => apiScopes.includes(one))

/** The lines of a text area, without empty ones. */
export const linesOf = (text = ''): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
const wordsOf = (text = ''): string[] => text.split(/[\s,]+/).filter(Boolean)

/** A problem of the third line is one of its field. */
export const atField = (problem: FieldProblem): FieldProblem => {
  const [first = ''] = problem.field.split('.')
  return { ...problem, field: first === 'scopes' || first === 'purposes' ? 'reach' : first }
}

export const resourceScopes = ({ config }: Pick<House, 'config'>): string[] =>
  resourceScopesOf(config.site.resources)
