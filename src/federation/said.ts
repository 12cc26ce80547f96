/** What every connector makes of what its upstream said, whatever the protocol. */
import type { ConnectorFile } from '#config/connector.ts'
import { claimedIdRules, readClaimedId } from './claimed-id.ts'
import type { UpstreamIdentity, UpstreamProfile } from './connector.ts'
import type { Claims } from './profile.ts'

/** How this county knew her before, as its file says: signed identifiers, each under the former issuer whose it is. */
export function openFormer(
  files: ConnectorFile['former'],
): (openid2Ids: string[]) => Pick<UpstreamIdentity, 'former'> {
  const rules = files.map((one) => claimedIdRules(one.issuer, one))
  return (openid2Ids) => {
    const former = rules.flatMap((one) =>
      openid2Ids.flatMap((id) => {
        const subject = readClaimedId(id, one)
        return subject === undefined ? [] : [{ issuer: one.issuer, subject }]
      }),
    )
    return former.length > 0 ? { former } : {}
  }
}

/** The person as said where nothing says that anybody verified an address. */
export const unverified = ({ emailVerified: _, ...rest }: UpstreamProfile): UpstreamProfile => rest

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
