/** Where upstreams find us. */
import type { OwnAddresses } from './connector.ts'

/** The path of a connector's callback. */
export const callbackPath = (connector: string) => `/upstream/${connector}/callback`

export const ownAddresses = (issuer: string, connector: string): OwnAddresses => {
  const below = (path: string) => `${issuer}/upstream/${connector}/${path}`
  return {
    callback: `${issuer}${callbackPath(connector)}`,
    password: below('password'),
    metadata: below('metadata'),
    logout: below('logout'),
    realm: `${issuer}/`,
  }
}
