/** mod_auth_openidc, in front of anything Apache serves. */
import { lines, type Snippet, secretPlaceholder } from './snippet.ts'

/** Apache reads a quoted argument to its closing quote. */
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`

export const modAuthOpenidc: Snippet = {
  id: 'mod-auth-openidc',
  title: 'mod_auth_openidc · Apache',
  kinds: ['web'],
  blocks: ({ issuer, clientId, redirectUri = '', scopes, authMethod, idTokenAlg }) => [
    {
      file: 'auth_openidc.conf',
      text: lines(
        `OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration`,
        `OIDCClientID ${clientId}`,
        authMethod.startsWith('client_secret') && `OIDCClientSecret ${quoted(secretPlaceholder)}`,
        `OIDCRedirectURI ${redirectUri}`,
        'OIDCCryptoPassphrase "<long and random, for its own cookies>"',
        `OIDCScope ${quoted(scopes.join(' '))}`,
        'OIDCPKCEMethod S256',
        `OIDCProviderTokenEndpointAuth ${authMethod}`,
        authMethod === 'private_key_jwt' && 'OIDCPrivateKeyFiles "<kid>#/path/to/private.key"',
        idTokenAlg !== 'RS256' && `OIDCIDTokenSignedResponseAlg ${idTokenAlg}`,
        '',
        '# The redirect URI must lie below what is protected, and nothing else may be there.',
        '<Location />',
        '  AuthType openid-connect',
        '  Require valid-user',
        '</Location>',
      ),
    },
  ],
}
