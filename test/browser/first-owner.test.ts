/** The first owner: from the link the command line prints to an app somebody signs in to, in a real browser. */
import test, { type ExecutionContext } from 'ava'
import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { openTown, screens, signInAt, type Town, visit } from '../helpers/chromium-town.ts'
import { runCli } from '../helpers/cli.ts'
import { faultless } from '../helpers/faultless.ts'
import { openRelyingParty } from '../helpers/relying-party.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

/** As an operator beside the running server. */
function invite({ world }: Town, email: string): string {
  const { where } = world.house.store
  const env = {
    PORT: String(world.ports[0]),
    DATA_DIR: world.dataDir,
    ...(where.engine === 'postgres' ? { DATABASE_URL: where.url } : {}),
  }
  const ran = runCli(['admin', 'invite', '--email', email, '--role', 'owner', '--json'], { env })
  if (ran.exit !== 0) throw new Error(ran.err)
  return JSON.parse(ran.out).link
}

const callback = 'https://notes.example/callback'
const names = {
  'zh-TW': '課程筆記',
  en: 'Course notes',
}

type Language = keyof typeof names

/** What she does, page by page; `at` looks at each. */
async function registers(
  page: Page,
  lang: Language,
  account: string,
  at: (what: string) => unknown,
) {
  await at('the invitation')
  await page.fill('#f-account', account)
  await page.fill('#f-name', '陳管理')
  await page.fill('#f-password', 'correct horse battery staple')
  await page.click('#join-submit')

  await page.waitForSelector('#app-form')
  await at('the second factor')
  const spelt = (await page.textContent('#totp-secret')) ?? ''
  const secret = Secret.fromBase32(spelt.replaceAll(/\s/g, ''))
  await page.fill('#f-code', new TOTP({ secret }).generate())
  await page.click('#app-submit')

  await page.waitForSelector('#finish-form')
  await at('the recovery codes')
  await page.click('#finish-submit')

  await page.waitForURL('**/admin**')
  await page.waitForSelector('#nav-clients', { state: 'attached' })
  await at('the console')
  // On a phone the console's parts are behind one button.
  if (!(await page.isVisible('#nav-clients'))) await page.click('#console-menu')
  await page.click('#nav-clients')
  await page.waitForURL('**/admin/clients')
  await at('the list of apps')
  await page.click('a[href="/admin/clients/new"]')

  await page.waitForSelector('#kind-form')
  await at('what kind of app')
  await page.check('input[name=kind][value=web]')
  await page.click('#kind-submit')

  await page.waitForSelector('#client-form')
  await at('the form')
  await page.fill('[name=name]', names[lang])
  await page.fill('[name=redirectUris]', callback)
  await page.click('#client-submit')

  await page.waitForSelector('#client-secret')
  await at('the secret')
  const client_id = await page.innerText('#client-id')
  const client_secret = await page.innerText('#client-secret')
  await page.click('#secret-on')
  await page.waitForSelector('h1')
  await at('the app')
  return openRelyingParty(town.world.issuer, { client_id, client_secret }, callback)
}

/** Somebody who was never here comes from her county to the app. */
async function signsIn(t: ExecutionContext, app: Awaited<ReturnType<typeof registers>>) {
  const page = await visit(t, town)
  await page.goto(app.authorize())
  await signInAt(page, 'ntpc')
  // The app's own place, where nobody listens.
  const back = page.waitForRequest((request) => request.url().startsWith(callback))
  await page.click('#consent-allow')
  return app.redeem(new URL((await back).url()))
}

test('within two minutes of her invitation an app of hers signs somebody in', async (t) => {
  const link = invite(town, 'owner@example.gov.tw')
  const page = await visit(t, town)
  const started = performance.now()
  await page.goto(link)
  const app = await registers(page, 'zh-TW', 'firstowner', () => undefined)
  const { status, body } = await signsIn(t, app)
  // What machines take of it: the rest of two minutes is hers, to read and to type.
  t.true(performance.now() - started < 30_000)
  t.is(status, 200)
  const { payload } = await app.verify(body.id_token)
  t.truthy(payload.sub)
  t.is(new URL(page.url()).pathname, `/admin/clients/${app.clientId}`)
})

test('on a phone, in English, axe finds nothing on any page of it', async (t) => {
  const link = invite(town, 'second@example.gov.tw')
  const page = await visit(t, town, { locale: 'en', viewport: screens.phone })
  await page.goto(link)
  await registers(page, 'en', 'secondowner', async (what) => {
    t.is(await page.getAttribute('html', 'lang'), 'en', what)
    await faultless(t, page, what)
  })
})
