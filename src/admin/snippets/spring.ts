/** Spring Security 6 in a Spring Boot app. */
import {
  keyNote,
  lines,
  pathOf,
  quoted,
  type Snippet,
  type SnippetApp,
  secretPlaceholder,
} from './snippet.ts'

const settings = ({ issuer, clientId, redirectUri = '', scopes, authMethod }: SnippetApp) =>
  lines(
    'spring:',
    '  security:',
    '    oauth2:',
    '      client:',
    '        registration:',
    '          citygate:',
    `            client-id: ${quoted(clientId)}`,
    authMethod.startsWith('client_secret') &&
      `            client-secret: ${quoted(secretPlaceholder)}`,
    `            client-authentication-method: ${authMethod}`,
    '            authorization-grant-type: authorization_code',
    `            redirect-uri: ${quoted(redirectUri)}`,
    `            scope: ${scopes.join(', ')}`,
    '        provider:',
    '          citygate:',
    `            issuer-uri: ${quoted(issuer)}`,
  )

/** Where Spring listens by itself. */
const usual = /^\/login\/oauth2\/code\/[^/]+$/

function security({ redirectUri = '', idTokenAlg }: SnippetApp): string {
  const path = pathOf(redirectUri, '/')
  return lines(
    '@Configuration',
    '@EnableWebSecurity',
    'class SecurityConfig {',
    '  @Bean',
    '  SecurityFilterChain web(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {',
    '    var requests = new DefaultOAuth2AuthorizationRequestResolver(clients, "/oauth2/authorization");',
    '    requests.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());',
    '    return http',
    '        .authorizeHttpRequests(all -> all.anyRequest().authenticated())',
    '        .oauth2Login(login -> login',
    !usual.test(path) && `            .redirectionEndpoint(end -> end.baseUri(${quoted(path)}))`,
    '            .authorizationEndpoint(end -> end.authorizationRequestResolver(requests)))',
    '        .build();',
    '  }',
    ...(idTokenAlg === 'RS256'
      ? []
      : [
          '',
          '  @Bean',
          '  JwtDecoderFactory<ClientRegistration> idTokens() {',
          '    var factory = new OidcIdTokenDecoderFactory();',
          `    factory.setJwsAlgorithmResolver(client -> SignatureAlgorithm.${idTokenAlg});`,
          '    return factory;',
          '  }',
        ]),
    '}',
  )
}

export const spring: Snippet = {
  id: 'spring',
  title: 'Spring Security · Spring Boot',
  kinds: ['web'],
  blocks: (app) => [
    { file: 'application.yaml', text: settings(app) },
    { file: 'SecurityConfig.java', text: security(app) },
  ],
  notes: keyNote,
}
