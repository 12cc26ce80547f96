/** What an operator put up with and is not to forget: said at every start. */
import type { ConnectorConfig } from '#config/connector.ts'
import { insecureUpstreams } from '#federation/insecure.ts'
import type { Log } from '#lib/log.ts'

export function warnOfInsecure(connectors: ConnectorConfig[], log: Pick<Log, 'warn'>): void {
  for (const { id, settings } of insecureUpstreams(connectors)) {
    log.warn(
      { connector: id, identifier: settings.identifier },
      'insecure upstream: it has no https, its answers can be forged on the way; ask the county for https, then remove insecure: true',
    )
  }
}
