/** oidc-client-ts 3, in a page without a server of its own. */
import { lines, quoted, type Snippet } from './snippet.ts'

export const oidcClientTs: Snippet = {
  id: 'oidc-client-ts',
  title: 'oidc-client-ts · React, Vue, Angular',
  kinds: ['spa'],
  blocks: ({ issuer, clientId, redirectUri = '', postLogoutRedirectUri, scopes }) => [
    {
      file: 'npm install oidc-client-ts',
      text: lines(
        `import { UserManager } from ${quoted('oidc-client-ts')}`,
        '',
        'export const users = new UserManager({',
        `  authority: ${quoted(issuer)},`,
        `  client_id: ${quoted(clientId)},`,
        `  redirect_uri: ${quoted(redirectUri)},`,
        postLogoutRedirectUri && `  post_logout_redirect_uri: ${quoted(postLogoutRedirectUri)},`,
        "  response_type: 'code', // with PKCE, by itself",
        `  scope: ${quoted(scopes.join(' '))},`,
        '  loadUserInfo: true,',
        '})',
        '',
        '// users.signinRedirect() begins; at the redirect URI:',
        '// const user = await users.signinCallback()',
      ),
    },
  ],
}
