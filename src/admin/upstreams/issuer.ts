/** Under what issuer an upstream's people are kept: with their subject it is who they are. */
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
