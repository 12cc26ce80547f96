/** mod_auth_openidc in an Apache of its own, from Debian's packages, configured as its README has it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import type { NewClient } from '#admin/clients.ts'
import { allowingCallsTo } from '../helpers/allowing-calls.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { ensurePackages, peerPackages } from '../helpers/debian.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/free-port.ts'
import { buildWorld, type World } from '../helpers/world.ts'
import { closeBrowser, fillIn, openPage } from './sites.ts'

test.before('Debian has Apache and mod_auth_openidc', async (t) => {
  t.timeout(300_000)
  await ensurePackages(peerPackages.mod_auth_openidc)
})

test.after.always(closeBrowser)

const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'include', 'auth_openidc']

/** Starts an Apache whose `/protected` shows every variable a page there gets. */
async function startApache(t: ExecutionContext, port: number, openidc: string[]): Promise<void> {
  const folder = temporaryFolder(t)
  const page = join(folder, 'htdocs', 'protected', 'page')
  mkdirSync(join(page, '..'), { recursive: true })
  writeFileSync(page, '<pre><!--#printenv --></pre>')
  // Started by root, it answers as www-data, who must be able to read the page.
  chmodSync(folder, 0o755)
  const asRoot = process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []
  const file = join(folder, 'apache.conf')
  writeFileSync(
    file,
    [
      ...modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
      ...asRoot,
      `ServerRoot "${folder}"`,
      `DefaultRuntimeDir "${folder}"`,
      `PidFile "${folder}/pid"`,
      `ErrorLog "${folder}/error.log"`,
      `Mutex "file:${folder}"`,
      'ServerName localhost',
      `Listen 127.0.0.1:${port}`,
      `DocumentRoot "${folder}/htdocs"`,
      ...openidc,
      '<Location /protected>',
      '  AuthType openid-connect',
      '  Require valid-user',
      '  Options +Includes',
      '  ForceType "text/html; charset=utf-8"',
      '  SetOutputFilter INCLUDES',
      '</Location>',
      '',
    ].join('\n'),
  )
  const apache = spawn('/usr/sbin/apache2', ['-d', folder, '-f', file, '-DFOREGROUND'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
  })
  let said = ''
  apache.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  let ended = false
  const end = once(apache, 'exit').then(() => {
    ended = true
  })
  t.teardown(async () => {
    if (!t.passed) t.log(readFileSync(join(folder, 'error.log'), 'utf8').slice(-4000))
    apache.kill()
    await end
  })
  for (let tries = 0; tries < 1_200; tries++) {
    if (ended) throw new Error(`Apache did not start: ${said}`)
    try {
      return void (await fetch(`http://localhost:${port}/`))
    } catch {
      await wait(25)
    }
  }
  throw new Error('Apache does not answer')
}

/** A site behind the module, which knows issuer, id and secret. */
async function openSite(
  t: ExecutionContext,
  world: World,
  { port = 0, more = [] as string[], client = {} as Partial<NewClient> },
) {
  const origin = `http://localhost:${port}`
  const callback = `${origin}/protected/callback`
  const rp = await world.buildApp({
    redirectUris: [callback],
    postLogoutRedirectUris: [`${origin}/bye`],
    ...client,
  })
  await startApache(t, port, [
    `OIDCProviderMetadataURL ${world.issuer}/.well-known/openid-configuration`,
    `OIDCClientID ${rp.clientId}`,
    `OIDCClientSecret ${rp.clientSecret}`,
    `OIDCRedirectURI ${callback}`,
    'OIDCCryptoPassphrase of-this-test-only',
    'OIDCScope "openid profile email eduinfo"',
    ...more,
  ])
  return { page: `${origin}/protected/page`, callback, bye: `${origin}/bye`, rp }
}

/** What `printenv` wrote. */
const variables = (text: string | null): Record<string, string> =>
  Object.fromEntries(
    (text ?? '').split('\n').map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1)]
    }),
  )

async function signIn(world: World, page: Page, address: string) {
  const person = await world.buildPerson()
  await page.goto(address)
  await fillIn(page, person)
  await page.waitForURL(address)
  return { person, shown: variables(await page.textContent('pre')) }
}

for (const [title, more, client] of [
  ['as it comes, without PKCE,', [], { pkce: false }],
  ['with OIDCPKCEMethod S256', ['OIDCPKCEMethod S256'], {}],
  ['with form_post', ['OIDCResponseMode form_post'], { pkce: false }],
] satisfies [string, string[], Partial<NewClient>][])
  test.serial(
    `mod_auth_openidc ${title} lets a person in and tells the page who she is`,
    async (t) => {
      const world = await buildWorld(t)
      const site = await openSite(t, world, { port: await freePort(), more, client })
      const page = await openPage(t)
      const { person, shown } = await signIn(world, page, site.page)
      t.like(shown, {
        AUTH_TYPE: 'openid-connect',
        REMOTE_USER: `${person.sub}@${world.issuer}`,
        OIDC_CLAIM_sub: person.sub,
        OIDC_CLAIM_name: person.name,
        OIDC_CLAIM_email: person.account,
        OIDC_CLAIM_email_verified: '1',
        OIDC_CLAIM_acr: 'urn:citygate:acr:password',
      })
    },
  )

test.serial(
  'mod_auth_openidc brings a teacher in through her county with her school',
  async (t) => {
    const world = await buildWorld(t, { sandbox: true })
    const site = await openSite(t, world, { port: await freePort(), client: { pkce: false } })
    const page = await openPage(t)
    await page.goto(site.page)
    await page.selectOption('#county-form [name=connector]', 'ntpc')
    await page.click('#county-form [type=submit]')
    await page.fill('#county-login [name=account]', 'ntpctest')
    await page.fill('#county-login [name=password]', 'ntpctest')
    await page.click('#county-login [type=submit]')
    await page.waitForURL(site.page)
    const shown = variables(await page.textContent('pre'))
    t.is(shown.OIDC_CLAIM_name, '林雅雯')
    t.is(JSON.parse(shown.OIDC_CLAIM_eduinfo ?? '{}').schoolid, '014598')
  },
)

test.serial('mod_auth_openidc signs a person out here and there', async (t) => {
  const world = await buildWorld(t)
  const site = await openSite(t, world, { port: await freePort(), client: { pkce: false } })
  const page = await openPage(t)
  await signIn(world, page, site.page)
  await page.goto(`${site.callback}?logout=${encodeURIComponent(site.bye)}`)
  await page.click('#sign-out-form button[value="yes"]')
  await page.waitForURL(`${site.bye}**`)
  await page.goto(site.page)
  t.is(new URL(page.url()).origin, world.issuer, 'and asks again')
  t.truthy(await page.$('#local-form'))
})

test.serial('mod_auth_openidc forgets a person who signs out somewhere else', async (t) => {
  const port = await freePort()
  const env = allowingCallsTo(t, `http://localhost:${port}`)
  const world = await buildWorld(t, { env })
  const backchannelLogoutUri = `http://localhost:${port}/protected/callback?logout=backchannel`
  const client = { pkce: false, backchannelLogoutUri }
  const site = await openSite(t, world, { port, client })
  const page = await openPage(t)
  await signIn(world, page, site.page)
  await page.goto(site.page)
  t.is(page.url(), site.page, 'its own session')
  await page.goto(`${world.issuer}/session/end`)
  await page.click('#sign-out-form button[value="yes"]')
  await page.waitForLoadState()
  const visit = async () => {
    await page.goto(site.page)
    return new URL(page.url()).origin
  }
  const origin = await eventually(visit, (origin) => origin === world.issuer)
  t.is(origin, world.issuer, 'the session at the site is gone')
})
