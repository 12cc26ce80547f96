/** `citygate api …`: what programs are told of the API. */
import type { Command } from 'commander'
import { print } from './tools.ts'

export function addApiCommands(program: Command): void {
  const api = program.command('api').description('the API for programs')

  api
    .command('openapi')
    .description('print the OpenAPI 3.1 document, to make a client from')
    .action(async () => {
      const [{ loadConfig }, { openWords }, { operations }, { streams }, { describeApi }] =
        await Promise.all([
          import('#config/load.ts'),
          import('./words.ts'),
          import('#admin/operations.ts'),
          import('#admin/streams.ts'),
          import('#http/api/openapi.ts'),
        ])
      const { issuer } = loadConfig(process.env)
      const document = describeApi({ issuer, messages: openWords(), operations, streams })
      print(JSON.stringify(document, null, 2))
    })
}
