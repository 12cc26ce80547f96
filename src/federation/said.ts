/** What every connector makes of what its upstream said, whatever the protocol. */
import { type ClaimedIdRules, readClaimedId } from './claimed-id.ts'
import type { UpstreamIdentity } from './connector.ts'
import type { Claims } from './profile.ts'

/** How this county knew her before: signed identifiers, each under the former issuer whose it is. */
export function formerIn(
  openid2Ids: string[],
  rules: ClaimedIdRules[],
): Pick<UpstreamIdentity, 'former'> {
  const former = rules.flatMap((one) =>
    openid2Ids.flatMap((id) => {
      const subject = readClaimedId(id, one)
      return subject === undefined ? [] : [{ issuer: one.issuer, subject }]
    }),
  )
  return former.length > 0 ? { former } : {}
}

/** The value that differs when a login is somebody else's now, from the first source that has it. */
export function fingerprintIn(
  claim: string | undefined,
  ...sources: (Claims | undefined)[]
): Pick<UpstreamIdentity, 'fingerprint'> {
  if (claim === undefined) return {}
  for (const source of sources) {
    const value = source && Object.hasOwn(source, claim) ? source[claim] : undefined
    // Counties write the same guid in upper and in lower case.
    if (typeof value === 'string' && value.trim())
      return { fingerprint: value.trim().toLowerCase() }
  }
  return {}
}

/** `host:port` of an address with TLS. */
export const serverOf = (address: string): string => {
  const { hostname, port } = new URL(address)
  return `${hostname}:${port || '443'}`
}
