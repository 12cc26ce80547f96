/** Every protocol in a real browser, with Citygate and the counties at different sites. */
import test, { type ExecutionContext } from 'ava'
import type { Page, Request } from 'playwright-core'
import { openTown, screens, type Town, visit } from '../helpers/chromium-town.ts'
import { faultless } from '../helpers/faultless.ts'
import { freePort } from '../helpers/free-port.ts'

// A name and an address are two sites to a browser: SameSite=Lax cookies do not go along with what a county posts.
let town: Town
test.before(async () => {
  const ports: [number, number, number] = [await freePort(), await freePort(), await freePort()]
  town = await openTown({ ports, env: { ISSUER: `http://127.0.0.1:${ports[0]}` } })
})
test.after.always(() => town?.close())

type Walk = {
  id: string
  account: string
  claims: { name: string; schoolid: string; titles: string[] }
  screen: keyof typeof screens
  language: 'zh-TW' | 'en'
  script: boolean
}

const tainan = {
  id: 'tn',
  account: 'tntest',
  claims: { name: '郭美惠', schoolid: '114698', titles: ['教師', '設備組長'] },
}
const taipei = {
  id: 'tp',
  account: 'tptest',
  claims: { name: '周明德', schoolid: '353698', titles: ['教師'] },
}
const university = {
  id: 'saml-school',
  account: 'schooltest',
  claims: { name: '梁靜宜', schoolid: '9998', titles: ['教師', '系主任'] },
}
const directory = {
  id: 'directory',
  account: 'dirtest',
  claims: { name: '余振華', schoolid: '014798', titles: ['教師', '設備組長'] },
}

/** Of all pairs these: each protocol with and without JavaScript, on a phone and not, in both languages. */
const walks: Walk[] = [
  { ...tainan, screen: 'phone', language: 'zh-TW', script: true },
  { ...tainan, screen: 'desktop', language: 'en', script: false },
  { ...university, screen: 'desktop', language: 'zh-TW', script: true },
  { ...university, screen: 'phone', language: 'en', script: false },
  { ...taipei, screen: 'phone', language: 'en', script: true },
  { ...taipei, screen: 'desktop', language: 'zh-TW', script: false },
  { ...directory, screen: 'desktop', language: 'en', script: true },
  { ...directory, screen: 'phone', language: 'zh-TW', script: false },
]

async function signInThere(t: ExecutionContext, page: Page, { account, script }: Walk) {
  await page.waitForSelector('#county-login, #upstream-password-form')
  if (script) await faultless(t, page, 'its page')
  await page.fill('#account', account)
  await page.fill('#password', 'not it')
  await page.click('#county-login-submit, #upstream-password-submit')
  await page.waitForSelector('[role=alert]')
  t.is(await page.inputValue('#account'), account)
  if (script) await faultless(t, page, 'its page, wrong password')
  await page.fill('#password', account)
  await page.click('#county-login-submit, #upstream-password-submit')
}

for (const walk of walks) {
  const { id, screen, language, script, claims } = walk
  test(`a teacher comes in through ${id}, ${screen}, ${language}, ${script ? 'with' : 'without'} JavaScript`, async (t) => {
    const page = await visit(t, town, {
      viewport: screens[screen],
      javaScriptEnabled: script,
      locale: language,
    })
    const posted: Request[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().includes('/callback')) posted.push(request)
    })
    await page.goto(town.world.demo)
    await page.click('#sign-in')
    await page.waitForSelector('#county-form')
    t.is(new URL(page.url()).hostname, '127.0.0.1')
    t.is(await page.getAttribute('html', 'lang'), language)
    await page.selectOption('#connector', id)
    await page.click('#county-submit')
    await signInThere(t, page, walk)
    // What the university says is posted by a script or, without one, by her.
    if (id === university.id && !script) await page.click('#county-post-submit')
    await page.waitForSelector('#claims')

    const { name, schoolid, titles } = claims
    t.is(page.url(), `${town.world.demo}/`)
    t.is(await page.innerText('#name'), name)
    t.like(JSON.parse((await page.textContent('#eduinfo-v1')) ?? ''), {
      schoolid,
      titles: [{ schoolid, titles }],
    })
    t.is(posted.length > 0, id === 'saml-school')
    for (const request of posted)
      t.false('cookie' in (await request.allHeaders()), 'the county’s form brought our cookies')
  })
}

test('the page by which the university sends her back is fine, should its script be held up', async (t) => {
  const page = await visit(t, town, { viewport: screens.phone })
  await page.route('**/upstream/saml-school/callback', (route) => route.abort('aborted'))
  await page.goto(`${town.world.demo}/login?upstream=saml-school`)
  await page.click('.person')
  await page.waitForSelector('#county-post-submit')
  await faultless(t, page, 'on the way back')
})
