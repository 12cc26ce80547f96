/** The code the console gives to copy, run as it stands there: nothing but the secret is put in its place. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import * as client from 'openid-client'
import { parse } from 'yaml'
import { resourceScopesOf } from '#admin/clients/judge.ts'
import { toSettings } from '#admin/clients/registration.ts'
import type { NewClient } from '#admin/clients.ts'
import { snippetAppOf, snippetsFor } from '#admin/snippets.ts'
import { openBrowser } from '../helpers/browser.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { ensurePackages, peerPackages } from '../helpers/debian.ts'
import { freePort } from '../helpers/free-port.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import type { World } from '../helpers/world.ts'
import { closeBrowser, fillIn, openPage } from './sites.ts'

const run = promisify(execFile)

let world: World
test.before(async (t) => {
  t.timeout(300_000)
  await ensurePackages([...peerPackages.authlib, ...peerPackages.mod_auth_openidc])
  world = await openSharedWorld()
})
test.after.always(closeBrowser)

/** Registers an app and gives the texts of one snippet of its own page. */
async function snippetOf(id: string, registration: Partial<NewClient>) {
  const rp = await world.buildApp({ scopes: ['openid', 'profile', 'email'], ...registration })
  const { issuer, site } = world.house.config
  const row = await world.house.store.clients.find(rp.clientId)
  if (!row) throw new Error('no such client')
  const settings = toSettings(row, resourceScopesOf(site.resources))
  const app = snippetAppOf(issuer, site.resources, { id: row.id, settings })
  const snippet = snippetsFor(app).find((one) => one.id === id)
  const texts = (snippet?.blocks ?? []).map(({ text }) => {
    if (rp.clientSecret && text.includes(rp.clientSecret)) throw new Error('tells the secret')
    return text.replaceAll('<your secret>', rp.clientSecret ?? '')
  })
  return { rp, texts }
}

let people = 0
async function signIn(begin: string) {
  const person = await world.buildPerson({ account: `snippet${++people}@mail.edu.tw` })
  const browser = openBrowser()
  const page = await browser.open(begin)
  return { person, browser, back: await browser.submit(page, 'local-form', person) }
}

/** Starts a program that answers on a port; it ends with the test. */
async function start(t: ExecutionContext, port: number, command: string[], env = {}) {
  const [file = '', ...args] = command
  const program = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
  let said = ''
  program.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  t.teardown(() => {
    if (!t.passed) t.log(said)
    program.kill()
  })
  for (let tries = 0; tries < 1_200; tries++) {
    const answer = fetch(`http://localhost:${port}/`, { redirect: 'manual' })
    if (await answer.catch(() => undefined)) return
    await wait(50)
  }
  throw new Error(`${file} does not answer: ${said}`)
}

for (const [what, registration] of [
  ['with its secret in the header', {}],
  ['with its secret in the body', { authMethod: 'client_secret_post' }],
  ['with ES256', { idTokenAlg: 'ES256' }],
  ['of a native app', { type: 'native', redirectUris: ['http://127.0.0.1/cb'] }],
] satisfies [string, Partial<NewClient>][])
  test(`openid-client’s code ${what} signs a person in`, async (t) => {
    const { rp, texts } = await snippetOf('openid-client', registration)
    const code = texts[0]?.replace(/^import .*$/m, '').replaceAll('export ', '') ?? ''
    const AsyncFunction = (async () => {}).constructor as new (
      ...args: string[]
    ) => (lent: typeof client) => Promise<{
      begin(): Promise<{ address: URL; checks: object }>
      finish(url: URL, checks: object): Promise<Record<string, unknown>>
    }>
    const { begin, finish } = await new AsyncFunction(
      'client',
      `${code}\nreturn { begin, finish }`,
    )(client)
    const { address, checks } = await begin()
    const { person, back, browser } = await signIn(address.href)
    // Of an installed program nobody knows whose it is: people are always asked.
    const end = back.url.href.startsWith(rp.redirectUri)
      ? back
      : await browser.submit(back, 'consent-form', { decision: 'allow' }).catch(() => back)
    t.is((await finish(end.url, checks)).sub, person.sub)
  })

test('openid-client’s code of a machine gets its token', async (t) => {
  const { texts } = await snippetOf('openid-client', { type: 'machine', scopes: undefined })
  const code = texts[0]?.replace(/^import .*$/m, '') ?? ''
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (lent: typeof client) => Promise<{ authorization: string }>
  const headers = await new AsyncFunction('client', `${code}\nreturn headers`)(client)
  t.regex(headers.authorization, /^Bearer \S+\.\S+\.\S+$/)
})

test('Authlib’s code signs a person in', async (t) => {
  const port = await freePort()
  const redirect = `http://localhost:${port}/auth/callback`
  const { texts } = await snippetOf('authlib', { redirectUris: [redirect] })
  const file = join(temporaryFolder(t), 'app.py')
  const lines = [
    texts[0],
    'app.config["SESSION_COOKIE_NAME"] = "snippet"',
    '@app.get("/")',
    'def home():',
    '    return session.get("user", {})',
    'from werkzeug.serving import make_server',
    `make_server("127.0.0.1", ${port}, app).serve_forever()`,
  ]
  writeFileSync(file, lines.join('\n'))
  await start(t, port, ['/usr/bin/python3', file])
  const { person, back } = await signIn(`http://localhost:${port}/login`)
  t.like(JSON.parse(back.html), { sub: person.sub, email: person.account })
})

test('mod_auth_openidc’s settings let a person in', async (t) => {
  const port = await freePort()
  const redirect = `http://localhost:${port}/redirect`
  const { texts } = await snippetOf('mod-auth-openidc', { redirectUris: [redirect] })
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'htdocs'))
  writeFileSync(join(folder, 'htdocs', 'page.html'), 'let in')
  // Started by root, it answers as www-data, who must be able to read the page.
  chmodSync(folder, 0o755)
  const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_openidc']
  const conf = [
    ...modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    `ServerRoot "${folder}"`,
    `DefaultRuntimeDir "${folder}"`,
    `PidFile "${folder}/pid"`,
    `ErrorLog "${folder}/error.log"`,
    `Mutex "file:${folder}"`,
    'ServerName localhost',
    `Listen 127.0.0.1:${port}`,
    `DocumentRoot "${folder}/htdocs"`,
    texts[0],
  ]
  writeFileSync(join(folder, 'apache.conf'), `${conf.join('\n')}\n`)
  const apache = ['/usr/sbin/apache2', '-d', folder, '-f', join(folder, 'apache.conf')]
  await start(t, port, [...apache, '-DFOREGROUND'])
  // What fetch sends looks like a script's call to it, which it does not send to sign in.
  const page = await openPage(t)
  await page.goto(`http://localhost:${port}/page.html`)
  await fillIn(page, await world.buildPerson({ account: 'apache@mail.edu.tw' }))
  await page.waitForURL(`http://localhost:${port}/page.html`)
  t.is(await page.textContent('body'), 'let in')
})

test('the other texts are at least what they claim to be', async (t) => {
  const tricky = { redirectUris: ["https://a.example/it's"] }
  const { texts: spring } = await snippetOf('spring', tricky)
  const { registration } = parse(spring[0] ?? '').spring.security.oauth2.client
  t.is(registration.citygate['redirect-uri'], "https://a.example/it's")
  const { texts: laravel } = await snippetOf('laravel', tricky)
  const php = spawnSync('php', ['-l'], { input: laravel[0], encoding: 'utf8' })
  t.is(php.status ?? 0, 0, php.stdout)
  const { texts: curl, rp } = await snippetOf('curl', { type: 'machine', scopes: undefined })
  // Asked without waiting: it is this very process that answers.
  const script = (curl[0] ?? '').replace('curl ', 'curl -s ')
  const said = await run('sh', ['-c', script]).catch(() => undefined)
  if (said) t.truthy(JSON.parse(said.stdout).access_token, rp.clientId)
})
