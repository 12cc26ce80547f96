/** The answer to an authentication request, true or with the lie its switch asks for (OpenID Authentication 2.0 §10.1). */
import { randomBytes } from 'node:crypto'
import { ax, openid2, pape, sreg } from '#federation/connectors/openid2/namespaces.ts'
import type { Mode } from '../../modes.ts'
import type { Person } from '../../people.ts'
import type { Fields, Secrets } from './secrets.ts'
import { attributesOf, sregOf } from './tainan-attributes.ts'

export type Asked = {
  request: URLSearchParams
  endpoint: string
  claimedId: string
  one: Person
  /** Milliseconds since 1970. */
  now: number
  mode: Mode
}

export function assertionOf({ mode, ...asked }: Asked, secrets: Secrets): Fields {
  const { request, endpoint, one, now } = asked
  const claimedId =
    mode === 'foreign-claimed-id' ? 'https://someone-else.example/user/1' : asked.claimedId
  const signed = secrets.sign(
    {
      ns: openid2,
      mode: 'id_res',
      op_endpoint: endpoint,
      claimed_id: claimedId,
      identity: claimedId,
      return_to: request.get('openid.return_to') ?? '',
      response_nonce: nonceAt(now, mode),
      ...extensions(request, one),
      ...authenticatedAt(request, now),
    },
    request.get('openid.assoc_handle'),
  )
  switch (mode) {
    case 'wrong-signature':
      return { ...signed, sig: randomBytes(32).toString('base64') }
    case 'unsigned-attribute':
      return {
        ...signed,
        'ns.more': ax,
        'more.mode': 'fetch_response',
        'more.type.mail': 'http://axschema.org/contact/email',
        'more.value.mail': 'principal@tn.example',
      }
    default:
      return signed
  }
}

/** One that comes again is the same for four minutes: any longer, and it would be refused for its age. */
function nonceAt(now: number, mode: Mode): string {
  const again = 4 * 60 * 1000
  const at = mode === 'replayed-nonce' ? now - (now % again) : now
  const rest = mode === 'replayed-nonce' ? 'again' : randomBytes(9).toString('base64url')
  return `${secondOf(at)}${rest}`
}

const secondOf = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`

/** What was asked for, under other aliases than it was asked with: the real one swaps them. */
function extensions(request: URLSearchParams, one: Person): Fields {
  const [fields, attributes] = [sregOf(one), attributesOf(one)]
  const wanted = (request.get('openid.sreg.required') ?? '').split(',')
  const types = [...request].flatMap(([name, type]) => {
    const value = name.startsWith('openid.ax.type.') ? attributes[type] : undefined
    return value === undefined ? [] : [{ alias: name.slice(15), type, value }]
  })
  return {
    'ns.ext1': ax,
    'ext1.mode': 'fetch_response',
    ...Object.fromEntries(
      types.flatMap(({ alias, type, value }) => [
        [`ext1.type.${alias}`, type],
        [`ext1.value.${alias}`, value],
      ]),
    ),
    'ns.ext2': sreg[0],
    ...Object.fromEntries(
      Object.entries(fields)
        .filter(([name]) => wanted.includes(name))
        .map(([name, value]) => [`ext2.${name}`, value]),
    ),
  }
}

/** She signed in just now: whether that is asked for or not, it keeps nobody signed in. */
const authenticatedAt = (request: URLSearchParams, now: number): Fields =>
  request.get('openid.ns.pape') === pape
    ? { 'ns.pape': pape, 'pape.auth_policies': 'none', 'pape.auth_time': secondOf(now) }
    : {}
