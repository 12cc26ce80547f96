/** `citygate client …`: relying-party apps. */
import { type Command, Option } from 'commander'
import { clip } from '#lib/prose.ts'
import { clientKinds } from '#store/clients.ts'
import { addClientFileCommands } from './client-files.ts'
import { addClientLifeCommands } from './client-life.ts'
import { collect, exits, inHouse, operator, print, rejected, Stop } from './tools.ts'

export function addClientCommands(program: Command): void {
  const client = program.command('client').description('relying-party apps')

  client
    .command('add')
    .description('register an app; its secret is shown this once')
    .requiredOption('--name <name>', 'what people read on the consent page')
    .addOption(
      new Option('--type <type>', 'what kind of app it is')
        .choices(clientKinds)
        .makeOptionMandatory(),
    )
    .option('--redirect-uri <uri>', 'where the answer may go; repeat for several', collect)
    .option(
      '--post-logout-redirect-uri <uri>',
      'where people may go after sign-out; repeat',
      collect,
    )
    .option('--backchannel-logout-uri <uri>', 'told when a session ends')
    .option('--client-uri <uri>', 'the app’s home page')
    .option('--scope <scope>', 'a scope it may ask for; repeat (default: all)', collect)
    .addOption(
      new Option('--auth-method <method>', 'how it proves itself at the token endpoint').choices([
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ]),
    )
    .option('--jwks-uri <uri>', 'its public keys, for private_key_jwt')
    .addOption(
      new Option('--id-token-alg <alg>', 'signature of ID tokens').choices(['RS256', 'ES256']),
    )
    .option('--no-pkce', 'let this old confidential app leave PKCE out')
    .option('--pairwise', 'give it subjects no other app knows')
    .option('--sector-identifier-uri <uri>', 'for pairwise apps with several hosts')
    .option('--first-party', 'one of our own: no consent page')
    .option(
      '--id-token-claims',
      'profile claims in the ID token too, for apps that never ask userinfo',
    )
    .option('--device', 'may use the device flow')
    .option('--dpop', 'its access tokens must be bound to a key (RFC 9449)')
    .option('--resource-server <resource>', 'may introspect tokens made for this API')
    .option('--json', 'print the registration as JSON and nothing else')
    .action(async ({ json, redirectUri, postLogoutRedirectUri, scope, ...rest }) => {
      const { addClient } = await import('#admin/clients.ts')
      const added = await inHouse((house) =>
        addClient(
          { ...house, resources: house.config.site.resources, actor: operator() },
          {
            ...rest,
            redirectUris: redirectUri,
            postLogoutRedirectUris: postLogoutRedirectUri,
            scopes: scope,
          },
        ),
      )
      if (added.kind === 'rejected') throw rejected(added.problems)
      printClient(added.registration, json)
    })

  client
    .command('list')
    .description('every registered app')
    .option('--json', 'print as JSON')
    .action(async ({ json }) => {
      const { describe } = await import('#admin/clients.ts')
      const rows = await inHouse(({ store }) => store.clients.list())
      if (json) print(JSON.stringify(rows.map(describe), null, 2))
      else for (const row of rows) print(`${row.id}  ${clip(row.name)}`)
    })

  client
    .command('show')
    .description('one app’s registration, without its secret')
    .argument('<client_id>')
    .option('--json', 'print as JSON')
    .action(async (id, { json }) => {
      const { describe } = await import('#admin/clients.ts')
      const row = await inHouse(({ store }) => store.clients.find(id))
      if (!row) throw noSuchClient(id)
      printClient(describe(row), json)
    })

  client
    .command('remove')
    .description('remove an app and end everything issued to it')
    .argument('<client_id>')
    .action(async (id) => {
      const { removeClient } = await import('#admin/clients.ts')
      const removed = await inHouse((house) => removeClient({ ...house, actor: operator() }, id))
      if (!removed) throw noSuchClient(id)
      print(`removed ${id}`)
    })

  client
    .command('rotate-secret')
    .description('give an app a new secret; the old one stops working within a second')
    .argument('<client_id>')
    .option('--json', 'print as JSON')
    .action(async (id, { json }) => {
      const { rotateSecret } = await import('#admin/clients.ts')
      const registration = await inHouse((house) =>
        rotateSecret({ ...house, actor: operator() }, id),
      )
      if (!registration) {
        throw new Stop(exits.unknown, `there is no client ${id} with a secret`)
      }
      printClient(registration, json)
    })

  addClientLifeCommands(client)
  addClientFileCommands(client)
}

function printClient(registration: Record<string, unknown>, json: boolean | undefined) {
  if (json) return print(JSON.stringify(registration, null, 2))
  for (const [key, value] of Object.entries(registration)) {
    const list = Array.isArray(value) ? value : [value]
    if (list.length > 0) print(`${key}: ${list.join(' ')}`)
  }
}

const noSuchClient = (id: string) => new Stop(exits.unknown, `there is no client ${id}`)
