/** Authlib behind Flask, from Debian's packages, in a process of its own. The app is authlib-app.py. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { NewClient } from '#admin/clients.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { ensurePackages, peerPackages } from '../helpers/debian.ts'
import { freePort } from '../helpers/free-port.ts'
import { buildWorld, type World } from '../helpers/world.ts'

test.before('Debian has Authlib', async (t) => {
  t.timeout(300_000)
  await ensurePackages(peerPackages.authlib)
})

/** Registers the app, starts it and gives its origin. */
async function startApp(
  t: ExecutionContext,
  world: World,
  registration: Partial<NewClient> = {},
  clientKwargs: Record<string, unknown> = {},
): Promise<string> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const rp = await world.buildApp({ redirectUris: [`${origin}/callback`], ...registration })
  let said = ''
  // Debian's interpreter, not one of a version manager that stands before it in PATH.
  const app = spawn('/usr/bin/python3', [join(import.meta.dirname, 'authlib-app.py')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PORT: String(port),
      ISSUER: world.issuer,
      CLIENT_ID: rp.clientId,
      CLIENT_SECRET: rp.clientSecret,
      CLIENT_KWARGS: JSON.stringify(clientKwargs),
    },
  })
  t.teardown(() => {
    if (!t.passed) t.log(said)
    app.kill()
  })
  app.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(app, 'exit').then(() => {
    throw new Error(`the Authlib app ended: ${said}`)
  })
  ended.catch(() => undefined)
  await Promise.race([once(app.stdout, 'data'), ended])
  return origin
}

const answer = (page: Page) => JSON.parse(page.html)

for (const [title, registration, clientKwargs] of [
  ['with its defaults', { pkce: false }, {}],
  ['with PKCE', {}, { code_challenge_method: 'S256' }],
  [
    'with its secret in the body',
    { pkce: false, authMethod: 'client_secret_post' },
    { token_endpoint_auth_method: 'client_secret_post' },
  ],
  ['with an ES256 ID token', { pkce: false, idTokenAlg: 'ES256' }, {}],
] satisfies [string, Partial<NewClient>, Record<string, unknown>][])
  test(`Authlib ${title} signs a person in, reads userinfo and renews by itself`, async (t) => {
    const world = await buildWorld(t)
    const app = await startApp(t, world, registration, clientKwargs)
    const { account, password, name, sub } = await world.buildPerson()
    const browser = openBrowser()
    const page = await browser.open(`${app}/login`)
    const back = await browser.submit(page, 'local-form', { account, password })
    t.is(back.status, 200, back.html)
    const { claims, info } = answer(back)
    t.like(claims, { sub, iss: world.issuer })
    t.like(info, { sub, name, email: account })
    const later = await browser.open(`${app}/later`)
    t.is(later.status, 200, later.html)
    t.like(answer(later), { renewed: true, info: { sub } })
  })

test('Authlib brings a teacher in through her county with her school', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const app = await startApp(t, world, { pkce: false })
  const browser = openBrowser()
  const page = await browser.open(`${app}/login`)
  const county = await browser.submit(page, 'county-form', { connector: 'ntpc' })
  const fields = { account: 'ntpctest', password: 'ntpctest' }
  const back = await browser.submit(county, 'county-login', fields)
  t.is(back.status, 200, back.html)
  t.like(answer(back).info, { name: '林雅雯', eduinfo: { schoolid: '014598' } })
})
