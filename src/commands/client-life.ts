/** `citygate client …`: an app's settings, secrets, owners and history once it is registered. */
import type { Command } from 'commander'
import type { House } from '#http/house.ts'
import { printDifferences } from './client-files.ts'
import { carryOut } from './outcome.ts'
import { collect, inHouse, print, readCount } from './tools.ts'

const operations = () => import('#admin/operations/clients.ts')

const noClient = (id: string) => `there is no client ${id}`

/** The app as it is; Stop if there is none. */
async function getApp(house: House, id: string) {
  const { getClient } = await operations()
  return carryOut(house, getClient, { id }, noClient(id))
}

export function addClientLifeCommands(client: Command): void {
  client
    .command('edit')
    .description('change some of an app’s settings; those not named stay, a list is given whole')
    .argument('<client_id>')
    .option('--name <name>', 'what people read, in Chinese')
    .option('--name-en <name>', 'what people read, in English')
    .option('--redirect-uri <uri>', 'where the answer may go; repeat for several', collect)
    .option('--post-logout-redirect-uri <uri>', 'after sign-out; repeat', collect)
    .option('--backchannel-logout-uri <uri>', 'told when a session ends; empty: nobody is')
    .option('--client-uri <uri>', 'the app’s home page')
    .option('--policy-uri <uri>', 'its privacy policy')
    .option('--tos-uri <uri>', 'its terms of service')
    .option('--contact <address>', 'written to before its secret expires; repeat', collect)
    .option('--scope <scope>', 'a scope it may ask for; repeat', collect)
    .option('--all-scopes', 'it may ask for everything but our own API')
    .action(
      async (id, { redirectUri, postLogoutRedirectUri, contact, scope, allScopes, ...rest }) => {
        const { updateClient } = await operations()
        const { version } = await inHouse(async (house) => {
          const app = await getApp(house, id)
          return carryOut(house, updateClient, {
            id,
            version: app.version,
            ...rest,
            ...(redirectUri ? { redirectUris: redirectUri } : {}),
            ...(postLogoutRedirectUri ? { postLogoutRedirectUris: postLogoutRedirectUri } : {}),
            ...(contact ? { contacts: contact } : {}),
            ...(scope ? { scopes: scope } : {}),
            ...(allScopes ? { scopes: null } : {}),
          })
        })
        print(`changed ${id}, now version ${version}`)
      },
    )

  client
    .command('disable')
    .description('nobody signs in to it any more; its grants and tokens end. It stays registered')
    .argument('<client_id>')
    .action(async (id) => {
      const { disableClient } = await operations()
      await inHouse(async (house) => {
        const { name } = await getApp(house, id)
        await carryOut(house, disableClient, { id, name })
      })
      print(`disabled ${id}`)
    })

  client
    .command('enable')
    .description('switch it on again')
    .argument('<client_id>')
    .action(async (id) => {
      const { enableClient } = await operations()
      await inHouse((house) => carryOut(house, enableClient, { id }, noClient(id)))
      print(`enabled ${id}`)
    })

  client
    .command('versions')
    .description('who changed which settings and when, the newest first')
    .argument('<client_id>')
    .option('--json', 'print as JSON')
    .action(async (id, { json }) => {
      const { listClientVersions } = await operations()
      const { items } = await inHouse((house) =>
        carryOut(house, listClientVersions, { id, limit: 200 }, noClient(id)),
      )
      if (json) return void print(JSON.stringify(items, null, 2))
      for (const one of items) {
        print(`${one.version}  ${one.at}  ${one.changedBy}  ${one.because}`)
        printDifferences(one.changes)
      }
    })

  client
    .command('undo')
    .description('bring the settings back to what they were at a version')
    .argument('<client_id>')
    .argument('<version>')
    .action(async (id, text) => {
      const { undoClient } = await operations()
      const { version } = await inHouse(async (house) => {
        const app = await getApp(house, id)
        const wanted = readCount('version', text)
        return carryOut(house, undoClient, { id, version: wanted, current: app.version })
      })
      print(`brought ${id} back to version ${text}, now version ${version}`)
    })

  const secret = client.command('secret').description('two at a time, so that nothing stops')
  secret
    .command('add')
    .description('a new secret, printed this once; the one before stays good for a while')
    .argument('<client_id>')
    .option('--keep-days <days>', 'how long the one before is good; 0: not at all', '14')
    .option('--expires-days <days>', 'when the new one ends; left out: never')
    .option('--json', 'print as JSON')
    .action(async (id, { keepDays, expiresDays, json }) => {
      const { addClientSecret } = await operations()
      const wanted = {
        id,
        keepDays: readCount('--keep-days', keepDays, 0),
        ...(expiresDays === undefined
          ? {}
          : { expiresDays: readCount('--expires-days', expiresDays) }),
      }
      const made = await inHouse((house) => carryOut(house, addClientSecret, wanted, noClient(id)))
      if (json) return void print(JSON.stringify(made, null, 2))
      print(made.secret)
      if (made.expiresAt) print(`good until ${made.expiresAt}`)
      if (made.formerExpiresAt) print(`the one before is good until ${made.formerExpiresAt}`)
    })
  secret
    .command('drop')
    .description('end the one before the present one')
    .argument('<client_id>')
    .action(async (id) => {
      const { dropClientSecret } = await operations()
      await inHouse((house) => carryOut(house, dropClientSecret, { id }, noClient(id)))
      print(`dropped the former secret of ${id}`)
    })

  const owner = client.command('owner').description('who looks after an app')
  owner
    .command('list')
    .argument('<client_id>')
    .action(async (id) => {
      const { owners } = await inHouse((house) => getApp(house, id))
      for (const one of owners) print(`${one.accountId}  ${one.account}  since ${one.since}`)
    })
  owner
    .command('add')
    .argument('<client_id>')
    .argument('<account>', 'a name she signs in with')
    .action(async (id, account) => {
      const { addClientOwner } = await operations()
      const { accountId } = await inHouse((house) =>
        carryOut(house, addClientOwner, { id, account }, noClient(id)),
      )
      print(`${accountId} looks after ${id} now`)
    })
  owner
    .command('remove')
    .argument('<client_id>')
    .argument('<account_id>')
    .action(async (id, accountId) => {
      const { removeClientOwner } = await operations()
      await inHouse(async (house) => {
        await getApp(house, id)
        await carryOut(house, removeClientOwner, { id, accountId })
      })
      print(`${accountId} does not look after ${id} any more`)
    })
}
