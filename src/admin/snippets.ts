/** Code an app's developers copy: for each library they may use, filled with this app and never with its secret. */

import type { SiteFile } from '#config/schema.ts'
import { staticScopes } from './clients/registration.ts'
import type { Settings } from './clients/schema.ts'
import { aspnet } from './snippets/aspnet.ts'
import { authlib } from './snippets/authlib.ts'
import { curl } from './snippets/curl.ts'
import { laravel } from './snippets/laravel.ts'
import { modAuthOpenidc } from './snippets/mod-auth-openidc.ts'
import { oidcClientTs } from './snippets/oidc-client-ts.ts'
import { openidClient } from './snippets/openid-client.ts'
import type { Block, Snippet, SnippetApp } from './snippets/snippet.ts'
import { spring } from './snippets/spring.ts'

const snippets: readonly Snippet[] = [
  curl,
  oidcClientTs,
  openidClient,
  authlib,
  modAuthOpenidc,
  spring,
  laravel,
  aspnet,
]

export type FilledSnippet = { id: string; title: string; blocks: Block[]; notes: string[] }

/** Those that fit its kind. */
export const snippetsFor = (app: SnippetApp): FilledSnippet[] =>
  snippets
    .filter(({ kinds }) => kinds.includes(app.kind))
    .map(({ id, title, blocks, notes }) => ({
      id,
      title,
      blocks: blocks(app),
      notes: notes?.(app) ?? [],
    }))

/** What a page shows of an app is enough for it. */
export function snippetAppOf(
  issuer: string,
  resources: SiteFile['resources'],
  { id, settings }: { id: string; settings: Settings },
): SnippetApp {
  const { kind, redirectUris, postLogoutRedirectUris, authMethod, idTokenAlg } = settings
  const { scopes = ['openid', 'profile', 'email'] } = settings
  const resource = resources.find((one) =>
    one.scopes.some(({ scope }) => settings.scopes?.includes(scope) ?? true),
  )
  const scope = resource?.scopes.find((one) => settings.scopes?.includes(one.scope) ?? true)?.scope
  return {
    issuer,
    clientId: id,
    kind,
    redirectUri: redirectUris[0],
    postLogoutRedirectUri: postLogoutRedirectUris[0],
    scopes: scopes.filter((one) => staticScopes.includes(one)),
    authMethod,
    idTokenAlg,
    ...(resource && scope ? { resource: { id: resource.id, scope } } : {}),
  }
}
