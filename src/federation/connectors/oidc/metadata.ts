/** The upstream's discovery document (OpenID Connect Discovery 1.0). */
import { allowInsecureRequests, customFetch, discovery, type ServerMetadata } from 'openid-client'
import type { OidcSettings } from '#config/connector.ts'
import { Fault } from '../../calls/fault.ts'
import { type Fresh, keepFresh } from '../../calls/fresh.ts'
import type { Network } from '../../calls/reach.ts'
import { oldestMs, type Shelf } from '../../calls/shelf.ts'

const hour = 60 * 60 * 1000
const minute = 60 * 1000

export type MetadataPorts = {
  fetch: Network
  now: () => number
  insecure: boolean
  shelf: Shelf
}

/** Lazy: nothing is read before the first sign-in, so that a dead county never stops a boot. */
export function openMetadata(
  settings: OidcSettings,
  clientId: string,
  { fetch, now, insecure, shelf }: MetadataPorts,
): Fresh<ServerMetadata> {
  const read = async () => {
    const found = await discovery(new URL(settings.issuer), clientId, undefined, undefined, {
      [customFetch]: fetch,
      execute: insecure ? [allowInsecureRequests] : [],
    })
    const metadata = found.serverMetadata()
    check(metadata, settings, insecure)
    shelf.keep(JSON.stringify(metadata))
    return metadata
  }
  const findKept = async () => {
    const kept = await shelf.find()
    if (!kept) return undefined
    const metadata: ServerMetadata = JSON.parse(kept.text)
    // The settings may be others since.
    check(metadata, settings, insecure)
    return { value: metadata, at: kept.at }
  }
  return keepFresh(read, {
    now,
    freshMs: hour,
    retryMs: minute,
    serveOld: true,
    oldestMs,
    findKept,
  })
}

function check(metadata: ServerMetadata, settings: OidcSettings, insecure: boolean) {
  // Discovery §4.3 wants the same string. openid-client compares URLs, for which a trailing slash is nothing.
  if (metadata.issuer !== settings.issuer) {
    throw new Fault('forged', 'the document names another issuer')
  }
  const needed = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
  for (const name of settings.userinfo ? [...needed, 'userinfo_endpoint' as const] : needed) {
    const protocol = URL.parse(String(metadata[name]))?.protocol
    if (protocol !== 'https:' && !(insecure && protocol === 'http:')) {
      throw new Fault('nonsense', `${name} is no https URL`)
    }
  }
}
