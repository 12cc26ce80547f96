/** What the files of `connectors/` must not say together: people of two counties would be one. */
import type { ConnectorFile } from './connector.ts'

type Placed = { file: string; connector: ConnectorFile }
type Complain = (file: string, key: string, message: string) => void

/** What links are kept under, and the setting that says it. */
function issuerOf({ type, settings }: ConnectorFile): [key: string, issuer: string] {
  switch (type) {
    case 'openid2':
      return ['settings.identifier', settings.identifier]
    case 'saml':
      return ['settings.entity_id', settings.entity_id]
    case 'oidc':
    case 'oauth2':
    case 'ldap':
      return ['settings.issuer', settings.issuer]
  }
}

/** Two connectors of one county may know its people by the same names. */
const countyOf = ({ iso, id }: ConnectorFile) => iso ?? id

/** Host names of the county's OpenID 2.0 identifiers, those of now and of before. */
const hostsOf = ({ type, settings, former }: ConnectorFile): [key: string, host: string][] => [
  ...(type === 'openid2' ? settings.hosts : []).map((host): [string, string] => [
    'settings.hosts',
    host,
  ]),
  ...former.flatMap(({ hosts }, at) =>
    hosts.map((host): [string, string] => [`former.${at}.hosts`, host]),
  ),
]

const covers = (wide: string, host: string) =>
  wide === host || (wide.startsWith('*.') && host.endsWith(wide.slice(1)))

export function checkConnectors(list: Placed[], complain: Complain): void {
  const issuers = new Map<string, Placed>()
  for (const one of list) {
    const [key, issuer] = issuerOf(one.connector)
    const other = issuers.get(issuer)
    if (other) complain(one.file, key, `is that of ${other.file}: people of both would be mixed up`)
    issuers.set(issuer, one)
  }
  const owned: { host: string; by: Placed }[] = []
  for (const by of list) {
    const county = countyOf(by.connector)
    for (const [at, { issuer }] of by.connector.former.entries()) {
      const other = issuers.get(issuer)
      if (other && countyOf(other.connector) !== county)
        complain(by.file, `former.${at}.issuer`, `is that of another county: ${other.file}`)
    }
    for (const [key, host] of hostsOf(by.connector)) {
      const other = owned.find(
        (one) =>
          countyOf(one.by.connector) !== county &&
          (covers(one.host, host) || covers(host, one.host)),
      )
      if (other) complain(by.file, key, `${host} is another county’s: ${other.by.file}`)
      owned.push({ host, by })
    }
  }
}
