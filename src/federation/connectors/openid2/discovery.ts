/** Where the provider's endpoint is (OpenID Authentication 2.0 §7.3), read when first needed, kept over its outages. */

import { Fault } from '../../calls/fault.ts'
import { keepFresh } from '../../calls/fresh.ts'
import { oldestMs, openShelf } from '../../calls/shelf.ts'
import type { FederationPorts } from '../../connector.ts'
import { readHtml } from './html.ts'
import { type Document, isAway, type Reach } from './reach.ts'
import { readXrds } from './xrds.ts'

const hour = 60 * 60 * 1000
const accept = 'application/xrds+xml, text/html;q=0.5'

export type Discovery = {
  /** The OP Endpoint URL: of now, of a while ago, or the one kept when the provider cannot say it. */
  endpoint(): Promise<string>
  /** Reads it anew. */
  renew(): Promise<void>
}

export type DiscoveryParts = {
  /** What its documents are kept under. */
  connector: string
  identifier: string
  /** From its file: then there is nothing to discover. */
  endpoint: string | undefined
  reach: Reach
  ports: Pick<FederationPorts, 'now' | 'documents'>
}

export function openDiscovery(parts: DiscoveryParts): Discovery {
  const { connector, identifier, reach, ports } = parts
  if (parts.endpoint !== undefined) {
    const endpoint = parts.endpoint
    return { endpoint: async () => endpoint, async renew() {} }
  }
  const shelf = openShelf(ports, `${connector} openid2`)
  const read = async () => {
    const endpoint = await discover(identifier, reach)
    shelf.keep(JSON.stringify({ identifier, endpoint }))
    return endpoint
  }
  const known = keepFresh(read, {
    now: ports.now,
    freshMs: hour,
    // Who asks for it anew is to hear how it is now.
    retryMs: 0,
    serveOld: true,
    oldestMs,
  })

  /** As it was said last, if the rules of today still allow it. */
  async function kept(): Promise<string | undefined> {
    const document = await shelf.find().catch(() => undefined)
    const said = document && JSON.parse(document.text)
    if (said?.identifier !== identifier) return undefined
    reach.allow(said.endpoint)
    return said.endpoint
  }

  return {
    endpoint: () =>
      known.get().catch(async (failure: unknown) => {
        // A document that says something wrong is another matter: it may say it on purpose.
        const endpoint = isAway(failure) ? await kept() : undefined
        if (endpoint === undefined) throw failure
        return endpoint
      }),
    async renew() {
      await known.renew()
    },
  }
}

async function discover(identifier: string, reach: Reach): Promise<string> {
  const signal = reach.patience()
  const open = (address: string, base?: URL) =>
    reach.read(reach.allow(address, base), accept, signal)
  const page = await open(identifier)
  if (isXrds(page)) return endpointIn(page, reach)
  const hints = isHtml(page) ? await readHtml(page.text) : {}
  const location = page.headers.get('x-xrds-location') ?? hints.xrdsLocation
  if (location) return endpointIn(await open(location, page.url), reach)
  if (hints.provider) return reach.allow(hints.provider, page.url).href
  throw new Fault('nonsense', 'names no OpenID 2.0 endpoint')
}

const isXrds = ({ contentType }: Document) => contentType.startsWith('application/xrds+xml')
const isHtml = ({ contentType }: Document) => /^(?:text\/html|application\/xhtml)/.test(contentType)

/** Its text as it is written there: the provider repeats it in every answer. */
async function endpointIn(document: Document, reach: Reach): Promise<string> {
  const endpoint = await readXrds(document.text)
  reach.allow(endpoint)
  return endpoint
}
