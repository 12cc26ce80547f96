/** jumbojett/openid-connect-php in a Laravel app. */
import {
  keyNote,
  lines,
  pathOf,
  type Snippet,
  type SnippetApp,
  secretPlaceholder,
} from './snippet.ts'

/** In single quotes PHP reads nothing but these two. */
const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`

const text = ({ issuer, clientId, redirectUri = '', scopes, authMethod }: SnippetApp) =>
  lines(
    '<?php',
    '// composer require jumbojett/openid-connect-php',
    'use Illuminate\\Support\\Facades\\Route;',
    'use Jumbojett\\OpenIDConnectClient;',
    '',
    'function citygate(): OpenIDConnectClient',
    '{',
    '    $oidc = new OpenIDConnectClient(',
    `        ${quoted(issuer)},`,
    `        ${quoted(clientId)},`,
    `        ${authMethod === 'none' ? 'null,' : `env('CITYGATE_SECRET'), // ${secretPlaceholder}, in .env`}`,
    '    );',
    `    $oidc->setRedirectURL(${quoted(redirectUri)});`,
    `    $oidc->addScope([${scopes.map(quoted).join(', ')}]);`,
    "    $oidc->setCodeChallengeMethod('S256');",
    `    $oidc->setTokenEndpointAuthMethodsSupported([${quoted(authMethod)}]);`,
    '    return $oidc;',
    '}',
    '',
    '// The first visit sends people on; the second one brings them back.',
    `foreach (['/login', ${quoted(pathOf(redirectUri, '/callback'))}] as $path) {`,
    '    Route::get($path, function () {',
    '        $oidc = citygate();',
    '        $oidc->authenticate();',
    "        session(['user' => $oidc->requestUserInfo()]);",
    "        return redirect('/');",
    '    });',
    '}',
  )

export const laravel: Snippet = {
  id: 'laravel',
  title: 'openid-connect-php · Laravel',
  kinds: ['web'],
  blocks: (app) => [{ file: 'routes/web.php', text: text(app) }],
  notes: (app) => [...keyNote(app), ...(app.idTokenAlg === 'RS256' ? [] : ['only-rs256'])],
}
