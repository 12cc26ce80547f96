#!/usr/bin/env node
/** The command line. Exit codes: sysexits.h, listed in `--help`. */
import { enableCompileCache } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { ConfigError } from '#errors.ts'

// Before anything large is imported: stripped and compiled code is kept, which makes the second start fast.
enableCompileCache()

const exits = { usage: 64, rejected: 65, unknown: 66, unavailable: 69, config: 78 } as const

/** An outcome that is no bug: said in a sentence, with its exit code. */
class Stop extends Error {
  readonly exit: number
  constructor(exit: number, message: string) {
    super(message)
    this.exit = exit
  }
}

// `citygate client list | head` closes the pipe early: nothing is wrong with that.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const print = (text: string) => process.stdout.write(`${text}\n`)
const collect = (value: string, before: string[] = []) => [...before, value]

const program = new Command('citygate')
  .description('Citygate 城門: an OpenID Connect identity provider with federated login')
  .showHelpAfterError('(add --help for what is possible)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Rules come from the folder CITYGATE_CONFIG (config/educloud), data goes to DATA_DIR (data).
Exit codes: 0 done, ${exits.usage} wrong call, ${exits.rejected} input rejected, ${exits.unknown} no such thing, ${exits.unavailable} port or database not available, ${exits.config} invalid configuration, 1 anything else.`,
  )

program
  .command('serve')
  .description('run the identity provider (outside production with its sandbox)')
  .action(async () => {
    const { serve } = await import('./serve.ts')
    await serve(process.env)
  })

program
  .command('migrate')
  .description('bring the database schema up to date')
  .action(async () => {
    const { join } = await import('node:path')
    const [{ loadConfig }, { openStore }] = await Promise.all([
      import('#config/load.ts'),
      import('#store/store.ts'),
    ])
    const store = openStore(join(loadConfig(process.env).dataDir, 'citygate.sqlite3'))
    try {
      const names = await store.migrate()
      print(names.length > 0 ? names.map((name) => `ran ${name}`).join('\n') : 'nothing to do')
    } finally {
      await store.close()
    }
  })

program
  .command('config')
  .description('the deployment’s rules')
  .command('check')
  .description('read every file and the environment, and list every problem')
  .action(async () => {
    const { loadConfig } = await import('#config/load.ts')
    const { site, connectors } = loadConfig(process.env)
    const connected = connectors.filter((one) => one.credentials).length
    print(`${site.id}: ${connectors.length} connectors, ${connected} with credentials: all good`)
  })

const client = program.command('client').description('relying-party apps')

client
  .command('add')
  .description('register an app; its secret is shown this once')
  .requiredOption('--name <name>', 'what people read on the consent page')
  .addOption(
    new Option('--type <type>', 'what kind of app it is')
      .choices(['web', 'spa', 'native', 'machine'])
      .makeOptionMandatory(),
  )
  .option('--redirect-uri <uri>', 'where the answer may go; repeat for several', collect)
  .option('--post-logout-redirect-uri <uri>', 'where people may go after sign-out; repeat', collect)
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
        { ...house, resources: house.config.site.resources },
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
    else for (const row of rows) print(`${row.id}  ${row.metadata.client_name}`)
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
    if (!(await inHouse((house) => removeClient(house, id)))) throw noSuchClient(id)
    print(`removed ${id}`)
  })

client
  .command('rotate-secret')
  .description('give an app a new secret; the old one stops working at once')
  .argument('<client_id>')
  .option('--json', 'print as JSON')
  .action(async (id, { json }) => {
    const { rotateSecret } = await import('#admin/clients.ts')
    const registration = await inHouse((house) => rotateSecret(house, id))
    if (!registration) {
      throw new Stop(exits.unknown, `there is no client ${id} with a secret`)
    }
    printClient(registration, json)
  })

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
      addPerson(store, { account, name, password }, { now, passwords }),
    )
    if (added.kind === 'rejected') throw rejected(added.problems)
    const made = { sub: added.accountId, account, ...(passwordStdin ? {} : { password }) }
    if (json) print(JSON.stringify(made, null, 2))
    else for (const [key, value] of Object.entries(made)) print(`${key}: ${value}`)
  })

type Opened = Awaited<ReturnType<typeof import('./app.ts')['openApp']>>['house']

/** Runs `work` on the database of the environment, beside a server that may be running. */
async function inHouse<T>(work: (house: Opened) => Promise<T>): Promise<T> {
  const [{ loadConfig }, { openApp }, { openLog }] = await Promise.all([
    import('#config/load.ts'),
    import('./app.ts'),
    import('#lib/log.ts'),
  ])
  const app = await openApp(loadConfig(process.env), { log: openLog('silent') })
  try {
    return await work(app.house)
  } finally {
    await app.close()
  }
}

function printClient(registration: Record<string, unknown>, json: boolean | undefined) {
  if (json) return print(JSON.stringify(registration, null, 2))
  for (const [key, value] of Object.entries(registration)) {
    const list = Array.isArray(value) ? value : [value]
    if (list.length > 0) print(`${key}: ${list.join(' ')}`)
  }
}

const noSuchClient = (id: string) => new Stop(exits.unknown, `there is no client ${id}`)

const rejected = (problems: { field: string; message: string }[]) =>
  new Stop(
    exits.rejected,
    ['rejected, nothing was changed:', ...problems.map((p) => `  ${p.field}: ${p.message}`)].join(
      '\n',
    ),
  )

async function readStdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk
  return text.replace(/\r?\n$/, '')
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : exits.usage
  } else {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`citygate: ${message}\n`)
    if (error instanceof Stop) process.exitCode = error.exit
    else if (error instanceof ConfigError) process.exitCode = exits.config
    else if (/^port \d+/.test(message)) process.exitCode = exits.unavailable
    else process.exitCode = 1
  }
}
