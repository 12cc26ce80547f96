/** Where an upstream's metadata comes from: its address, or what was read there last. */
import type { SamlSettings } from '#config/connector.ts'
import { sha256 } from '#lib/crypto.ts'
import { Fault } from '../../calls/fault.ts'
import { type Fresh, keepFresh } from '../../calls/fresh.ts'
import { reach } from '../../calls/reach.ts'
import { oldestMs, openShelf } from '../../calls/shelf.ts'
import type { FederationPorts } from '../../connector.ts'
import {
  configuredProvider,
  describedProvider,
  type IdentityProvider,
} from './identity-provider.ts'
import { utf8 } from './xml.ts'

const hour = 60 * 60 * 1000
const minute = 60 * 1000
const longest = 256 * 1024

export type MetadataPorts = Pick<FederationPorts, 'fetch' | 'now' | 'documents'> & {
  insecure: boolean
}

/** Lazy: nothing is read before the first sign-in, so that a dead upstream never stops a boot. */
export function openMetadata(
  id: string,
  settings: SamlSettings,
  ports: MetadataPorts,
): Fresh<IdentityProvider> {
  const { now, insecure } = ports
  const { metadata_url: url } = settings
  const fetch = reach(ports.fetch)
  if (url === undefined) return settled(() => configuredProvider(settings), fetch)

  const shelf = openShelf(ports, `saml.metadata:${id}:${sha256(url)}`)
  const skewMs = settings.clock_skew_seconds * 1000
  const judge = (text: string) =>
    describedProvider(text, settings, { insecure, clock: { now: now(), skewMs } })
  const read = async () => {
    const text = await readText(await fetch(url, request))
    const provider = await judge(text)
    shelf.keep(text)
    return provider
  }
  const findKept = async () => {
    const kept = await shelf.find()
    // The settings, and the time, may be others since.
    return kept && { value: await judge(kept.text), at: kept.at }
  }
  const rules = { now, freshMs: hour, retryMs: minute, serveOld: true, oldestMs, findKept }
  return keepFresh(read, rules)
}

/** Its file says everything: to read it anew is to see that it answers. */
function settled(
  read: () => IdentityProvider,
  fetch: ReturnType<typeof reach>,
): Fresh<IdentityProvider> {
  return {
    get: async () => read(),
    renew: async () => undefined,
    async reread() {
      const provider = read()
      const { body } = await fetch(provider.signIn, request)
      await body?.cancel()
      return provider
    },
  }
}

const request = {
  headers: { accept: 'application/samlmetadata+xml, application/xml, text/xml' },
  redirect: 'manual' as const,
}

async function readText(response: Response): Promise<string> {
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Fault('nonsense', `answered HTTP ${response.status}`)
  }
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (bytes.byteLength > longest) throw new Fault('nonsense', 'it is longer than 256 KB')
  return utf8(bytes)
}
