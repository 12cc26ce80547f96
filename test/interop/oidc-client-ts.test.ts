/** oidc-client-ts in a page of its own in Chromium: a public client, told nothing but issuer and id. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { UserManager } from 'oidc-client-ts'
import type { Page } from 'playwright-core'
import type { NewClient } from '#admin/clients.ts'
import { buildWorld, type World } from '../helpers/world.ts'
import { closeBrowser, fillIn, openPage, serve } from './sites.ts'

/** In the page, not here: what `evaluate` is given runs there. */
declare const manager: UserManager

const library = readFileSync(
  join(import.meta.dirname, '../../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js'),
)

test.after.always(closeBrowser)

/** A site on an origin that is not even of our own site (127.0.0.1 is not localhost): cookies of ours never reach it. */
async function openApp(
  t: ExecutionContext,
  world: World,
  { host = '127.0.0.1', ...client }: Partial<NewClient> & { host?: string } = {},
) {
  let script = ''
  const port = await serve(t, (request, response) => {
    const path = request.url?.split('?')[0]
    response.setHeader('content-type', path?.endsWith('.js') ? 'text/javascript' : 'text/html')
    if (path === '/library.js') response.end(library)
    else if (path === '/app.js') response.end(script)
    else {
      response.end(
        '<!doctype html><title>App</title><script src="/library.js"></script><script src="/app.js"></script>',
      )
    }
  })
  const origin = `http://${host}:${port}`
  const rp = await world.buildApp({
    type: 'spa',
    redirectUris: [`${origin}/callback`],
    postLogoutRedirectUris: [`${origin}/bye`],
    ...client,
  })
  const settings = {
    authority: world.issuer,
    client_id: rp.clientId,
    redirect_uri: `${origin}/callback`,
    post_logout_redirect_uri: `${origin}/bye`,
    scope: 'openid profile email eduinfo',
    loadUserInfo: true,
  }
  script = `
    globalThis.manager = new oidc.UserManager(${JSON.stringify(settings)})
    if (self !== top) manager.signinCallback()`
  return { origin, rp }
}

/** Goes to the app and from there to our sign-in page. */
async function leaveApp(page: Page, origin: string) {
  await page.goto(origin)
  await page.evaluate(() => void manager.signinRedirect())
  await page.waitForSelector('#local-form')
}

/** What a script on that page gets from another origin. */
const read = (page: Page, url: string, token: string) =>
  page.evaluate(
    async ([url, token]) => {
      try {
        const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
        return { status: response.status, body: await response.json() }
      } catch (error) {
        return { status: 0, body: String(error) }
      }
    },
    [url, token] as const,
  )

test.serial('oidc-client-ts signs a person in, renews and signs her out', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const { origin } = await openApp(t, world)
  const page = await openPage(t)
  const refused: string[] = []
  page.on('console', (line) => line.type() === 'error' && refused.push(line.text()))
  await leaveApp(page, origin)
  await fillIn(page, person)
  await page.waitForURL(`${origin}/callback**`)

  const user = await page.evaluate(() => manager.signinCallback())
  t.like(user?.profile, { sub: person.sub, name: person.name, email: person.account })
  const { status, body } = await read(page, `${world.issuer}/eduinfo/v1`, user?.access_token ?? '')
  t.is(status, 200, String(body))
  t.is(body.sub, person.sub)

  const renewed = await page.evaluate(() => manager.signinSilent())
  t.not(renewed?.access_token, user?.access_token)
  t.is(renewed?.profile.sub, person.sub)
  t.deepEqual(refused, [])

  await page.evaluate(() => void manager.signoutRedirect())
  await page.click('#sign-out-yes')
  await page.waitForURL(`${origin}/bye**`)
  await page.evaluate(() => manager.signoutCallback())
  t.is((await read(page, `${world.issuer}/me`, renewed?.access_token ?? '')).status, 401)
  await leaveApp(page, origin)
})

test.serial('oidc-client-ts signs a person in in a window of its own', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const { origin } = await openApp(t, world)
  const page = await openPage(t)
  await page.goto(origin)
  const opened = page.waitForEvent('popup')
  const signedIn = page.evaluate(() => manager.signinPopup())
  const popup = await opened
  await popup.waitForSelector('#local-form')
  await fillIn(popup, person)
  await popup.waitForURL(`${origin}/callback**`)
  await popup.evaluate(() => manager.signinCallback())
  t.is((await signedIn).profile.sub, person.sub)
})

test.serial('oidc-client-ts asks in a hidden frame whether she is still signed in', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  // A frame gets our cookies only within one site.
  const { origin } = await openApp(t, world, { host: 'localhost' })
  const page = await openPage(t)
  await leaveApp(page, origin)
  await fillIn(page, person)
  await page.waitForURL(`${origin}/callback**`)
  await page.evaluate(() => manager.signinCallback())
  await page.evaluate(() => manager.removeUser())
  const user = await page.evaluate(() => manager.signinSilent())
  t.is(user?.profile.sub, person.sub)

  await page.context().clearCookies()
  await page.evaluate(() => manager.removeUser())
  const refused = page.evaluate(() => manager.signinSilent())
  await t.throwsAsync(refused, { message: /login_required|End-User authentication is required/ })
})

test.serial(
  'a page on an origin the app did not register reads no token and no person',
  async (t) => {
    const world = await buildWorld(t)
    const person = await world.buildPerson()
    const { origin } = await openApp(t, world)
    const page = await openPage(t)
    await leaveApp(page, origin)
    await fillIn(page, person)
    await page.waitForURL(`${origin}/callback**`)
    const token = (await page.evaluate(() => manager.signinCallback()))?.access_token ?? ''
    t.is((await read(page, `${world.issuer}/me`, token)).status, 200)

    const port = await serve(t, (_, response) =>
      response.end('<!doctype html><title>Other</title>'),
    )
    const other = await openPage(t)
    await other.goto(`http://127.0.0.1:${port}/`)
    for (const path of ['/me', '/eduinfo/v1']) {
      t.is((await read(other, `${world.issuer}${path}`, token)).status, 0, path)
    }
    for (const path of ['/.well-known/openid-configuration', '/jwks']) {
      t.is((await read(other, `${world.issuer}${path}`, '')).status, 200, path)
    }
  },
)

test.serial('a page learns from /eduinfo/v1 that its token has expired', async (t) => {
  const world = await buildWorld(t)
  const { origin } = await openApp(t, world)
  const page = await openPage(t)
  await page.goto(origin)
  t.is((await read(page, `${world.issuer}/me`, 'expired')).status, 401)
  t.is((await read(page, `${world.issuer}/eduinfo/v1`, 'expired')).status, 401)
})

test.serial('oidc-client-ts gives its tokens back', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const { origin } = await openApp(t, world)
  const page = await openPage(t)
  await leaveApp(page, origin)
  await fillIn(page, person)
  await page.waitForURL(`${origin}/callback**`)
  const user = await page.evaluate(() => manager.signinCallback())
  await page.evaluate(() => manager.revokeTokens())
  t.is((await read(page, `${world.issuer}/me`, user?.access_token ?? '')).status, 401)
})
