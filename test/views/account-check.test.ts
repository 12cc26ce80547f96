import test from 'ava'
import type { Browser, Page } from 'playwright-core'
import { eventually } from '../helpers/eventually.ts'
import { launch, openSite, type Site, screen } from './site.ts'

let site: Site
let browser: Browser
test.before(async () => {
  site = await openSite()
  browser = await launch()
})
test.after.always(async () => {
  await browser?.close()
  await site?.close()
})

type Answer = { kind: string; text: string }

/** The form of joining; `answer` is what is said of a name, when it is said, or nothing at all. */
async function openForm(answer: (value: string) => Answer | Promise<Answer | undefined>) {
  // The fixtures' site has nobody to ask, and its policy says so.
  const context = await browser.newContext({ ...screen('en', 1280), bypassCSP: true })
  const page = await context.newPage()
  const asked: Record<string, string>[] = []
  const answered: string[] = []
  await page.route('**/check', async (route) => {
    const sent = Object.fromEntries(new URLSearchParams(route.request().postData() ?? ''))
    asked.push(sent)
    const said = await answer(sent.value ?? '')
    // She may have typed on meanwhile, and nobody listens.
    await (said ? route.fulfill({ json: said }) : route.abort()).catch(() => {})
    answered.push(sent.value ?? '')
  })
  await page.goto(site.url('en', 'joining-form'))
  return { page, asked, answered, close: () => context.close() }
}

const status = (page: Page) => page.locator('#f-account-check')
const free = (value: string): Answer => ({ kind: 'free', text: `${value} is free.` })

test('when typing stops, it is said in words whether the account is free', async (t) => {
  const { page, asked, close } = await openForm((value) =>
    value === 'lin' ? { kind: 'taken', text: 'lin is taken.' } : free(value),
  )
  t.is(await status(page).getAttribute('role'), 'status')
  // She types as fast as the page's clock says, however busy the machine is.
  await page.clock.install({ time: 0 })
  await page.clock.pauseAt(1_000)
  await page.locator('#f-account').pressSequentially('lin')
  await page.clock.runFor(1_000)
  await page.getByText('lin is taken.').waitFor()
  t.is(await status(page).getAttribute('data-kind'), 'taken')
  t.deepEqual(asked, [{ form_token: 'token-of-this-form', field: 'account', value: 'lin' }])

  await page.locator('#f-account').pressSequentially('2')
  // What was said of another name is gone at once.
  t.is(await status(page).textContent(), '')
  await page.clock.runFor(1_000)
  await page.getByText('lin2 is free.').waitFor()
  await close()
})

test('an answer that comes late says nothing of what is typed meanwhile, nor does none', async (t) => {
  const slow = Promise.withResolvers<Answer>()
  const none = Promise.withResolvers<undefined>()
  const { page, asked, answered, close } = await openForm((value) =>
    value === 'slow' ? slow.promise : value === 'none' ? none.promise : free(value),
  )
  await page.fill('#f-account', 'slow')
  await page.getByText('Looking whether it is free…').waitFor()
  await page.fill('#f-account', 'quick')
  await page.getByText('quick is free.').waitFor()
  slow.resolve({ kind: 'taken', text: 'slow is taken.' })
  await eventually(
    async () => answered,
    ({ length }) => length === 2,
  )
  await page.waitForTimeout(200)
  t.is(await status(page).textContent(), 'quick is free.')

  await page.fill('#f-account', 'none')
  await page.waitForFunction(
    () => document.getElementById('f-account-check')?.textContent === 'Looking whether it is free…',
  )
  none.resolve(undefined)
  await page.waitForFunction(() => document.getElementById('f-account-check')?.textContent === '')
  t.deepEqual(
    asked.map(({ value }) => value),
    ['slow', 'quick', 'none'],
  )
  await close()
})

test('the whole address, capitals and full-width letters become what the server makes of them', async (t) => {
  const { page, close } = await openForm(free)
  for (const typed of ['Lin.Mei@mail.edu.tw', ' ＬＩＮ．ｍｅｉ ', 'lin.mei']) {
    await page.fill('#f-account', typed)
    await page.locator('#f-account').blur()
    t.is(await page.inputValue('#f-account'), 'lin.mei')
  }
  await page.fill('#f-account', 'lin@gmail.com')
  await page.locator('#f-account').blur()
  // Somebody else's domain is for the server to speak of.
  t.is(await page.inputValue('#f-account'), 'lin@gmail.com')
  await close()
})

test('a password of the form can be looked at, and is hidden when it is sent', async (t) => {
  const { page, close } = await openForm(free)
  await page.fill('#f-password', 'correct horse')
  await page.click('#f-password-show')
  t.is(await page.getAttribute('#f-password', 'type'), 'text')
  t.is(await page.getAttribute('#f-password_again', 'type'), 'password')
  await page.click('#f-password-show')
  t.is(await page.getAttribute('#f-password', 'type'), 'password')
  await close()
})
