/** Members with an account kept here. */
import test from 'ava'
import { focusComesTo, openTown, screens, type Town, visit } from '../helpers/chromium-town.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

for (const javaScriptEnabled of [true, false])
  test(`a wrong password is said aloud and keeps what was typed; the right one goes on, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async (t) => {
    const { account, password, name } = await town.world.buildPerson({
      account: `${javaScriptEnabled ? 'on' : 'off'}@mail.edu.tw`,
    })
    const page = await visit(t, town, { viewport: screens.phone, javaScriptEnabled })
    await page.goto(town.world.demo)
    await page.click('#sign-in')
    const host = await page.innerText('#app-host')
    await page.fill('#account', account)
    await page.fill('#password', 'not this one')
    await page.keyboard.press('Enter')

    await page.waitForSelector('#problem[role=alert]')
    t.regex(await page.title(), /^錯誤/)
    await focusComesTo(page, 'problem')
    t.is(await page.inputValue('#account'), account)
    t.is(await page.inputValue('#password'), '')
    t.is(await page.getAttribute('#password', 'aria-invalid'), 'true')
    t.is(await page.innerText('#app-host'), host, 'the app is still waiting')
    // A phone shows the form she was at, not the counties above it.
    t.true(
      await page.evaluate(() => {
        const top = (id: string) => document.getElementById(id)?.getBoundingClientRect().top ?? 0
        return top('local') < top('county')
      }),
    )

    await page.fill('#password', password)
    await page.keyboard.press('Enter')
    await page.waitForSelector('#claims')
    t.is(await page.innerText('#name'), name)
    t.true((await page.innerText('#claims')).includes('urn:citygate:acr:password'))
  })

test('the switch of language keeps the request', async (t) => {
  const { account, password } = await town.world.buildPerson({ account: 'lang@mail.edu.tw' })
  const page = await visit(t, town)
  await page.goto(town.world.demo)
  await page.click('#sign-in')
  await page.fill('#account', account)
  await page.fill('#password', 'wrong')
  await page.click('#local-submit')
  await page.click('#language-en')
  t.is(await page.innerText('#local-title'), 'Member account')
  await page.fill('#account', account)
  await page.fill('#password', password)
  await page.click('#local-submit')
  await page.waitForSelector('#claims')
})
