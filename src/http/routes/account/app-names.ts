/** The names of apps by their client id. */
import type { Language } from '#config/words.ts'
import { accountPageClientId } from '#oidc/provider.ts'
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
    const client = id === accountPageClientId ? undefined : await findRegistered(provider, id)
    if (client) names.set(id, appOf(client, { language }).name)
  }
  const own = messages.translate(language, 'account.title')
  const gone = messages.translate(language, 'account.apps.gone')
  return (id) => (id === accountPageClientId ? own : (names.get(id) ?? gone))
}
