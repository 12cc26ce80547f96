/** What a program that registers itself may be: held against its policy. Nothing it names is looked up. */
import { isMailAddress } from '#lib/mail.ts'
import { visibleLetters } from '#lib/prose.ts'
import { isApiScope } from '#oidc/api-resource.ts'
import { extraClientMetadata } from '#oidc/clients.ts'
import { type Metadata, RegistrationRefused } from '#oidc/registration.ts'
import { type ClientKind, kindOf } from '#store/clients.ts'
import { deviceGrant, staticScopes } from '../clients/registration.ts'
import { uriProblem } from '../clients/uris.ts'
import { isText } from '../operation.ts'
import { ceilings } from './ceiling.ts'
import { fitsHosts, type HeldPolicy, type RegistrationPolicy } from './policy.ts'

/** Bounds of what one registration holds. */
const most = { name: 100, addresses: 20, address: 2000, contacts: 10, text: 2000, keys: 20 }

const refuse = (message: string): never => {
  throw new RegistrationRefused('invalid_client_metadata', message)
}

/** RFC 7591 §2's defaults. */
const defaults: Metadata = {
  application_type: 'web',
  redirect_uris: [],
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: 'client_secret_basic',
}

/** Puts `wanted` in order, in its place, or throws `RegistrationRefused`. */
export function judgeRegistration(wanted: Metadata, policy: HeldPolicy, before?: Metadata): void {
  if (wanted.software_statement !== undefined) {
    throw new RegistrationRefused(
      'invalid_software_statement',
      'software statements are not taken: nobody here vouches for software',
    )
  }
  if (!isText(wanted)) refuse('something holds a NUL or half of a character, or is too deep')
  keepOurs(wanted, before)
  const kind = judgeKind({ ...defaults, ...wanted }, policy)
  judgeTexts(wanted)
  judgeAddresses(wanted, kind, policy)
  judgeSubject(wanted, before)
  judgeScopes(wanted, policy)
}

/** Its policy says these, or it says them itself. */
const itsOwn: readonly string[] = ['client_name#en', 'resource_scopes', 'single_claims']

/** What is ours to say is as staff said it; pictures are uploaded by staff, fetched by nobody. */
export function keepOurs(wanted: Metadata, before: Metadata = {}): void {
  for (const name of extraClientMetadata) {
    if (itsOwn.includes(name)) continue
    if (before[name] === undefined) delete wanted[name]
    else wanted[name] = before[name]
  }
  delete wanted.logo_uri
}

const listOf = (metadata: Metadata, name: string): string[] => {
  const value = metadata[name]
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'string')) {
    return refuse(`${name} must be a list of texts`)
  }
  return value
}

function judgeKind(metadata: Metadata, { kinds }: RegistrationPolicy): ClientKind {
  const grants = listOf(metadata, 'grant_types')
  listOf(metadata, 'redirect_uris')
  const kind = kindOf(metadata)
  const needed = new Set<ClientKind>([kind])
  // It acts for itself, whatever else it is.
  if (grants.includes('client_credentials')) needed.add('machine')
  if (grants.includes(deviceGrant)) needed.add('native')
  for (const one of needed) {
    if (!kinds.includes(one)) refuse(`this token registers ${kinds.join(', ')}, not ${one}`)
  }
  return kind
}

function judgeTexts(wanted: Metadata) {
  for (const [name, value] of Object.entries(wanted)) {
    if (typeof value === 'string' && value.length > most.text) {
      refuse(`${name} is longer than ${most.text} characters`)
    }
  }
  for (const name of ['client_name', 'client_name#en']) {
    const value = wanted[name]
    if (value === undefined) continue
    if (typeof value !== 'string' || visibleLetters(value) === '' || value.length > most.name) {
      refuse(`${name} must be 1 to ${most.name} characters`)
    }
    if (/\p{Cc}/u.test(String(value))) {
      refuse(`${name} must be one line, without control characters`)
    }
  }
  const contacts = listOf(wanted, 'contacts')
  if (contacts.length > most.contacts || !contacts.every(isMailAddress)) {
    refuse(`contacts must be at most ${most.contacts} bare e-mail addresses`)
  }
  const { jwks } = wanted
  if (jwks === undefined) return
  const keys = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : undefined
  if (!Array.isArray(keys) || keys.length > most.keys) {
    refuse(`jwks must be a JWK Set of at most ${most.keys} keys`)
  }
}

const single = [
  'client_uri',
  'tos_uri',
  'policy_uri',
  'jwks_uri',
  'backchannel_logout_uri',
  'initiate_login_uri',
]

function judgeAddresses(wanted: Metadata, kind: ClientKind, policy: HeldPolicy) {
  for (const name of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
    const left = policy[ceilings[name]]
    const list = listOf(wanted, name)
    if (list.length > most.addresses) refuse(`${name} has more than ${most.addresses} addresses`)
    for (const uri of list) {
      const taken = left && !left.includes(uri) && 'is none of those staff left it: ask them for it'
      const problem = addressProblem(uri, kind, policy) ?? taken
      if (problem) throw new RegistrationRefused('invalid_redirect_uri', `${name}: ${problem}`)
    }
  }
  for (const name of single) {
    const uri = wanted[name]
    if (uri === undefined || uri === null) continue
    if (typeof uri !== 'string') refuse(`${name} must be a text`)
    const problem = addressProblem(String(uri), 'web', policy)
    if (problem) refuse(`${name}: ${problem}`)
  }
}

function addressProblem(uri: string, kind: ClientKind, policy: RegistrationPolicy) {
  if (uri.length > most.address) return `is longer than ${most.address} characters`
  const problem = uriProblem(uri, kind)
  if (problem) return problem.message
  const { protocol, hostname } = new URL(uri)
  // A program on somebody's own machine has no host of its own (RFC 8252 §7).
  if (kind === 'native' && protocol !== 'https:') return undefined
  return fitsHosts(policy, hostname) ? undefined : `${hostname} is no host this token is for`
}

/** Another subject for everybody who signs in is another app; whose sector it may speak for is staff's to look at. */
function judgeSubject(wanted: Metadata, before: Metadata | undefined) {
  if (wanted.sector_identifier_uri !== undefined) {
    refuse('sector_identifier_uri is set by staff: ask them for it')
  }
  if (!before) return
  wanted.sector_identifier_uri = before.sector_identifier_uri
  const type = wanted.subject_type ?? 'public'
  if (type !== (before.subject_type ?? 'public')) refuse('subject_type cannot be changed')
  if (type !== 'pairwise' || before.sector_identifier_uri !== undefined) return
  const hosts = (metadata: Metadata) =>
    [...new Set(listOf(metadata, 'redirect_uris').map((uri) => URL.parse(uri)?.host))].join(' ')
  if (hosts(wanted) !== hosts(before)) {
    refuse('redirect_uris of an app with pairwise subjects stay on their host')
  }
}

/** By what people are known to it has not been changed meanwhile. */
export const isSameSubject = (wanted: Metadata, now: Metadata): boolean =>
  (wanted.subject_type ?? 'public') === (now.subject_type ?? 'public') &&
  wanted.sector_identifier_uri === now.sector_identifier_uri

function judgeScopes(wanted: Metadata, policy: RegistrationPolicy) {
  const scopes = policy.scopes.filter((scope) => !isApiScope(scope))
  const allowed = new Set(['openid', ...scopes])
  const asked =
    typeof wanted.scope === 'string' && wanted.scope !== ''
      ? wanted.scope.split(' ').filter(Boolean)
      : [...allowed]
  const beyond = asked.filter((scope) => !allowed.has(scope))
  if (beyond.length > 0) refuse(`scope: this token does not give ${beyond.join(' ')}`)
  wanted.scope = asked.filter((scope) => staticScopes.includes(scope)).join(' ') || 'openid'
  wanted.resource_scopes = asked.filter((scope) => !staticScopes.includes(scope))
  wanted.single_claims = []
}
