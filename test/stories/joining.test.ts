/** The seed of the Edu Cloud from 「註冊」 to 「登入成功」, for those who have a county and those who have none. */
import test from 'ava'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { eventually } from '../helpers/eventually.ts'
import {
  agree,
  beginAs,
  headingOf,
  mailbox,
  otherAnswers,
  password,
  problemsOf,
  proveAt,
  schoolAnswers,
  stepOf,
} from '../helpers/joining.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const town: Parameters<typeof buildWorld>[1] = {
  sandbox: true,
  enrolments: 'as configured',
  agreements: ['educloud'],
}

const send = (browser: Browser, page: Page, fields: Record<string, string> = {}) =>
  browser.submit(page, 'joining-form', fields)

async function claims(rp: RelyingParty, back: Page) {
  const { body } = await rp.redeem(back.url)
  return (await rp.get('/me', body.access_token)).body
}

const scope = 'openid profile email phone eduinfo'

async function joinAsTeacher(world: World, browser: Browser, answers = schoolAnswers) {
  const county = await beginAs(browser, world, 'school')
  const form = await proveAt(browser, county, 'ntpc', 'ntpctest')
  const check = await send(browser, form, answers)
  return { county, form, check, joined: await send(browser, check) }
}

test('a teacher registers step for step, is active at once, and signs in either way afterwards', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()

  const terms = await browser.open(`${world.issuer}/join`)
  t.is(terms.url.pathname, '/join/member')
  t.is(headingOf(terms), '閱讀並同意條款')
  t.regex(terms.html, /教育雲會員註冊同意書/)
  t.regex(terms.html, /本網站內容含有多數人的貢獻/, 'the terms are there in full')
  t.is(terms.document.querySelector('#joining-progress')?.text, '第 1 步，共 6 步')

  const kind = await agree(browser, terms)
  t.is(stepOf(kind), 'kind')
  t.regex(kind.html, /教師、職員、學生/)
  t.regex(kind.html, /擁有各縣市教育局 Open ID 之使用者/)

  const county = await browser.submit(kind, 'joining-form', { kind: 'school' })
  t.is(stepOf(county), 'county')
  const form = await proveAt(browser, county, 'ntpc', 'ntpctest')
  t.is(stepOf(form), 'school-form')
  t.is(headingOf(form), '教師／職員／學生 會員註冊')
  t.regex(form.html, /林雅雯/, 'the county says her name')
  t.regex(form.html, /設備組長/, '… and her title')
  t.regex(form.document.querySelector('#joining-form')?.text ?? '', /由新北市提供/)
  t.regex(form.html, /@mail\.edu\.tw/)

  const check = await send(browser, form, schoolAnswers)
  t.deepEqual(problemsOf(check), [])
  t.is(stepOf(check), 'check')
  t.regex(check.html, /yawen\.lin@mail\.edu\.tw/)
  t.false(check.html.includes(password))

  const joined = await send(browser, check)
  t.is(headingOf(joined), '註冊完成')
  const inside = await browser.submit(joined, 'enter-form')
  t.is(inside.url.pathname, '/account')
  t.is(inside.document.querySelector('#notice')?.text.trim(), '登入成功。')
  const later = await browser.open(`${world.issuer}/account`)
  t.is(later.document.querySelector('#notice'), null, 'it is said once')

  const rp = await world.buildApp()
  const another = openBrowser()
  const signIn = await rp.begin(another, { scope })
  const byPassword = await another.submit(signIn, 'local-form', { account: 'yawen.lin', password })
  t.true(arrivedAt(rp, byPassword), byPassword.html)
  const mine = await claims(rp, byPassword)
  t.like(mine, {
    name: '林雅雯',
    nickname: '小雯',
    email: 'yawen.lin@mail.edu.tw',
    email_verified: true,
    phone_number: '+886212345678;ext=123',
    gender: 'female',
  })

  const third = openBrowser()
  const atCounty = await third.submit(await rp.begin(third, { scope }), 'county-form', {
    connector: 'ntpc',
  })
  const fields = { account: 'ntpctest', password: 'ntpctest' }
  const byCounty = await third.submit(atCounty, 'county-login', fields)
  t.true(arrivedAt(rp, byCounty), byCounty.html)
  t.is((await claims(rp, byCounty)).sub, mine.sub, 'one person')
  t.like(mine, { eduinfo: { schoolid: '014598' } })
})

test('the mailbox is ordered with the account, once', async (t) => {
  const world = await buildWorld(t, town)
  await joinAsTeacher(world, openBrowser())
  const browser = openBrowser()
  const events = await eventually(
    async () =>
      (await browser.open(`${world.counties}/mail`)).document.querySelectorAll('#events li'),
    ({ length }) => length > 0,
  )
  t.is(events.length, 1)
  t.regex(events[0]?.text ?? '', /mailbox\.create/)
  t.regex(events[0]?.text ?? '', /yawen\.lin@mail\.edu\.tw/)
})

test('her backup address is settled from her mailbox, in any browser', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const { joined } = await joinAsTeacher(world, browser)
  const inside = await browser.submit(joined, 'enter-form')
  t.truthy(inside.document.querySelector('#attention-unconfirmed'))

  const [letter, ...others] = await mailbox(world)
  t.deepEqual(others, [])
  t.is(letter?.to, schoolAnswers.backup_email)
  t.regex(letter?.subject ?? '', /備用信箱/)
  t.regex(letter?.text ?? '', /yawen\.lin@mail\.edu\.tw/)
  const waits = await browser.open(`${world.issuer}/account/email`)
  t.regex(waits.document.querySelector('#waiting')?.text ?? '', /yawen@example\.com/)

  const telephone = openBrowser()
  const question = await telephone.open(letter?.link ?? '')
  t.truthy(
    (await browser.open(`${world.issuer}/account`)).document.querySelector(
      '#attention-unconfirmed',
    ),
  )
  const confirmed = await telephone.submit(question, 'confirm-form')
  t.truthy(confirmed.document.querySelector('#confirm-used'))
  const settled = await browser.open(`${world.issuer}/account`)
  t.is(settled.document.querySelector('#attention-unconfirmed'), null)
  t.is((await mailbox(world)).length, 1, 'of what she knows she is not told again')
})

test('somebody without a county is active when the link was used, and is told so before', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const form = await beginAs(browser, world, 'other')
  t.is(stepOf(form), 'other-form')
  const check = await send(browser, form, otherAnswers)
  t.deepEqual(problemsOf(check), [])
  const waits = await send(browser, check)
  t.is(stepOf(waits), 'activate')
  t.regex(waits.html, /帳號啟用通知信/)

  const rp = await world.buildApp()
  const elsewhere = openBrowser()
  const account: string = otherAnswers.email
  const early = await rp.begin(elsewhere, { scope })
  const tooEarly = await elsewhere.submit(early, 'local-form', { account, password })
  t.is(tooEarly.status, 403)
  t.is(headingOf(tooEarly), '帳號還差一步就能使用')
  t.truthy(tooEarly.document.querySelector('#next-resend'))
  const wrong = await elsewhere.submit(await rp.begin(elsewhere, { scope }), 'local-form', {
    account,
    password: 'not the password',
  })
  t.is(wrong.status, 422, 'who does not know the password learns nothing')

  const [letter] = await mailbox(world)
  t.is(letter?.to, account)
  const link = await browser.open(letter?.link ?? '')
  t.is(headingOf(link), '啟用您的帳號')
  const again = await browser.open(letter?.link ?? '')
  t.is(headingOf(again), '啟用您的帳號', 'looking at it changes nothing')
  const joined = await browser.submit(again, 'link-form')
  t.is(headingOf(joined), '註冊完成')
  const used = await browser.submit(link, 'link-form')
  t.is(used.status, 410, 'it is good once')

  const back = await elsewhere.submit(await rp.begin(elsewhere, { scope }), 'local-form', {
    account,
    password,
  })
  t.true(arrivedAt(rp, back), back.html)
  t.like(await claims(rp, back), { name: '王小明', email: account, email_verified: true })
})

test('who comes from an app and is nobody here joins on the way and arrives at the app', async (t) => {
  const world = await buildWorld(t, town)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser, { scope, state: 'kept' })
  const atCounty = await browser.submit(page, 'county-form', { connector: 'ntpc' })
  const terms = await browser.submit(atCounty, 'county-login', {
    account: 'ntpcpupil',
    password: 'ntpcpupil',
  })
  t.is(headingOf(terms), '閱讀並同意條款')
  t.is(
    terms.document.querySelector('#joining-progress')?.text,
    '第 1 步，共 3 步',
    'what the county said is not asked',
  )
  const form = await agree(browser, terms)
  t.is(stepOf(form), 'school-form')
  const check = await send(browser, form, { ...schoolAnswers, account: 'youting' })
  const joined = await send(browser, check)
  t.is(headingOf(joined), '註冊完成')
  const back = await browser.submit(joined, 'enter-form')
  t.true(arrivedAt(rp, back), back.html)
  t.is(back.url.searchParams.get('state'), 'kept')
  t.like(await claims(rp, back), { name: '陳宥廷', preferred_username: 'youting@mail.edu.tw' })
})

test('who does not agree goes back to the app, and nothing is kept of her', async (t) => {
  const world = await buildWorld(t, town)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser, { scope })
  const join = page.document.querySelector('#join-link')?.getAttribute('href') ?? ''
  const terms = await browser.open(new URL(join, world.issuer).href)
  const back = await browser.submit(terms, 'joining-form', { decision: 'disagree' })
  t.true(arrivedAt(rp, back), back.html)
  t.is(back.url.searchParams.get('error'), 'access_denied')
})

test('a minor joins when her guardian agrees', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const young = { ...otherAnswers, birthdate: '2014-05-17' }
  const guardian = await send(browser, await beginAs(browser, world, 'other'), young)
  t.is(stepOf(guardian), 'guardian')
  const asked = await send(browser, guardian, {
    'guardian.name': '王大明',
    'guardian.relation': '父親',
    'guardian.email': 'parent@example.com',
    'guardian.email_again': 'parent@example.com',
  })
  t.deepEqual(problemsOf(asked), [])
  const [letter] = await mailbox(world)
  t.is(letter?.to, 'parent@example.com')
  t.regex(letter?.text ?? '', /王小明/)

  const guardians = openBrowser()
  const question = await guardians.open(letter?.link ?? '')
  t.regex(question.html, /教育雲會員註冊同意書/)
  const unsigned = await guardians.submit(question, 'link-form', { decision: 'agree' })
  t.is(unsigned.status, 422, 'she signs with her name')
  const agreed = await guardians.submit(unsigned, 'link-form', {
    decision: 'agree',
    name: '王大明',
  })
  t.is(agreed.status, 200)
  t.is((await guardians.open(letter?.link ?? '')).status, 410)

  const check = await browser.open(asked.url.href)
  const waits = await send(browser, await browser.open(check.url.href.replace('guardian', 'check')))
  t.is(stepOf(waits), 'activate')
  const activation = (await mailbox(world, 4)).find(({ to }) => to === young.email && /啟用/)
  t.truthy(activation)
})

test('an application goes on after a restart, on the rules it began with', async (t) => {
  const first = await buildWorld(t, town)
  const browser = openBrowser()
  const form = await beginAs(browser, first, 'other')
  const { dataDir, ports } = first
  await first.close()

  const { enrolments } = first.house.config
  const [member] = enrolments
  if (!member) throw new Error('no enrolment')
  const changed = { ...member, steps: member.steps.filter(({ id }) => id !== 'check') }
  const world = await buildWorld(t, { ...town, dataDir, ports, enrolments: [changed] })
  const check = await send(browser, form, otherAnswers)
  t.is(stepOf(check), 'check', 'the step that is gone by now is still asked of her')
  const waits = await send(browser, check)
  const [letter] = await mailbox(world)
  t.is(letter?.to, otherAnswers.email)
  t.truthy(waits)
})

test('two tabs: the second answer overwrites nothing and loses nothing', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const one = await beginAs(browser, world, 'other')
  const two = await browser.open(one.url.href)
  t.is(stepOf(await send(browser, one, otherAnswers)), 'check')
  const late = await send(browser, two, { ...otherAnswers, nickname: '另一個' })
  t.regex(late.html, /另一個分頁/)
  t.is(late.document.querySelector('#f-nickname')?.getAttribute('value'), '另一個')
  const twice = await send(browser, one, otherAnswers)
  t.is(stepOf(twice), 'check', 'the same sent twice is one answer')
})

test('the back button leads to an answer that can be changed, and what stood on it is asked anew', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const county = await beginAs(browser, world, 'school')
  const form = await proveAt(browser, county, 'ntpc', 'ntpctest')
  const kind = await browser.open(form.url.href.replace('school-form', 'kind'))
  t.is(stepOf(kind), 'kind')
  const other = await browser.submit(kind, 'joining-form', { kind: 'other' })
  t.is(stepOf(other), 'other-form')
  t.false(other.html.includes('林雅雯'), 'what the county said belongs to the other way')
})

test('a new version of the terms is asked for at the next sign-in', async (t) => {
  const world = await buildWorld(t, town)
  await joinAsTeacher(world, openBrowser())
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser, { scope })
  const back = await browser.submit(page, 'local-form', { account: 'yawen.lin', password })
  t.true(arrivedAt(rp, back), 'she agreed when she joined: nobody asks again')
})
