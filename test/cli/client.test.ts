import test from 'ava'
import { runCli } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { preparedFolder } from '../helpers/world.ts'

/** Runs the command as an operator would, on a database of its own. */
const openCli =
  (dataDir: string) =>
  (args: string[], { input, env }: Parameters<typeof runCli>[1] = {}) =>
    runCli(args, { input, env: { DATA_DIR: dataDir, ...env } })

const web = [
  'client',
  'add',
  '--name',
  '課程平台',
  '--type',
  'web',
  '--redirect-uri',
  'https://a.example/cb',
]

test('an app is added, shown, listed, given a new secret and removed', async (t) => {
  const cli = openCli(await preparedFolder(t))
  const client_name = '課程\u202e平台'
  const added = cli([...web, '--name', client_name, '--json'])
  t.is(added.exit, 0, added.err)
  const registration = JSON.parse(added.out)
  t.like(registration, {
    client_name,
    redirect_uris: ['https://a.example/cb'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  t.is(registration.client_secret.length, 43)

  const shown = cli(['client', 'show', registration.client_id])
  t.is(shown.exit, 0)
  t.false(shown.out.includes(registration.client_secret))
  t.is(cli(['client', 'list']).out, `${registration.client_id}  課程 平台\n`)

  const rotated = JSON.parse(cli(['client', 'rotate-secret', registration.client_id, '--json']).out)
  t.not(rotated.client_secret, registration.client_secret)

  t.is(cli(['client', 'remove', registration.client_id]).exit, 0)
  t.is(cli(['client', 'show', registration.client_id]).exit, 66)
  t.is(cli(['client', 'remove', registration.client_id]).exit, 66)
})

test('a registration with mistakes names each one and changes nothing', async (t) => {
  const cli = openCli(await preparedFolder(t))
  const bad = cli([
    ...web,
    '--redirect-uri',
    'http://b.example/cb',
    '--redirect-uri',
    'https://*.c.example/',
  ])
  t.is(bad.exit, 65)
  t.regex(bad.err, /redirectUris\.1: must be https/)
  t.regex(bad.err, /redirectUris\.2: must not have a wildcard/)
  t.is(bad.out, '')
  t.is(cli(['client', 'list']).out, '')
})

test('wrong calls say how it is meant and exit 64; --help exits 0', async (t) => {
  const cli = openCli(await preparedFolder(t))
  for (const args of [
    ['clients'],
    ['client', 'add'],
    ['client', 'add', '--type', 'toaster'],
    ['serve', '--port', '1'],
  ]) {
    const ran = cli(args)
    t.is(ran.exit, 64, args.join(' '))
    t.true(ran.err.length > 0)
  }
  for (const args of [
    ['--help'],
    ['client', '--help'],
    ['client', 'add', '--help'],
    ['serve', '--help'],
  ]) {
    const ran = cli(args)
    t.is(ran.exit, 0, args.join(' '))
    t.true(ran.out.includes('Usage: citygate'))
  }
})

test('a broken configuration lists its problems on standard error and exits 78', async (t) => {
  const cli = openCli(await preparedFolder(t))
  for (const command of [['serve'], ['config', 'check'], ['migrate'], ['client', 'list']]) {
    const ran = cli(command, { env: { PORT: 'abc', CITYGATE_CONFIG: 'nowhere' } })
    t.is(ran.exit, 78, command.join(' '))
    t.regex(ran.err, /environment\s+PORT/)
    t.is(ran.out, '')
  }
  const production = cli(['serve'], { env: { NODE_ENV: 'production', SANDBOX: 'on' } })
  t.is(production.exit, 78)
  t.regex(production.err, /SANDBOX: the sandbox has public passwords/)
})

test('the shipped configuration passes its check', async (t) => {
  const ran = openCli(await preparedFolder(t))(['config', 'check'])
  t.is(ran.exit, 0, ran.err)
  t.regex(ran.out, /educloud: 24 connectors, 0 connected/)
})

test('a local account is made with a password from standard input, once', async (t) => {
  const cli = openCli(await preparedFolder(t))
  const add = [
    'user',
    'add',
    '--account',
    'wang@mail.edu.tw',
    '--name',
    '王小明',
    '--password-stdin',
  ]
  const made = cli([...add, '--json'], { input: 'a long enough password\n' })
  t.is(made.exit, 0, made.err)
  t.false(made.out.includes('password'))
  t.regex(JSON.parse(made.out).sub, /^[0-9a-f-]{36}$/)
  const again = cli(add, { input: 'a long enough password\n' })
  t.is(again.exit, 65)
  t.regex(again.err, /account: is taken/)
  t.is(cli(add, { input: 'short\n' }).exit, 65)
})

test('migrate can be run twice', (t) => {
  const cli = openCli(temporaryFolder(t))
  t.regex(cli(['migrate']).out, /ran 20261121000000_create_tables/)
  t.is(cli(['migrate']).out, 'nothing to do\n')
})
