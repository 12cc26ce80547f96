/** The hosts one provider's documents, endpoint and identifiers may be on: nobody is called elsewhere. */
import type { OpenId2Settings } from '#config/connector.ts'

export const hostsOf = ({
  identifier,
  endpoint,
  hosts,
  endpoint_hosts,
}: OpenId2Settings): string[] => {
  const named = [identifier, ...(endpoint === undefined ? [] : [endpoint])]
  return [...new Set([...named.map((one) => new URL(one).host), ...hosts, ...endpoint_hosts])]
}
