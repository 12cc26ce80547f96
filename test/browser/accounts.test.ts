/** People with more than one school, and browsers with more than one person. */
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { openTown, signInAt, type Town, visit } from '../helpers/chromium-town.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

async function comeIn(page: Page, county: string, account?: string) {
  await page.goto(town.world.demo)
  await page.click('#sign-in')
  await signInAt(page, county, account)
}

async function is(t: ExecutionContext, page: Page, name: string) {
  await page.waitForSelector('#claims')
  t.is(await page.innerText('#name'), name)
}

const schoolOf = async (page: Page) =>
  JSON.parse((await page.textContent('#eduinfo-v1')) ?? '').schoolid

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript'

  test(`a teacher of two schools chooses one, and may change her mind later, ${how}`, async (t) => {
    const [county, account, first, second] = javaScriptEnabled
      ? ['ntpc', 'ntpctwo', '014598', '014698']
      : ['hlc', 'hlctwo', '154698', '154598']
    const page = await visit(t, town, { javaScriptEnabled })
    await comeIn(page, county, account)
    await page.waitForSelector('#affiliation-form')
    await page.click('#affiliation-submit')
    t.is(await page.locator('input:checked').count(), 0, 'nothing is chosen for her')
    await page.check(`input[value="${second}:teacher"]`)
    await page.click('#affiliation-submit')
    await page.waitForSelector('#claims')
    t.is(await schoolOf(page), second)

    await page.click('#sign-in-select')
    t.true((await page.innerText('#affiliation')).startsWith(`學校代碼 ${second}`))
    await page.click('#affiliation-change')
    t.true(await page.isChecked(`input[value="${second}:teacher"]`))
    await page.check(`input[value="${first}:teacher"]`)
    await page.click('#affiliation-submit')
    await page.waitForSelector('#claims')
    t.is(await schoolOf(page), first)
  })

  test(`somebody else takes over at the same computer, ${how}`, async (t) => {
    const { account, password } = await town.world.buildPerson({
      account: `${javaScriptEnabled ? 'on' : 'off'}@mail.edu.tw`,
    })
    const page = await visit(t, town, { javaScriptEnabled })
    await comeIn(page, 'kh')
    await is(t, page, '吳建宏')
    await page.click('#sign-in-select')
    t.is(await page.innerText('#account-name'), '吳建宏')
    await page.click('#another-submit')
    await page.fill('#account', account)
    await page.fill('#password', password)
    await page.click('#local-submit')
    // The provider signs the first person out by a form that needs a script, or a press.
    if (!javaScriptEnabled) await page.click('button')
    await is(t, page, '王小明')
    await page.click('#sign-in-select')
    t.is(await page.innerText('#account-name'), '王小明')
    await page.click('#continue-submit')
    await is(t, page, '王小明')
  })
}

test('a colleague of the same county takes over: the county asks who it is', async (t) => {
  const page = await visit(t, town)
  await comeIn(page, 'tc')
  await is(t, page, '賴欣怡')
  await page.click('#sign-in-select')
  await page.click('#another-submit')
  await page.selectOption('#connector', 'tc')
  await page.click('#county-submit')
  await page.waitForSelector('#county-login')
  await page.fill('#account', 'tcna')
  await page.fill('#password', 'tcna')
  await page.click('#county-login-submit')
  await is(t, page, '江美玲')
})

test('her own page shows who she is, forgets a choice, and signs her out', async (t) => {
  const page = await visit(t, town)
  await comeIn(page, 'kh', 'khtwo')
  await page.check('input[value="613698:teacher"]')
  await page.click('#affiliation-submit')
  await page.click('#account')
  t.is(await page.innerText('#account-name'), '許淑芬')
  await page.click('#forget-0')
  await page.waitForSelector('#apps .hint')
  t.is(await page.locator('#forget-0').count(), 0)
  await page.click('#sign-out')
  await page.click('#sign-out-yes')
  await page.waitForSelector('#signed-out')
  await page.goto(`${town.world.issuer}/account`)
  await page.waitForSelector('#local-form')
})
