/** The names of apps by their client id. */
import type { Language } from '#config/words.ts'
import { accountPageClientId, consoleClientId, ownClientIds } from '#oidc/provider.ts'
import { findRegistered } from '#oidc/remembered-clients.ts'
import { appOf } from '../../app-of.ts'
import type { House } from '../../house.ts'

export async function namesOfApps(
  { provider, messages }: Pick<House, 'provider' | 'messages'>,
  language: Language,
  clientIds: string[],
): Promise<(clientId: string) => string> {
  const names = new Map<string, string>()
  for (const id of new Set(clientIds)) {
    const client = ownClientIds.has(id) ? undefined : await findRegistered(provider, id)
    if (client) names.set(id, appOf(client, { language }).name)
  }
  names.set(accountPageClientId, messages.translate(language, 'account.title'))
  names.set(consoleClientId, messages.translate(language, 'admin.home.title'))
  const gone = messages.translate(language, 'account.apps.gone')
  return (id) => names.get(id) ?? gone
}
