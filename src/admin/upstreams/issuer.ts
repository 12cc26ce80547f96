/** The issuer an upstream's links are kept under: issuer and subject say who somebody is. */
import type { ConnectorConfig } from '#config/connector.ts'

export function issuerOf({ type, settings }: ConnectorConfig): string {
  switch (type) {
    case 'openid2':
      return settings.identifier
    case 'saml':
      return settings.entity_id
    case 'oidc':
    case 'oauth2':
    case 'ldap':
      return settings.issuer
  }
}
