/** `citygate user …`: people with an account kept here. */
import type { Command } from 'commander'
import { inHouse, operator, print, readStdin, rejected } from './tools.ts'

export function addUserCommands(program: Command): void {
  program
    .command('user')
    .description('people with an account kept here')
    .command('add')
    .description('make a local account that may sign in at once')
    .requiredOption('--account <account>', 'user name or e-mail address')
    .requiredOption('--name <name>', 'the person’s name')
    .option(
      '--password-stdin',
      'read the password from standard input (default: make one and show it)',
    )
    .option('--json', 'print as JSON')
    .action(async ({ account, name, passwordStdin, json }) => {
      const [{ addPerson }, { randomToken }] = await Promise.all([
        import('#admin/people.ts'),
        import('#lib/crypto.ts'),
      ])
      const password = passwordStdin ? await readStdin() : randomToken().slice(0, 20)
      const added = await inHouse(({ store, now, passwords }) =>
        addPerson(store, { account, name, password }, { now, passwords, actor: operator() }),
      )
      if (added.kind === 'rejected') throw rejected(added.problems)
      const made = { sub: added.accountId, account, ...(passwordStdin ? {} : { password }) }
      if (json) print(JSON.stringify(made, null, 2))
      else for (const [key, value] of Object.entries(made)) print(`${key}: ${value}`)
    })
}
