/** Apps at the console, as staff walk its pages. */
import test, { type ExecutionContext } from 'ava'
import sharp from 'sharp'
import { openDatabase } from '#store/database.ts'
import { text } from '../../helpers/account.ts'
import { type Browser, openBrowser, type Page } from '../../helpers/browser.ts'
import { arrivedAt, openRelyingParty } from '../../helpers/relying-party.ts'
import { openSharedWorld } from '../../helpers/shared-world.ts'
import { openStaff, type Staff } from '../../helpers/staff.ts'
import type { World } from '../../helpers/world.ts'

let world: World
test.before(async () => {
  world = await openSharedWorld()
})

const evil = `"><script>alert(1)</script><img src=x onerror='x'>`

/** Nothing an app said became markup. */
const isHarmless = (t: ExecutionContext, { html }: Page, where: string) =>
  t.notRegex(html, /<script>alert|<img src=x|href="javascript:/, where)

/** Registers one through both steps. */
async function registerAt(staff: Staff, fields: Record<string, string>): Promise<Page> {
  const start = await staff.open('/admin/clients/new')
  const form = await staff.browser.submit(start, 'kind-form', { kind: fields.kind ?? 'web' })
  return staff.browser.submit(form, 'client-form', fields)
}

const idOn = (page: Page) => text(page, '#client-id')

test.serial(
  'an admin registers an app in two steps, sees its secret once, and people sign in to it',
  async (t) => {
    const admin = await openStaff(world, [{ role: 'client-admin', reach: '' }])
    const empty = await admin.open('/admin/clients')
    t.truthy(empty.document.querySelector('.empty a[href="/admin/clients/new"]'))

    const redirectUri = 'https://app.example/callback'
    const wrong = await registerAt(admin, {
      name: '課程平台',
      redirectUris: `${redirectUri}\nhttp://app.example/\nhttps://*.example/`,
      contacts: 'it@app.example',
      'purpose.profile.zh': '排課',
    })
    t.is(wrong.status, 422)
    t.regex(text(wrong, '#problems'), /https:\/\//)
    t.is(wrong.document.querySelector('#f-redirectUris')?.getAttribute('aria-invalid'), 'true')
    t.is(wrong.document.querySelectorAll('.check-bad').length, 2)
    t.is(
      wrong.document.querySelector('#f-contacts')?.text,
      'it@app.example',
      'what was typed is kept',
    )
    t.is(wrong.document.querySelector('#f-purpose-profile-zh')?.getAttribute('value'), '排課')
    t.falsy(wrong.document.querySelector('#more-settings[open]'))
    const unusual = { redirectUris: redirectUri, name: '課程平台', accessTokenSeconds: '5' }
    const short = await admin.browser.submit(wrong, 'client-form', unusual)
    t.truthy(short.document.querySelector('#more-settings[open] [aria-invalid=true]'))

    const right = { redirectUris: redirectUri, accessTokenSeconds: '' }
    const made = await admin.browser.submit(short, 'client-form', {
      ...right,
      name: '課程平台',
      contacts: 'it@app.example',
    })
    t.is(made.status, 200, text(made, '#problems'))
    const secret = text(made, '#client-secret')
    t.is(secret.length, 43)
    t.is(made.headers.get('cache-control'), 'no-store')
    t.false(made.url.href.includes(secret))
    const sentAgain = await admin.browser.submit(short, 'client-form', {
      ...right,
      name: '課程平台',
    })
    t.falsy(sentAgain.document.querySelector('#client-secret'), 'a reload makes nothing')
    t.is((await world.house.store.clients.list()).length, 1)

    const id = idOn(made)
    const rp = openRelyingParty(world.issuer, { client_id: id, client_secret: secret }, redirectUri)
    const person = await world.buildPerson()
    const browser = openBrowser()
    const page = await rp.begin(browser, { scope: 'openid profile' })
    const { account, password } = person
    const consent = await browser.submit(page, 'local-form', { account, password })
    t.regex(consent.html, /排課/)
    const back = await browser.submit(consent, 'consent-form', { decision: 'allow' })
    t.true(arrivedAt(rp, back))
    t.is((await rp.redeem(back.url)).status, 200)
    const own = await admin.open(`/admin/clients/${id}`)
    t.false(own.html.includes(secret))
    t.false(world.log.join('\n').includes(secret))
  },
)

test.serial('no field of an app becomes markup, on staff’s pages or on people’s', async (t) => {
  const owner = await openStaff(world)
  const fields = {
    name: evil.slice(0, 100),
    nameEn: evil.slice(0, 100),
    redirectUris: 'https://app.example/callback',
    'purpose.profile.zh': evil,
    'purpose.profile.en': evil,
  }
  const made = await registerAt(owner, fields)
  isHarmless(t, made, 'secret')
  const id = idOn(made)
  for (const path of ['', '/edit', '/versions']) {
    isHarmless(t, await owner.open(`/admin/clients/${id}${path}`), path)
  }
  isHarmless(t, await owner.open('/admin/clients'), 'list')
  isHarmless(t, await owner.open(`/admin/clients?q=${encodeURIComponent(evil)}`), 'search')
  const bad = await registerAt(owner, {
    ...fields,
    redirectUris: evil,
    contacts: evil,
    claims: evil,
  })
  t.is(bad.status, 422)
  isHarmless(t, bad, 'form')

  const rp = openRelyingParty(world.issuer, { client_id: id }, fields.redirectUris)
  const browser = openBrowser()
  for (const lang of ['zh-TW', 'en']) {
    const page = await rp.begin(browser, { scope: 'openid profile', ui_locales: lang })
    isHarmless(t, page, `sign-in ${lang}`)
    const person = await world.buildPerson({ account: `${lang.toLowerCase()}@mail.edu.tw` })
    const { account, password } = person
    const consent = await browser.submit(page, 'local-form', { account, password })
    t.truthy(consent.document.querySelector('#consent-form'), lang)
    isHarmless(t, consent, `consent ${lang}`)
    browser.jar.removeAllCookiesSync()
  }
})

test.serial('of two who edit at once the second hears of it and loses nothing', async (t) => {
  const { clientId: id } = await world.buildApp()
  const [one, other] = [await openStaff(world), await openStaff(world)]
  const [first, second] = [
    await one.open(`/admin/clients/${id}/edit`),
    await other.open(`/admin/clients/${id}/edit`),
  ]
  // What stands in text areas and lists to choose from: this browser sends it by hand.
  const rest = { redirectUris: 'https://app.example/callback', authMethod: 'client_secret_basic' }
  const saved = await one.browser.submit(first, 'client-form', { ...rest, nameEn: 'First' })
  t.is(saved.url.pathname, `/admin/clients/${id}`)
  const conflict = await other.browser.submit(second, 'client-form', { ...rest, nameEn: 'Second' })
  t.is(conflict.status, 409)
  t.is(conflict.document.querySelector('#f-nameEn')?.getAttribute('value'), 'Second')
  const { metadata } = (await world.house.store.clients.find(id)) ?? {}
  t.is(metadata?.['client_name#en'], 'First')
  await other.browser.submit(conflict, 'client-form', rest)
  t.is((await world.house.store.clients.find(id))?.metadata['client_name#en'], 'Second')
  const history = await one.open(`/admin/clients/${id}/versions`)
  t.is(history.document.querySelectorAll('section[id^="version-"]').length, 3)
  const undone = await one.browser.submit(history, 'undo-form-2')
  t.is(undone.url.pathname, `/admin/clients/${id}`)
  t.is((await world.house.store.clients.find(id))?.metadata['client_name#en'], 'First')

  const knex = openDatabase(world.house.config.database)
  const old = { client_name: 'x', redirect_uris: ['http://old.example/', 'https://*.old.example/'] }
  const where = { client_id: id, version: 1 }
  await knex('client_version')
    .where(where)
    .update({ metadata: JSON.stringify(old) })
  await knex.destroy()
  const again = await one.open(`/admin/clients/${id}/versions`)
  const refused = await one.browser.submit(again, 'undo-form-1')
  t.is(refused.status, 422)
  const said = text(refused, '#problems')
  t.regex(said, /重新導向網址.*https:\/\/.*\*/, 'which setting, and each reason')
  t.notRegex(said, /redirectUris/)
})

async function post(browser: Browser, page: Page, path: string, fields: Record<string, string>) {
  const hidden = (name: string) =>
    page.document.querySelector(`input[name="${name}"]`)?.getAttribute('value') ?? ''
  return browser.request(`${page.url.origin}${path}`, {
    method: 'POST',
    body: new URLSearchParams({
      form_token: hidden('form_token'),
      staff: hidden('staff'),
      ...fields,
    }),
    headers: { origin: page.url.origin, 'sec-fetch-site': 'same-origin' },
  })
}

test.serial(
  'dangerous acts want the name typed and a fresh proof; another’s app is not there',
  async (t) => {
    const { clientId: id } = await world.buildApp()
    const owner = await openStaff(world)
    const page = await owner.open(`/admin/clients/${id}`)
    const wrong = await owner.browser.submit(page, 'disable', { confirm: '課程' })
    t.is(wrong.status, 422)
    t.is(wrong.document.querySelector('#f-disable-confirm')?.getAttribute('aria-invalid'), 'true')
    const off = await owner.browser.submit(page, 'disable', { confirm: '課程平台' })
    t.truthy(off.document.querySelector('#enable-form'))
    const on = await owner.browser.submit(off, 'enable-form')
    t.truthy(on.document.querySelector('#disable'))

    const shown = await owner.browser.submit(on, 'secret-form')
    t.is(text(shown, '#client-secret').length, 43)
    const reloaded = await owner.browser.submit(on, 'secret-form')
    t.falsy(reloaded.document.querySelector('#client-secret'))
    t.truthy(reloaded.document.querySelector('#secret-former'), 'and two are good')
    const unnamed = await owner.browser.submit(reloaded, 'secret-drop', { confirm: '課' })
    t.is(unnamed.status, 422)
    const typed = unnamed.document.querySelector('#f-secret-drop-confirm')
    t.is(typed?.getAttribute('value'), '課', 'what was typed is kept')
    t.is(unnamed.document.querySelector('#f-disable-confirm')?.getAttribute('value'), '')
    t.truthy(unnamed.document.querySelector('#secret-drop-part[open] #secret-drop'))
    t.truthy(unnamed.document.querySelector('#secret-former'), 'both are still good')
    const dropped = await owner.browser.submit(unnamed, 'secret-drop', { confirm: '課程平台' })
    t.falsy(dropped.document.querySelector('#secret-former'))

    const { secretHash } = (await world.house.store.clients.find(id)) ?? {}
    const now = { confirm: '課程', life: '730' }
    const refused = await owner.browser.submit(dropped, 'secret-now', now)
    t.is(refused.status, 422)
    t.is(refused.document.querySelector('#f-secret-now-confirm')?.getAttribute('value'), '課程')
    const life = refused.document.querySelector('#f-life-now option[selected]')
    t.is(life?.getAttribute('value'), '730')
    t.is((await world.house.store.clients.find(id))?.secretHash, secretHash, 'nothing ended')
    // Nor past the page: no day left is none, however it is written.
    const past = await post(owner.browser, dropped, `/admin/clients/${id}/secret`, {
      keep: '00',
      once: 'past',
    })
    t.is(past.status, 422)
    const anew = await owner.browser.submit(refused, 'secret-now', { confirm: '課程平台' })
    t.is(text(anew, '#client-secret').length, 43)
    const row = await world.house.store.clients.find(id)
    t.not(row?.secretHash, secretHash)
    t.is(row?.formerSecretHash, undefined)

    const { account } = await world.buildPerson({ account: 'hers@mail.edu.tw' })
    const owned = await owner.browser.submit(dropped, 'owner-form', { owner: account })
    t.regex(text(owned, '#owner-0'), new RegExp(account))
    const unknown = await owner.browser.submit(owned, 'owner-form', { owner: 'nobody' })
    t.is(unknown.status, 422)
    t.is(unknown.document.querySelector('#f-owner')?.getAttribute('value'), 'nobody')

    const narrow = await openStaff(world, [{ role: 'client-admin', reach: 'own' }])
    const hers = await narrow.open('/admin/clients/new?kind=web')
    t.falsy(hers.document.querySelector('#f-firstParty'), 'trust is not hers to give')
    t.falsy(hers.html.includes('admin:'))
    for (const path of ['', '/edit', '/versions']) {
      t.is((await narrow.open(`/admin/clients/${id}${path}`)).status, 404, path)
    }
    for (const act of [
      'edit',
      'secret',
      'secret/drop',
      'disable',
      'enable',
      'remove',
      'undo',
      'owners',
      'owners/remove',
      'logo/remove',
    ]) {
      const fields = {
        version: '1',
        current: '1',
        name: 'x',
        confirm: '課程平台',
        owner: account,
        account: 'somebody',
        once: act,
      }
      const answer = await post(narrow.browser, hers, `/admin/clients/${id}/${act}`, fields)
      t.is(answer.status, 404, act)
    }
    const forced = await post(narrow.browser, hers, '/admin/clients/new', {
      kind: 'web',
      name: 'x',
      redirectUris: 'https://x.example/',
      firstParty: 'on',
      reach: 'some',
      'scope.admin:staff.write': 'on',
      once: 'forced',
    })
    t.is(forced.status, 200)
    const made = (await world.house.store.clients.list()).find(({ name }) => name === 'x')
    t.is(made?.metadata.first_party, false)
    t.is(made?.metadata.scope, 'openid')

    await owner.ageBy(21 * 60)
    const stale = await owner.browser.submit(owned, 'remove', { confirm: '課程平台' })
    t.regex(stale.url.pathname, /^\/interaction\//, 'she proves herself first')
    t.truthy(await world.house.store.clients.find(id))
  },
)

async function sendLogo(staff: Staff, page: Page, bytes: Buffer, type: string) {
  const body = new FormData()
  for (const name of ['form_token', 'staff']) {
    const input = page.document.querySelector(`#logo-form input[name="${name}"]`)
    body.set(name, input?.getAttribute('value') ?? '')
  }
  body.set('logo', new Blob([new Uint8Array(bytes)], { type }), 'logo.png')
  return staff.browser.open(`${world.issuer}${page.url.pathname}/logo`, { method: 'POST', body })
}

test.serial('a logo is sent in, encoded anew, served by itself and shown to people', async (t) => {
  const rp = await world.buildApp()
  const owner = await openStaff(world)
  const page = await owner.open(`/admin/clients/${rp.clientId}`)
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
  const refused = await sendLogo(owner, page, svg, 'image/png')
  t.is(refused.status, 422)
  t.truthy(refused.document.querySelector('#f-logo-problem'))
  const picture = { width: 40, height: 40, channels: 3, background: '#0a7' } as const
  const png = await sharp({ create: picture }).png().toBuffer()
  const script = Buffer.from('<script>alert(1)</script>')
  const kept = await sendLogo(owner, page, Buffer.concat([png, script]), 'text/html')
  const source = kept.document.querySelector('#logo')?.getAttribute('src') ?? ''
  t.regex(source, /^\/apps\//)
  const served = await fetch(`${world.issuer}${source}`)
  t.like(Object.fromEntries(served.headers), {
    'content-type': 'image/webp',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  })
  t.is(served.headers.get('set-cookie'), null)
  t.false(Buffer.from(await served.arrayBuffer()).includes('script'))
  const etag = served.headers.get('etag') ?? ''
  const again = await fetch(`${world.issuer}${source}`, { headers: { 'if-none-match': etag } })
  t.is(again.status, 304)
  const signIn = await rp.begin(openBrowser())
  t.is(signIn.document.querySelector('.app img')?.getAttribute('src'), source)
  t.is((await fetch(`${world.issuer}/apps/nobody/logo`)).status, 404)
})

test.serial('redirect URIs are checked while they are typed', async (t) => {
  const owner = await openStaff(world)
  const form = await owner.open('/admin/clients/new?kind=web')
  t.regex(form.headers.get('content-security-policy') ?? '', /connect-src 'self'/)
  const answer = await post(owner.browser, form, '/admin/clients/check', {
    kind: 'web',
    redirectUris: 'https://a.example/\nhttps://*.example/\n',
  })
  const { 0: first, 1: second } = JSON.parse(answer.html)
  t.is(first, '')
  t.regex(second, /\*/)
})
