/** Which upstreams a row may link somebody to, and under what. */
import { checkSubject } from '#accounts/attach-identity.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import { UpstreamError } from '#errors.ts'
import { claimedIdRules, readClaimedId } from '#federation/claimed-id.ts'
import { issuerOf } from '../upstreams/issuer.ts'

export type ImportUpstream = {
  id: string
  /** What links are kept under. */
  issuer: string
  /** The identifier as a sign-in from there brings it, or undefined for one that never comes. */
  readSubject(text: string): string | undefined
  /** First digits of the school codes it gives out; none where nobody has said. */
  prefixes: readonly string[]
}

/** By the name of its file. */
export const importUpstreams = (
  connectors: readonly ConnectorConfig[],
): ReadonlyMap<string, ImportUpstream> =>
  new Map(connectors.map((one) => [one.id, upstreamOf(one)]))

function upstreamOf(connector: ConnectorConfig): ImportUpstream {
  const { id, type, settings, school_code_prefixes: prefixes } = connector
  const issuer = issuerOf(connector)
  if (type === 'openid2') {
    const rules = claimedIdRules(issuer, settings)
    return { id, issuer, prefixes, readSubject: (text) => readClaimedId(text, rules) }
  }
  const readSubject = (text: string) => (isKeepable(id, text) ? text : undefined)
  return { id, issuer, prefixes, readSubject }
}

function isKeepable(connector: string, subject: string): boolean {
  try {
    checkSubject({ connector, subject })
    return true
  } catch (error) {
    if (error instanceof UpstreamError) return false
    throw error
  }
}
