/** What is wrong with an app's settings as a whole: which field, why, how to mend it. */
import { errors, type Provider } from 'oidc-provider'
import type { SiteFile } from '#config/schema.ts'
import { isMailAddress } from '#lib/mail.ts'
import { toProviderMetadata } from '#oidc/clients.ts'
import type { ClientRow } from '#store/store.ts'
import { type FieldProblem, isText } from '../operation.ts'
import { everyPermission, scopeOf } from '../staff.ts'
import { isPublic, singleClaims, staticScopes } from './registration.ts'
import type { Settings } from './schema.ts'
import { uriProblem } from './uris.ts'

type Resources = SiteFile['resources']
type Complain = (field: string, message: string, code: string) => void

/** Every scope of every API in `site.yaml`. */
export const resourceScopesOf = (resources: Resources): string[] =>
  resources.flatMap(({ scopes }) => scopes.map(({ scope }) => scope))

/** Scopes of our own API, which an owner gives. */
export const apiScopes: readonly string[] = everyPermission.map(scopeOf)

/** Everything at once; nothing of it asks anybody. */
export function judge(settings: Settings, resources: Resources): FieldProblem[] {
  const problems: FieldProblem[] = []
  const complain: Complain = (field, message, code) => problems.push({ field, message, code })
  judgeAddresses(settings, complain)
  judgeProof(settings, complain)
  judgeReach(settings, resources, complain)
  for (const [i, contact] of settings.contacts.entries()) {
    if (!isMailAddress(contact)) {
      complain(`contacts.${i}`, 'must be one bare e-mail address', 'app-contact')
    }
  }
  return problems
}

function judgeAddresses(settings: Settings, complain: Complain) {
  const { kind, redirectUris, device } = settings
  if (kind === 'machine' && redirectUris.length > 0) {
    complain('redirectUris', 'a machine has nobody to redirect', 'app-machine-redirect')
  }
  if (kind !== 'machine' && redirectUris.length === 0 && !device) {
    complain('redirectUris', 'at least one is needed', 'app-redirect-missing')
  }
  for (const name of ['redirectUris', 'postLogoutRedirectUris'] as const) {
    for (const [i, value] of settings[name].entries()) {
      const problem = uriProblem(value, kind)
      if (problem) complain(`${name}.${i}`, problem.message, problem.code)
    }
  }
  for (const name of [
    'backchannelLogoutUri',
    'jwksUri',
    'sectorIdentifierUri',
    'clientUri',
    'tosUri',
    'policyUri',
  ] as const) {
    const value = settings[name]
    const problem = value === undefined ? undefined : uriProblem(value, 'web')
    if (problem) complain(name, problem.message, problem.code)
  }
}

function judgeProof({ kind, authMethod, pkce, jwks, jwksUri }: Settings, complain: Complain) {
  const keepsNoSecret = isPublic({ kind })
  if (keepsNoSecret && !pkce) {
    complain('pkce', 'a public client never does without PKCE', 'app-public-pkce')
  }
  if (keepsNoSecret && authMethod !== 'none') {
    complain('authMethod', 'a public client keeps no secret', 'app-public-secret')
  }
  if (!keepsNoSecret && authMethod === 'none') {
    complain('authMethod', 'is needed: this kind of app proves itself', 'app-proof')
  }
  if (authMethod === 'private_key_jwt' && !jwksUri && !jwks) {
    complain('jwksUri', 'is needed to check the private_key_jwt assertions', 'app-keys-missing')
  }
  if (jwksUri && jwks) complain('jwks', 'must be empty where jwksUri is given', 'app-keys-twice')
  if (jwks !== undefined) {
    const problem = keysProblem(jwks)
    if (problem) complain('jwks', problem, 'app-keys')
  }
}

function keysProblem(text: string): string | undefined {
  let set: { keys?: unknown }
  try {
    set = JSON.parse(text)
  } catch {
    return 'is not JSON'
  }
  if (!isText(set)) return 'is nested too deeply, or holds a NUL or half of a character'
  const { keys } = set ?? {}
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > 20) {
    return 'must be a JWK Set: {"keys": [one to twenty keys]}'
  }
  const secret = keys.some((key) => !key || typeof key !== 'object' || 'd' in key || 'k' in key)
  return secret ? 'must hold public keys only: leave every "d" and "k" at home' : undefined
}

function judgeReach(settings: Settings, resources: Resources, complain: Complain) {
  const known = [...staticScopes, ...resourceScopesOf(resources), ...apiScopes]
  for (const [i, scope] of (settings.scopes ?? []).entries()) {
    if (!known.includes(scope)) complain(`scopes.${i}`, 'is no scope we have', 'app-scope')
  }
  for (const [i, claim] of (settings.claims ?? []).entries()) {
    if (!singleClaims.includes(claim)) complain(`claims.${i}`, 'is no claim we have', 'app-claim')
  }
  for (const scope of Object.keys(settings.purposes)) {
    if (!known.includes(scope)) complain(`purposes.${scope}`, 'is no scope we have', 'app-scope')
  }
  const { resourceServer } = settings
  if (resourceServer && !resources.some(({ id }) => id === resourceServer)) {
    const ids = resources.map(({ id }) => id).join(', ')
    const message = `is not one of site.yaml's resources: ${ids}`
    complain('resourceServer', message, 'app-resource')
  }
}

/** What the provider itself says to a registration; it may ask for the sector identifier's document. */
export async function judgedByProvider(
  provider: Provider,
  row: ClientRow,
): Promise<FieldProblem[]> {
  try {
    await provider.Client.validate(toProviderMetadata(row))
    return []
  } catch (error) {
    if (!(error instanceof errors.OIDCProviderError)) throw error
    const message = error.error_description ?? error.message
    return [{ field: fieldOf(message), message, code: 'app-registration' }]
  }
}

/** A provider whose judgement was heard already: in a transaction nobody waits for somebody else's web server. */
export const alreadyJudged = (provider: Provider): Provider =>
  Object.create(provider, { Client: { value: { validate: async () => undefined } } })

const fieldNames: Record<string, string> = {
  sector_identifier_uri: 'sectorIdentifierUri',
  redirect_uris: 'redirectUris',
  post_logout_redirect_uris: 'postLogoutRedirectUris',
  'JSON Web Key Set': 'jwks',
  contacts: 'contacts',
  jwks_uri: 'jwksUri',
  pairwise: 'pairwise',
}

/** Where the provider's sentence names a setting, it is said there. */
const fieldOf = (message: string): string =>
  Object.entries(fieldNames).find(([word]) => message.includes(word))?.[1] ?? ''
