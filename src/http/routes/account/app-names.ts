/** The names of apps by their client id, all found in one statement. */
import type { Language } from '#config/words.ts'
import { accountPageClientId, consoleClientId, ownClientIds } from '#oidc/provider.ts'
import { nameOfApp } from '../../app-of.ts'
import type { House } from '../../house.ts'

export async function namesOfApps(
  { store, messages }: Pick<House, 'store' | 'messages'>,
  language: Language,
  clientIds: string[],
): Promise<(clientId: string) => string> {
  const names = new Map<string, string>()
  const ids = [...new Set(clientIds)].filter((id) => !ownClientIds.has(id))
  const rows = ids.length > 0 ? await store.clients.findMany(ids) : []
  for (const row of rows) names.set(row.id, nameOfApp(row, language))
  names.set(accountPageClientId, messages.translate(language, 'account.title'))
  names.set(consoleClientId, messages.translate(language, 'admin.home.title'))
  const gone = messages.translate(language, 'account.apps.gone')
  return (id) => names.get(id) ?? gone
}
