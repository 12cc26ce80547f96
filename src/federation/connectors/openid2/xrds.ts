/** XRDS, the document a provider says its endpoint in (OpenID Authentication 2.0 §7.3.2). */
import { Fault } from '../../calls/fault.ts'
import { serviceTypes } from './namespaces.ts'

const xrd = 'xri://$xrd*($v*2.0)'

type Uri = { value: string; priority: number }
type Service = { types: string[]; uris: Uri[]; priority: number }

/** Lower goes first, and what has none goes last. */
const priorityOf = ({ priority }: Record<string, string>): number =>
  priority !== undefined && /^\d{1,9}$/.test(priority) ? Number(priority) : Infinity

const first = <T extends { priority: number }>(list: T[]): T | undefined =>
  list.reduce<T | undefined>(
    (best, one) => (best && best.priority <= one.priority ? best : one),
    undefined,
  )

/** The OP Endpoint URL: a server's before a person's own page's, then by priority. */
export async function readXrds(text: string): Promise<string> {
  // Neither belongs here, and entities are how a small document becomes a big one.
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new Fault('nonsense', 'XRDS with a DOCTYPE')
  const services = await readServices(text)
  for (const type of [serviceTypes.server, serviceTypes.signon]) {
    const uri = first(first(services.filter(({ types }) => types.includes(type)))?.uris ?? [])
    if (uri) return uri.value
  }
  throw new Fault('nonsense', 'XRDS without an OpenID 2.0 endpoint')
}

/** `prefixes`: those declared here. */
type Scope = { name: string; prefixes: Map<string, string> }

/** Elements within elements: the specification's five, and room for what others add. */
const deepest = 20

async function readServices(text: string): Promise<Service[]> {
  const { Parser } = await import('htmlparser2')
  const scopes: Scope[] = []
  let services: Service[] = []
  let words = ''

  /** Its name in the namespace its prefix stands for: authors call that one as they like. */
  function enter(tag: string, attributes: Record<string, string>): Scope {
    if (scopes.length >= deepest) throw new Fault('nonsense', 'XRDS nested without end')
    const prefixes = new Map<string, string>()
    for (const [name, value] of Object.entries(attributes)) {
      if (name === 'xmlns') prefixes.set('', value)
      else if (name.startsWith('xmlns:')) prefixes.set(name.slice(6), value)
    }
    const [local = '', prefix = ''] = tag.split(':').reverse()
    const declared = [...scopes, { prefixes }].findLast((one) => one.prefixes.has(prefix))
    return { name: declared?.prefixes.get(prefix) === xrd ? local : '', prefixes }
  }
  const path = () => scopes.map(({ name }) => name).join('/')

  const parser = new Parser(
    {
      onopentag(tag, attributes) {
        scopes.push(enter(tag, attributes))
        words = ''
        const priority = priorityOf(attributes)
        if (path() === '/XRD') services = [] // Of several the last one counts (XRI Resolution 2.0 §3.1).
        if (path() === '/XRD/Service') services.push({ types: [], uris: [], priority })
        if (path() === '/XRD/Service/URI') services.at(-1)?.uris.push({ value: '', priority })
      },
      ontext(some) {
        words += some
      },
      onclosetag() {
        const service = services.at(-1)
        const uri = service?.uris.at(-1)
        if (path() === '/XRD/Service/Type') service?.types.push(words.trim())
        if (path() === '/XRD/Service/URI' && uri) uri.value = words.trim()
        scopes.pop()
        words = ''
      },
    },
    { xmlMode: true },
  )
  parser.end(text)
  return services
}
