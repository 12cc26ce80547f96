/** The Edu Cloud's seed from 「註冊」 to 「登入成功」 in Chromium: with scripts and without, on phones and desks, in both languages. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import {
  agree,
  beginAs,
  faultless,
  fillIn,
  openLetter,
  proveAtCounty,
  signInLocally,
  visitAs,
  type Way,
} from '../helpers/chromium-joining.ts'
import {
  focusComesTo,
  focused,
  openTown,
  signInAt,
  type Town,
  tabTo,
  visit,
} from '../helpers/chromium-town.ts'
import { otherAnswers, password } from '../helpers/joining.ts'

let town: Town
// A file on a disk, as people have it: reloading sends it again.
const folder = mkdtempSync(join(tmpdir(), 'citygate-portrait-'))
const portrait = join(folder, 'me.png')
test.before(async () => {
  town = await openTown({
    enrolments: 'as configured',
    agreements: ['educloud'],
    limits: { joining: { starts_per_source_per_hour: 100 } },
  })
  await town.world.buildPerson({ account: 'taken@mail.edu.tw' })
  const picture = { width: 90, height: 60, channels: 3, background: 'teal' } as const
  await sharp({ create: picture }).png().toFile(portrait)
})
test.after.always(async () => {
  await town?.close()
  rmSync(folder, { recursive: true })
})

const path = (page: Page) => new URL(page.url()).pathname
const text = (page: Page, selector: string) => page.innerText(selector)
const submit = (page: Page) => page.click('#joining-submit')
const stepIs = (page: Page, step: string) =>
  page.waitForSelector(`#joining-form[action$="/${step}"]`)

/** A picture the browser could draw, not only an element that names one. */
const isDrawn = (page: Page, selector: string) =>
  page.waitForFunction(
    (image) => (document.querySelector(image) as HTMLImageElement | null)?.naturalWidth,
    selector,
  )

const schoolAnswers = (account: string) => ({
  account,
  backup_email: `${account}@example.com`,
  backup_email_again: `${account}@example.com`,
  password,
  password_again: password,
  nickname: '小老師',
  phone: '02-12345678#123',
})

async function chooseCounty(t: ExecutionContext, page: Page, county: string, scripts: boolean) {
  await page.waitForSelector('#connector')
  await page.waitForLoadState()
  t.is(await page.isVisible('#connector-search'), scripts)
  if (!scripts) await page.selectOption('#connector', county)
  else {
    await page.fill('#connector-search', county)
    await page.press('#connector-search', 'Enter')
    t.is(await focused(page), 'joining-submit')
  }
  await submit(page)
}

/** What scripts say while she types, and the page after to whoever has none. */
async function hearsAboutNames(t: ExecutionContext, page: Page, scripts: boolean) {
  if (!scripts) {
    t.false(await page.isVisible('.strength'))
    await page.fill('#f-account', 'taken')
    return
  }
  for (const [account, kind] of [
    ['admin', 'not-allowed'],
    ['somebody.new', 'free'],
    ['taken', 'taken'],
  ] as const) {
    await page.fill('#f-account', account)
    await page.waitForSelector(`#f-account-check[data-kind="${kind}"]`)
    t.not(await text(page, '#f-account-check'), '')
  }
  for (const [typed, score] of [
    ['password1234', 1],
    [password, 4],
  ] as const) {
    await page.fill('#f-password', typed)
    await page.waitForSelector('.strength meter:visible')
    await page.waitForFunction((wanted) => document.querySelector('meter')?.value === wanted, score)
  }
}

/** Somebody of a county, from the terms to both ways of signing in. */
async function joinFromCounty(t: ExecutionContext, way: Way, person: string) {
  const { scripts } = way
  const county = person.replace(/(test|pupil)$/, '')
  const account = `joins.${person}`
  const page = await visitAs(t, town, way)
  const look = () => faultless(t, page, way)

  await page.goto(`${town.world.issuer}/join`)
  t.is(await page.getAttribute('html', 'lang'), way.lang)
  await look()
  await agree(t, page, way)
  await stepIs(page, 'kind')
  await look()
  await page.check('input[value=school]')
  await submit(page)
  await stepIs(page, 'county')
  await look()
  await chooseCounty(t, page, county, scripts)
  await proveAtCounty(page, person)

  await stepIs(page, 'school-form')
  t.is(await page.locator('input[name=name]').count(), 0, 'what the county says is not typed')
  const name = ((await text(page, '#f-name')).split('\n')[0] ?? '').trim()
  t.regex(name, /^\p{Script=Han}+$/u)
  await look()
  await fillIn(page, schoolAnswers(account))
  await page.fill('[name=backup_email_again]', 'another@example.com')
  await hearsAboutNames(t, page, scripts)
  await page.setInputFiles('#f-picture', portrait)
  if (scripts) await isDrawn(page, '.face')
  await submit(page)

  await page.waitForSelector('#problems[role=alert]')
  await focusComesTo(page, 'problems')
  t.is(await page.inputValue('[name=nickname]'), '小老師', 'what she typed is kept')
  t.is(await page.inputValue('#f-password'), '', '… but no password')
  await isDrawn(page, '.face')
  await look()
  await page.click('#problems a >> nth=0')
  await focusComesTo(page, 'f-account')
  await page.fill('#f-account', account)
  if (scripts) {
    await page.waitForSelector('#f-account-check[data-kind="free"]')
    t.false(await page.isVisible('#f-account-problem'), 'that was another name')
  }
  await fillIn(page, schoolAnswers(account))
  await submit(page)

  await stepIs(page, 'check')
  t.regex(await text(page, '#summary'), new RegExp(`${account}@mail.edu.tw`))
  t.false((await page.content()).includes(password))
  await look()
  await submit(page)
  await page.waitForSelector('#joined')
  await look()
  await page.click('#enter')
  await page.waitForSelector('#account-name')
  t.is(await text(page, '#account-name'), name)
  await isDrawn(page, 'img.face')
  await look()

  const later = await visitAs(t, town, way)
  await signInLocally(later, town, account)
  await later.waitForSelector('#claims')
  t.is(await text(later, '#name'), name)
  const atCounty = await visitAs(t, town, way)
  await atCounty.goto(town.world.demo)
  await atCounty.click('#sign-in')
  await signInAt(atCounty, county, person)
  await atCounty.waitForSelector('#claims')
  t.is(await text(atCounty, '#name'), name)
}

/** Nobody's pupil: her account waits for the letter, which she opens here or in another browser. */
async function joinByLetter(t: ExecutionContext, way: Way, opens: 'here' | 'elsewhere') {
  const email = `reads-${opens}.${way.screen}@example.com`
  const page = await visitAs(t, town, way)
  const other = await visitAs(t, town, way)
  await beginAs(t, page, { town, kind: 'other', scripts: way.scripts })
  await stepIs(page, 'other-form')
  await faultless(t, page, way)
  await fillIn(page, { ...otherAnswers, email, email_again: email })
  await submit(page)
  await stepIs(page, 'check')
  await submit(page)
  await page.waitForSelector('#link-sent')
  await faultless(t, page, way)
  if (way.scripts) t.true(await page.isDisabled('#send-again'), 'not before two minutes are over')
  else {
    await page.click('#send-again')
    await page.waitForSelector('#problems')
    await faultless(t, page, way)
  }

  await signInLocally(other, town, email)
  await other.waitForSelector('#next-resend')
  await faultless(t, other, way)
  await other.click('#next-resend')
  await faultless(t, other, way)
  await other.fill('#address', email)
  await other.click('#resend-submit')
  await other.waitForSelector('#sent')
  await faultless(t, other, way)

  const reader = opens === 'here' ? page : other
  const waiting = page.url()
  await openLetter(reader, town, email)
  await reader.click('#links a')
  await reader.waitForSelector('#activate')
  t.is(await text(reader, '#account'), email)
  await faultless(t, reader, way)
  if (opens === 'elsewhere') {
    await reader.fill('#f-password', 'not the one she chose')
    await reader.click('#activate')
    await reader.waitForSelector('#problems')
    await faultless(t, reader, way)
    await reader.fill('#f-password', password)
  }
  await reader.click('#activate')
  if (opens === 'elsewhere') {
    await reader.waitForSelector('#link-done')
    await faultless(t, reader, way)
    await page.goto(waiting)
    await page.waitForSelector('#joined')
  }
  await page.waitForSelector('#joined')
  await page.click('#enter')
  await page.waitForSelector('#account-name')
  t.is(await text(page, '#account-name'), otherAnswers.name)

  await signInLocally(other, town, email)
  await other.waitForSelector('#claims')
  t.is(await text(other, '#name'), otherAnswers.name)
}

/** Each language, each screen, with scripts and without. */
const ways: { way: Way; person: string; opens: 'here' | 'elsewhere' }[] = [
  { way: { lang: 'zh-TW', screen: 'phone', scripts: true }, person: 'ntpctest', opens: 'here' },
  { way: { lang: 'en', screen: 'desktop', scripts: false }, person: 'khtest', opens: 'elsewhere' },
]
for (const { way, person, opens } of ways) {
  const { lang, screen, scripts } = way
  const how = `${screen}, ${lang}, JavaScript ${scripts ? 'on' : 'off'}`
  // One way after another: eight people at once have two cores gasping.
  test.serial(
    `a teacher joins by her county, a parent by a letter opened ${opens}: ${how}`,
    async (t) => {
      await Promise.all([joinFromCounty(t, way, person), joinByLetter(t, way, opens)])
    },
  )
}

test('a pupil joins with the keyboard alone', async (t) => {
  const page = await visit(t, town)
  const { keyboard } = page
  await page.goto(`${town.world.issuer}/join`)
  await tabTo(page, 'terms')
  while (await page.isDisabled('#joining-submit')) await keyboard.press('PageDown')
  await tabTo(page, 'f-agree')
  await keyboard.press('Space')
  await tabTo(page, 'joining-submit')
  await keyboard.press('Enter')
  await stepIs(page, 'kind')
  await tabTo(page, 'choice-0')
  await keyboard.press('Space')
  await keyboard.press('Enter')
  await stepIs(page, 'county')
  await tabTo(page, 'connector-search')
  await keyboard.type('hualien')
  await keyboard.press('Enter')
  await keyboard.press('Enter')
  await page.waitForSelector('#county-login')
  for (const field of ['account', 'password']) {
    await tabTo(page, field)
    await keyboard.type('hlcpupil')
  }
  await keyboard.press('Enter')
  await stepIs(page, 'school-form')
  for (const [name, value] of Object.entries(schoolAnswers('by.keyboard'))) {
    await tabTo(page, `f-${name}`)
    await keyboard.type(value)
  }
  await tabTo(page, 'f-gender-2')
  await keyboard.press('ArrowUp')
  t.is(await focused(page), 'f-gender-1')
  await tabTo(page, 'joining-submit')
  await keyboard.press('Enter')
  await stepIs(page, 'check')
  await tabTo(page, 'joining-submit')
  await keyboard.press('Enter')
  await page.waitForSelector('#joined')
  await tabTo(page, 'enter')
  await keyboard.press('Enter')
  await page.waitForSelector('#account-name')
  t.is(path(page), '/account')
})

test('a minor waits for her guardian, who answers in a browser of his own', async (t) => {
  const way: Way = { lang: 'zh-TW', screen: 'phone', scripts: true }
  const page = await visitAs(t, town, way)
  await beginAs(t, page, { town, kind: 'other' })
  await stepIs(page, 'other-form')
  const email = 'minor@example.com'
  await fillIn(page, { ...otherAnswers, email, email_again: email, birthdate: '2014-05-17' })
  await submit(page)
  await stepIs(page, 'guardian')
  await faultless(t, page, way)
  await fillIn(page, {
    'guardian.name': '王大明',
    'guardian.relation': '父親',
    'guardian.email': email,
    'guardian.email_again': email,
  })
  await submit(page)
  await page.waitForSelector('#f-guardian-email-problem')
  await faultless(t, page, way)
  const parent = 'parent@example.com'
  await fillIn(page, { 'guardian.email': parent, 'guardian.email_again': parent })
  await submit(page)
  await page.waitForSelector('#guardian-asked')
  await faultless(t, page, way)

  const guardians = await visitAs(t, town, way)
  await openLetter(guardians, town, parent)
  await guardians.click('#links a')
  await guardians.waitForSelector('#applicant')
  t.regex(await text(guardians, '#applicant'), /王小明/)
  await guardians.click('#terms-0 summary')
  t.true(await guardians.isVisible('#terms-0 .terms'), 'he can read what he agrees to')
  await faultless(t, guardians, way)
  await guardians.check('#decision-agree')
  await guardians.click('#decide')
  await guardians.waitForSelector('#f-name-problem')
  await faultless(t, guardians, way)
  await guardians.fill('#f-name', '王大明')
  await guardians.click('#decide')
  await guardians.waitForSelector('#link-done')
  await faultless(t, guardians, way)

  await page.click('#joining-look')
  await stepIs(page, 'check')
  t.regex(await text(page, '#summary'), /王大明/)
  await submit(page)
  await page.waitForSelector('#link-sent')
  t.pass()
})

test('who does not agree is back at the app, and at the front door when no app sent her', async (t) => {
  const page = await visit(t, town)
  await page.goto(town.world.demo)
  await page.click('#sign-in')
  await page.click('#join-link')
  await page.click('#joining-disagree')
  await page.waitForSelector('#failure')
  t.is(await text(page, '#failure'), 'access_denied')
  await page.goto(`${town.world.issuer}/join`)
  await page.click('#joining-disagree')
  await page.waitForURL(`${town.world.issuer}/`)
})

test('another language, the back button, reloading and pressing twice lose nothing', async (t) => {
  const page = await visit(t, town)
  await beginAs(t, page, { town, kind: 'school' })
  await stepIs(page, 'county')
  await page.goBack()
  await stepIs(page, 'kind')
  t.true(await page.isChecked('#choice-0'))
  await page.goBack()
  await page.waitForSelector('#join-continue')
  await page.click('#join-continue')
  await chooseCounty(t, page, 'ntpc', true)
  await proveAtCounty(page, 'ntpcpupil')
  await stepIs(page, 'school-form')

  const answers = schoolAnswers('twice')
  await fillIn(page, { ...answers, phone: '12' })
  await page.setInputFiles('#f-picture', portrait)
  await page.dblclick('#joining-submit')
  await page.waitForSelector('#f-phone-problem')
  await page.reload()
  await page.waitForSelector('#f-phone-problem')
  t.is(await page.inputValue('[name=nickname]'), answers.nickname)
  await fillIn(page, answers)
  await page.dblclick('#joining-submit')
  await stepIs(page, 'check')
  await page.click('#language-en')
  t.is(await text(page, 'h1'), 'Send this?')
  t.regex(await text(page, '#summary'), /twice@mail\.edu\.tw/)
  await page.reload()
  await page.click('#joining-back')
  await stepIs(page, 'school-form')
  t.is(await page.getAttribute('html', 'lang'), 'en')
  t.is(await page.inputValue('#f-account'), 'twice')
  await isDrawn(page, '.face')
  await page.click('#language-zh-tw')
  t.is(await page.inputValue('[name=nickname]'), answers.nickname)
  await page.goto(`${town.world.issuer}/join`)
  await page.click('#join-continue')
  await stepIs(page, 'check')
  await page.dblclick('#joining-submit')
  await page.waitForSelector('#joined')
  await page.goBack()
  await page.waitForSelector('#joined')
  await page.click('#enter')
  await page.waitForSelector('#account-name')
  await page.goBack()
  await page.waitForSelector('#joined')
  t.pass()
})

test('of two tabs the later one is told, and keeps what was typed in it', async (t) => {
  const page = await visit(t, town)
  await beginAs(t, page, { town, kind: 'other' })
  await stepIs(page, 'other-form')
  const second = await page.context().newPage()
  await second.goto(page.url())
  const email = 'tabs@example.com'
  await fillIn(page, { ...otherAnswers, email, email_again: email })
  await submit(page)
  await stepIs(page, 'check')
  await fillIn(second, { ...otherAnswers, email, email_again: email, nickname: '另一個' })
  await submit(second)
  await second.waitForSelector('.alert-notice')
  t.regex(await text(second, '.alert-notice'), /另一個分頁/)
  await faultless(t, second, { scripts: true })
  t.is(await second.inputValue('[name=nickname]'), '另一個')
  await fillIn(second, { password, password_again: password })
  await submit(second)
  await stepIs(second, 'check')
  await page.reload()
  t.regex(await text(page, '#summary'), /另一個/)
})

test('what waits for later goes on in another browser by the mailed link, where the county vouches anew', async (t) => {
  const way: Way = { lang: 'en', screen: 'phone', scripts: true }
  const page = await visitAs(t, town, way)
  await beginAs(t, page, { town, kind: 'school' })
  await chooseCounty(t, page, 'tc', true)
  await proveAtCounty(page, 'tcpupil')
  await stepIs(page, 'school-form')
  const form = page.url()
  await page.click('#later summary')
  await page.fill('#later-address', 'later@example.com')
  await faultless(t, page, way)
  await page.click('#later-submit')
  await page.waitForSelector('#later-back')
  await faultless(t, page, way)

  const other = await visitAs(t, town, way)
  await openLetter(other, town, 'later@example.com')
  await other.click('#links a')
  await other.waitForSelector('#resume-submit')
  await faultless(t, other, way)
  await other.click('#resume-submit')
  await stepIs(other, 'county')
  await chooseCounty(t, other, 'tc', true)
  await proveAtCounty(other, 'tcpupil')
  await stepIs(other, 'school-form')
  await fillIn(other, schoolAnswers('came.back'))
  await submit(other)
  await stepIs(other, 'check')

  await page.goto(form)
  await page.waitForSelector('#next-join')
  await faultless(t, page, way)
})
