/** openid-client 6, in any Node.js app. */
import {
  isPlain,
  keyNote,
  lines,
  quoted,
  type Snippet,
  type SnippetApp,
  secretPlaceholder,
} from './snippet.ts'

const proofs: Record<string, string> = {
  client_secret_basic: `client.ClientSecretBasic(${quoted(secretPlaceholder)})`,
  client_secret_post: `client.ClientSecretPost(${quoted(secretPlaceholder)})`,
  private_key_jwt: 'client.PrivateKeyJwt(privateKey)',
  none: 'client.None()',
}

function configuration({ issuer, clientId, authMethod, idTokenAlg, ...app }: SnippetApp): string {
  const metadata =
    idTokenAlg === 'RS256' ? 'undefined' : `{ id_token_signed_response_alg: ${quoted(idTokenAlg)} }`
  return lines(
    `import * as client from ${quoted('openid-client')}`,
    '',
    'const config = await client.discovery(',
    `  new URL(${quoted(issuer)}),`,
    `  ${quoted(clientId)},`,
    `  ${metadata},`,
    `  ${proofs[authMethod] ?? proofs.client_secret_basic},`,
    isPlain({ issuer, clientId, authMethod, idTokenAlg, ...app }) &&
      '  { execute: [client.allowInsecureRequests] }, // a development server without TLS',
    ')',
  )
}

const signIn = (app: SnippetApp) =>
  lines(
    configuration(app),
    '',
    '// Send people to `address`; keep `checks` in their session.',
    'export async function begin() {',
    '  const checks = {',
    '    pkceCodeVerifier: client.randomPKCECodeVerifier(),',
    '    expectedState: client.randomState(),',
    '    expectedNonce: client.randomNonce(),',
    '    idTokenExpected: true,',
    '  }',
    '  const address = client.buildAuthorizationUrl(config, {',
    `    redirect_uri: ${quoted(app.redirectUri ?? '')},`,
    `    scope: ${quoted(app.scopes.join(' '))},`,
    '    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),',
    "    code_challenge_method: 'S256',",
    '    state: checks.expectedState,',
    '    nonce: checks.expectedNonce,',
    '  })',
    '  return { address, checks }',
    '}',
    '',
    '// `url` is the whole address they came back to.',
    'export async function finish(url, checks) {',
    '  const tokens = await client.authorizationCodeGrant(config, url, checks)',
    '  return client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)',
    '}',
  )

const machine = (app: SnippetApp) =>
  lines(
    configuration(app),
    '',
    'const tokens = await client.clientCredentialsGrant(config, {',
    app.resource && `  resource: ${quoted(app.resource.id)},`,
    `  scope: ${quoted(app.resource?.scope ?? app.scopes.join(' '))},`,
    '})',
    "const headers = { authorization: 'Bearer ' + tokens.access_token }",
  )

export const openidClient: Snippet = {
  id: 'openid-client',
  title: 'openid-client · Node.js',
  kinds: ['web', 'native', 'machine'],
  blocks: (app) => [
    {
      file: 'npm install openid-client',
      text: app.kind === 'machine' ? machine(app) : signIn(app),
    },
  ],
  notes: keyNote,
}
