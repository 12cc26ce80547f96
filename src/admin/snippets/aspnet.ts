/** Microsoft.AspNetCore.Authentication.OpenIdConnect, .NET 8 or later. */
import {
  isPlain,
  keyNote,
  lines,
  pathOf,
  quoted,
  type Snippet,
  type SnippetApp,
  secretPlaceholder,
} from './snippet.ts'

const text = (app: SnippetApp) =>
  lines(
    'using Microsoft.AspNetCore.Authentication.Cookies;',
    'using Microsoft.AspNetCore.Authentication.OpenIdConnect;',
    'using Microsoft.IdentityModel.Protocols.OpenIdConnect;',
    '',
    'builder.Services',
    '    .AddAuthentication(options =>',
    '    {',
    '        options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;',
    '        options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;',
    '    })',
    '    .AddCookie()',
    '    .AddOpenIdConnect(options =>',
    '    {',
    `        options.Authority = ${quoted(app.issuer)};`,
    isPlain(app) &&
      '        options.RequireHttpsMetadata = false; // a development server without TLS',
    `        options.ClientId = ${quoted(app.clientId)};`,
    app.authMethod !== 'none' && `        options.ClientSecret = ${quoted(secretPlaceholder)};`,
    '        options.ResponseType = OpenIdConnectResponseType.Code;',
    '        options.UsePkce = true;',
    `        options.CallbackPath = ${quoted(pathOf(app.redirectUri, '/signin-oidc'))};`,
    app.postLogoutRedirectUri &&
      `        options.SignedOutCallbackPath = ${quoted(pathOf(app.postLogoutRedirectUri, '/signout-callback-oidc'))};`,
    '        options.Scope.Clear();',
    ...app.scopes.map((scope) => `        options.Scope.Add(${quoted(scope)});`),
    '        options.GetClaimsFromUserInfoEndpoint = true;',
    '        options.MapInboundClaims = false;',
    '        options.TokenValidationParameters.NameClaimType = "name";',
    '        options.SaveTokens = true;',
    '    });',
  )

export const aspnet: Snippet = {
  id: 'aspnet',
  title: 'ASP.NET Core',
  kinds: ['web'],
  blocks: (app) => [{ file: 'Program.cs', text: text(app) }],
  notes: keyNote,
}
