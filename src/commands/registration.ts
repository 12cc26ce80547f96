/** `citygate registration …`: tokens with which programs register themselves. */
import { type Command, Option } from 'commander'
import { clientKinds } from '#store/clients.ts'
import { initialTokenStates } from '#store/registrations.ts'
import { carryOut } from './outcome.ts'
import { collect, inHouse, print, readCount } from './tools.ts'

export function addRegistrationCommands(program: Command): void {
  const token = program
    .command('registration')
    .description('programs that register themselves as apps')
    .command('token')
    .description('what they come with (RFC 7591)')

  token
    .command('create')
    .description(
      'make a token, printed this once; an app registered with it gets no more than it says',
    )
    .requiredOption('--label <text>', 'whom it is for')
    .addOption(
      new Option('--kind <kind...>', 'what may be registered')
        .choices(clientKinds)
        .default(['web']),
    )
    .option(
      '--host <host>',
      'where its addresses may lie; .example.gov.tw: all below it; repeat',
      collect,
    )
    .option('--scope <scope>', 'a scope it may ask for; repeat', collect)
    .option('--uses <number>', 'how many apps', '1')
    .option('--days <number>', 'how long it is good', '7')
    .option('--json', 'print as JSON')
    .action(async ({ label, kind, host = [], scope = [], uses, days, json }) => {
      const { createRegistrationToken } = await import('#admin/operations/registration.ts')
      const made = await inHouse((house) =>
        carryOut(house, createRegistrationToken, {
          label,
          kinds: kind,
          hosts: host,
          scopes: scope,
          uses: readCount('--uses', uses),
          days: readCount('--days', days),
        }),
      )
      if (json) return void print(JSON.stringify(made, null, 2))
      print(made.token)
      print(`id ${made.id}, good until ${made.expiresAt}, for ${made.usesLeft} app(s)`)
    })

  token
    .command('list')
    .description('the newest first; never the tokens themselves')
    .addOption(new Option('--state <state>', 'only these').choices(initialTokenStates))
    .option('--json', 'print as JSON')
    .action(async ({ state, json }) => {
      const { listRegistrationTokens } = await import('#admin/operations/registration.ts')
      const { items } = await inHouse((house) =>
        carryOut(house, listRegistrationTokens, { limit: 200, ...(state ? { state } : {}) }),
      )
      if (json) return void print(JSON.stringify(items, null, 2))
      for (const one of items) {
        const used = `${one.used}/${one.used + one.usesLeft}`
        print(`${one.id}  ${one.state}  ${used}  until ${one.expiresAt}  ${one.label}`)
      }
    })

  token
    .command('revoke')
    .description('nobody registers with it any more; apps that did stay')
    .argument('<id>')
    .action(async (id) => {
      const { revokeRegistrationToken } = await import('#admin/operations/registration.ts')
      await inHouse((house) => carryOut(house, revokeRegistrationToken, { id }))
      print(`revoked ${id}`)
    })
}
