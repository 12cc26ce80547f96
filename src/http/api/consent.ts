/** Our own API among the resources a consent page speaks of. */
import type { Client } from 'oidc-provider'
import type { SiteFile } from '#config/schema.ts'
import { languages, type Words } from '#config/words.ts'
import type { Messages } from '#lib/messages.ts'
import { apiResource } from '#oidc/api-resource.ts'

export type ShownResource = Pick<SiteFile['resources'][number], 'id' | 'label' | 'scopes'>

/** Its scopes are those the client may ask for: others are not granted, whatever it asks. */
export function apiAsResource(
  issuer: string,
  messages: Messages,
  client: Pick<Client, 'api_scopes'> | undefined,
): ShownResource {
  const words = (key: string) =>
    Object.fromEntries(languages.map((lang) => [lang, messages.template(lang, key)])) as Words
  const offered = (client?.api_scopes ?? []).filter((scope) => messages.has(scopeWords(scope)))
  return {
    id: apiResource(issuer),
    label: words('api.resource'),
    scopes: offered.map((scope) => ({ scope, label: words(scopeWords(scope)) })),
  }
}

/** Message key of a scope of the API. */
export const scopeWords = (scope: string): string => `api.scope.${scope.replace(/^admin:/, '')}`
