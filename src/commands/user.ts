/** `citygate user …`: people, looked for and looked after. */
import type { Command } from 'commander'
import { clip } from '#lib/prose.ts'
import { carryOut } from './outcome.ts'
import { exits, inHouse, print, readStdin, rejected, Stop } from './tools.ts'
import { addUserActs } from './user-acts.ts'

export function addUserCommands(program: Command): void {
  const user = program.command('user').description('people and their accounts')

  user
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
      const { addOnePerson } = await import('#admin/operations/people.ts')
      const given = passwordStdin ? { password: await readStdin() } : {}
      // The operation would make one, which nobody asked for here.
      if (given.password === '')
        throw rejected([{ field: 'password', message: 'must not be empty' }])
      const { sub, password } = await inHouse((house) =>
        carryOut(house, addOnePerson, { account, name, ...given }),
      )
      const made = { sub, account, ...(password === undefined ? {} : { password }) }
      if (json) print(JSON.stringify(made, null, 2))
      else for (const [key, value] of Object.entries(made)) print(`${key}: ${value}`)
    })

  user
    .command('find')
    .description('by the beginning of a name or account, or a whole address, sub or county login')
    .argument('[text]')
    .option('--school <code>', 'only who is at this school')
    .option('--county <id>', 'only who comes from this upstream')
    .option('--status <status>', 'pending, active, suspended or closed')
    .option('--limit <n>', 'at most so many', '50')
    .option('--cursor <cursor>', 'go on where the last answer ended')
    .option('--json', 'print as JSON')
    .action(async (q, { json, ...filters }) => {
      const { listPeople } = await import('#admin/operations/people.ts')
      const found = await inHouse(async (house) =>
        carryOut(house, listPeople, { ...(q ? { q } : {}), ...filters }),
      )
      if (json) {
        print(JSON.stringify(found, null, 2))
        return
      }
      for (const { sub, name, accounts, status, counties } of found.items) {
        const words = [
          sub,
          status.padEnd(9),
          clip(name),
          accounts.map((one) => clip(one)).join(' '),
        ]
        print([...words, counties.join(' ')].filter(Boolean).join('  '))
      }
      if (found.next) print(`more: --cursor ${found.next}`)
      else if (found.items.length === 0) throw new Stop(exits.unknown, 'nobody fits')
    })

  user
    .command('show')
    .description('one person: ways in, schools, sessions, apps; personal numbers stay masked')
    .argument('<sub>')
    .option('--json', 'print as JSON')
    .action(async (sub, { json }) => {
      const { getPerson } = await import('#admin/operations/people.ts')
      const person = await inHouse((house) => carryOut(house, getPerson, { sub }))
      if (json) {
        print(JSON.stringify(person, null, 2))
        return
      }
      const lines: [string, string[]][] = [
        ['sub', [person.sub]],
        ['status', [person.status + (person.staff ? ', staff' : '')]],
        ['profile', person.profile.map(({ claim, value, by }) => `${claim} ${value} (${by})`)],
        ['account', person.identifiers.map(({ type, value }) => `${type} ${value}`)],
        [
          'identity',
          person.identities.map(
            ({ id, county, subject, readAt }) => `${county} ${subject}, read ${readAt}, ${id}`,
          ),
        ],
        [
          'school',
          person.affiliations.map(({ school, role, county }) => `${school} ${role} (${county})`),
        ],
        ['second factor', person.secondFactors.map(({ type, label }) => `${type} ${label}`)],
        ['session', person.sessions.map(({ id, signedInAt }) => `since ${signedInAt}, ${id}`)],
        ['app', person.apps.map(({ client }) => client)],
        [
          'merge',
          person.merges.map(
            ({ id, role, undoneAt }) => `${id} ${role}${undoneAt ? ', undone' : ''}`,
          ),
        ],
      ]
      for (const [key, values] of lines) {
        for (const value of values) print(`${key}: ${clip(value, 300)}`)
      }
    })

  addUserActs(user)
}
