/** What an app may not any more: it ends what it was issued while it might, and what nobody was asked for. */
import type { Client, Provider } from 'oidc-provider'
import type { ClientRow, Tables } from '#store/store.ts'
import { hears, putFarewells } from './backchannel.ts'
import { keptScopes } from './clients.ts'

const offline = 'offline_access'

/** Begins the id of a grant that one of our own apps was given without asking. */
export const unasked = 'unasked.'

/**
 * A grant given without asking is there only while the app is one of our own, and with it all that stands on it. What
 * another process issues in the second before it hears of a change cannot be among what `endWithdrawn` ended.
 */
export function forgetUnasked(provider: Provider): void {
  const { Grant } = provider
  const find = Grant.find.bind(Grant) as Find
  const findCounting: Find = async (id, options) => {
    const grant = await find(id, options)
    if (!grant?.clientId || !id.startsWith(unasked)) return grant
    const client = await provider.Client.find(grant.clientId)
    return client?.first_party ? grant : undefined
  }
  Object.assign(Grant, { find: findCounting })
}

type Find = (id: string, options?: object) => Promise<InstanceType<Provider['Grant']> | undefined>

/** Whether the app may have such a refresh token, as it is registered now: also one of that second. */
export const mayRefresh = (client: Client, { scopes }: { scopes: ReadonlySet<string> }): boolean =>
  client.grantTypeAllowed('refresh_token') &&
  (!scopes.has(offline) || keptScopes(client, [offline]).length > 0)

type Metadata = ClientRow['metadata']

const refreshes = ({ grant_types: types }: Metadata): boolean =>
  Array.isArray(types) && types.includes('refresh_token')
const stays = ({ scope }: Metadata): boolean =>
  typeof scope !== 'string' || scope.split(' ').includes(offline)

/** Call it in the transaction that changes the registration. */
export async function endWithdrawn(
  tables: Pick<Tables, 'payloads' | 'outbox'>,
  before: ClientRow,
  { id, metadata }: ClientRow,
  at: number,
): Promise<void> {
  const { metadata: was } = before
  if (was.first_party === true && metadata.first_party !== true) {
    if (hears(before)) {
      const people = await tables.payloads.grantedBy(id, Number.MAX_SAFE_INTEGER)
      await putFarewells(tables, { clientId: id }, people, at)
    }
    await tables.payloads.destroyGrantsOfClient(id)
  }
  // Also when it is given back: what was issued in that second must not come to life.
  if (refreshes(was) !== refreshes(metadata)) await tables.payloads.destroyRefreshTokens(id)
  else if (stays(was) !== stays(metadata)) await tables.payloads.destroyRefreshTokens(id, offline)
}
