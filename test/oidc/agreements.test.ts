import test, { type ExecutionContext } from 'ava'
import { sha256 } from '#lib/crypto.ts'
import { dayInTaiwan, openTerms, type TermsVersion } from '#lib/terms.ts'
import { forgetClient } from '#oidc/remembered-clients.ts'
import { type Browser, openBrowser } from '../helpers/browser.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const day = 24 * 60 * 60 * 1000
const dayOf = (ms: number) => new Date(ms + 8 * 60 * 60 * 1000).toISOString().slice(0, 10)

function version(id: string, on: string): TermsVersion {
  const text = (language: string) => {
    const title = language === 'en' ? `Terms of ${id}` : `${id} 條款`
    const html = `<p>${language} ${on}</p>`
    return { title, html, hash: sha256(`${id}.${on}.${language}`) }
  }
  return {
    id,
    version: on,
    from: dayInTaiwan(on),
    texts: { 'zh-TW': text('zh-TW'), en: text('en') },
  }
}

/** A world whose clock can be moved, with terms of long ago and a version that comes into force tomorrow. */
async function buildTerms(t: ExecutionContext, ids = ['house']) {
  const clock = { ahead: 0 }
  // It stands still until the test moves it: midnight in between would be tomorrow.
  const began = Date.now()
  const tomorrow = dayOf(began + day)
  const terms = openTerms(
    new Map(ids.map((id) => [id, [version(id, '2014-08-01'), version(id, tomorrow)]])),
  )
  const now = () => began + clock.ahead
  const world = await buildWorld(t, { now, terms, agreements: ids })
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  return { world, rp, person, clock, tomorrow }
}

type Here = { rp: RelyingParty; person: { account: string; password: string } }

async function enter({ rp, person }: Here, browser: Browser = openBrowser()) {
  const page = await rp.begin(browser)
  return { browser, page: await browser.submit(page, 'local-form', person) }
}

const agree = (browser: Browser, page: Awaited<ReturnType<Browser['open']>>, more = {}) =>
  browser.submit(page, 'agreement-form', { decision: 'agree', agree: 'yes', ...more })

const rowsOf = ({ house }: World, id: string) => house.store.agreements.ofAccount(id)

test('who signs in reads the terms in force, agrees, and is not asked again', async (t) => {
  const here = await buildTerms(t)
  const { world, rp, person } = here
  const { browser, page } = await enter(here)
  t.is(page.status, 200)
  t.true(page.html.includes('<p>zh-TW 2014-08-01</p>'))
  t.true('required' in (page.document.querySelector('#f-agree')?.attributes ?? {}))
  const back = await agree(browser, page)
  t.true(arrivedAt(rp, back), back.html)
  t.truthy(back.url.searchParams.get('code'))
  t.like(await rowsOf(world, person.sub), [
    {
      terms: 'house',
      version: '2014-08-01',
      language: 'zh-TW',
      hash: sha256('house.2014-08-01.zh-TW'),
      address: '127.0.0.1',
    },
  ])
  const [event] = await world.house.store.auditReads.list({ limit: 1, action: 'agreement.agree' })
  t.like(event, { actor: person.sub, target: 'terms:house', details: { version: '2014-08-01' } })
  t.true(arrivedAt(rp, (await enter(here)).page))
})

test('who does not agree goes back to the app, which hears access_denied; the account stays, and is asked again', async (t) => {
  const here = await buildTerms(t)
  const { world, rp, person } = here
  const { browser, page } = await enter(here)
  const back = await browser.submit(page, 'agreement-form', { decision: 'disagree' })
  t.true(arrivedAt(rp, back))
  t.is(back.url.searchParams.get('error'), 'access_denied')
  t.deepEqual(await rowsOf(world, person.sub), [])
  t.is((await world.house.store.accounts.find(person.sub))?.status, 'active')
  const declined = await world.house.store.auditReads.list({
    limit: 5,
    action: 'agreement.decline',
  })
  t.like(declined, [{ actor: person.sub }])
  // Signed in she is; the question stays open.
  const again = await rp.begin(browser)
  t.truthy(again.document.querySelector('#agreement-form'))
  const silent = await browser.open(rp.authorize({ prompt: 'none' }))
  t.is(silent.url.searchParams.get('error'), 'interaction_required')
})

test('without the tick, or with the hash of another text, nothing is agreed to', async (t) => {
  const here = await buildTerms(t)
  const { world, person, rp } = here
  const { browser, page } = await enter(here)
  const unticked = await browser.submit(page, 'agreement-form', { decision: 'agree' })
  t.is(unticked.status, 422)
  t.truthy(unticked.document.querySelector('[role=alert] a[href="#f-agree"]'))
  for (const hash of ['', 'x', sha256('house.2013-01-01.zh-TW')]) {
    const other = await agree(browser, page, { hash })
    t.is(other.status, 422)
    t.true(other.html.includes('剛才的同意沒有記錄'))
  }
  t.deepEqual(await rowsOf(world, person.sub), [])
  t.true(arrivedAt(rp, await agree(browser, page)))
})

test('she reads it in English, and that is what she agreed to', async (t) => {
  const here = await buildTerms(t)
  const { browser, page } = await enter(here)
  const english = await browser.open(`${page.url.href}?lang=en`)
  t.true(english.html.includes('<p>en 2014-08-01</p>'))
  await agree(browser, english)
  t.like(await rowsOf(here.world, here.person.sub), [
    { language: 'en', hash: sha256('house.2014-08-01.en') },
  ])
})

test('a version that comes into force while she reads is shown before she can agree', async (t) => {
  const here = await buildTerms(t)
  const { world, person, rp, clock, tomorrow } = here
  const { browser, page } = await enter(here)
  clock.ahead = day
  const shown = await agree(browser, page)
  t.is(shown.status, 422)
  t.true(shown.html.includes(`<p>zh-TW ${tomorrow}</p>`))
  t.deepEqual(await rowsOf(world, person.sub), [])
  t.true(arrivedAt(rp, await agree(browser, shown)))
  t.like(await rowsOf(world, person.sub), [{ version: tomorrow }])
})

test('a new version is asked for at the next sign-in, and interrupts nobody who is signed in', async (t) => {
  const here = await buildTerms(t)
  const { world, rp, person, clock, tomorrow } = here
  const { browser, page } = await enter(here)
  await agree(browser, page)
  clock.ahead = day
  const silent = await browser.open(rp.authorize({ prompt: 'none' }))
  t.truthy(silent.url.searchParams.get('code'), silent.url.href)

  // The provider's own clock cannot be moved: that she signed in after that moment is what her session says.
  const later = here.world.house.config.terms.find('house', tomorrow)
  if (later) later.from = Math.floor(Date.now() / 1000) - 1
  const next = await enter(here)
  t.truthy(next.page.document.querySelector('#agreement-form'))
  t.true(next.page.html.includes('條款有新的版本'))
  await agree(next.browser, next.page)
  t.like(await rowsOf(world, person.sub), [{ version: '2014-08-01' }, { version: tomorrow }])
  t.deepEqual((await world.house.store.accounts.find(person.sub))?.agreed, { house: tomorrow })
})

test('of two terms one is asked after the other', async (t) => {
  const here = await buildTerms(t, ['house', 'school'])
  const { browser, page } = await enter(here)
  t.true(page.html.includes('house 條款'))
  const second = await agree(browser, page)
  t.true(second.html.includes('school 條款'))
  t.true(arrivedAt(here.rp, await agree(browser, second)))
})

test('two tabs: what one agreed to the other does not ask for any more', async (t) => {
  const here = await buildTerms(t)
  const { rp } = here
  const { browser, page: first } = await enter(here)
  const second = await rp.begin(browser)
  t.truthy(second.document.querySelector('#agreement-form'))
  t.true(arrivedAt(rp, await agree(browser, first)))
  t.true(arrivedAt(rp, await browser.open(second.url.href)))
})

test('another person at this browser cannot agree for her', async (t) => {
  const here = await buildTerms(t)
  const { world, person } = here
  const { browser, page } = await enter(here)
  const asked = await browser.open(`${world.issuer}/session/end`)
  await browser.submit(asked, 'sign-out-form', { logout: 'yes' })
  await agree(browser, page)
  t.deepEqual(await rowsOf(world, person.sub), [])
})

test('who has agreed costs a silent request no statement more than where there are no terms', async (t) => {
  const statements = async (agreements: string[]) => {
    const world = await buildWorld(t, {
      agreements,
      terms: openTerms(new Map([['house', [version('house', '2014-08-01')]]])),
    })
    const here = { rp: await world.buildApp(), person: await world.buildPerson() }
    const { browser, page } = await enter(here)
    if (agreements.length > 0) await agree(browser, page)
    // It looks at how upstreams fare every few seconds, and has statements of its own.
    await world.house.upstreamHealth.close()
    const silently = () => browser.open(here.rp.authorize({ prompt: 'none' }))
    await silently()
    // A registration is remembered for a second: read anew, it is one statement every time.
    forgetClient(world.house.provider, here.rp.clientId)
    const before = world.house.store.statements()
    await silently()
    return world.house.store.statements() - before
  }
  t.is(await statements(['house']), await statements([]))
})
