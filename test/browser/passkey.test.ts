/** Passkeys in a real browser, with an authenticator that is not there. */
import test from 'ava'
import type { Page } from 'playwright-core'
import { openTown, type Town, visit } from '../helpers/chromium-town.ts'
import { invite } from '../helpers/staff.ts'

let town: Town
test.before(async () => {
  town = await openTown({ agreements: [] })
})
test.after.always(() => town?.close())

/** As a telephone or computer has one, that asks for a finger and gets it. */
async function addAuthenticator(page: Page) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    verify: (isUserVerified: boolean) =>
      cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    count: async () =>
      (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  }
}

test('an owner accepts with a passkey, and signs in with it the next time', async (t) => {
  const { world } = town
  const page = await visit(t, town)
  const key = await addAuthenticator(page)
  await page.goto(await invite(world))
  await page.fill('#f-account', 'keyholder')
  await page.fill('#f-name', '金鑰')
  await page.fill('#f-password', 'a long enough password')
  await page.click('#join-submit')
  await page.waitForURL(/\/admin\/accept\//)
  await page.click('#passkey-form-submit')
  await page.waitForSelector('#recovery-codes')
  t.is(await key.count(), 1)
  await page.click('#finish-submit')
  await page.waitForURL(/\/admin$/)
  const { store, config } = world.house
  const found = await store.identifiers.find('email', 'keyholder@mail.edu.tw')
  const [factor] = await store.secondFactors.ofAccount(found?.accountId ?? '')
  t.is(factor?.type, 'passkey')
  const amrOf = async () =>
    (await store.payloads.sessionsOf(found?.accountId ?? '', 0)).map(({ payload }) => payload)
  t.like((await amrOf())[0], { acr: config.site.acr.two_factor })

  // The same browser, days later.
  await page.context().clearCookies()
  await page.goto(`${world.issuer}/admin`)
  await page.fill('#account', 'keyholder')
  await page.fill('#password', 'a long enough password')
  await page.click('#local-submit')
  await page.waitForSelector('#page-second-factor')
  t.is(await page.locator('#code').count(), 0, 'there is no app to ask')
  // Somebody else’s finger.
  await key.verify(false)
  await page.click('#passkey-form-submit')
  await page.waitForFunction(
    () => document.querySelector('#passkey-form-problem')?.textContent !== '',
  )
  await key.verify(true)
  await page.click('#passkey-form-submit')
  await page.waitForURL(/\/admin$/)
  const session = (await amrOf()).at(-1)
  t.regex(String(session?.amr), /[hs]wk.*mfa/)

  // One device, one passkey: it says so itself.
  await page.goto(`${world.issuer}/account/second-factor`)
  await page.click('#passkey-form-submit')
  await page.waitForFunction(
    () => document.querySelector('#passkey-form-problem')?.textContent !== '',
  )
  t.regex((await page.textContent('#passkey-form-problem')) ?? '', /已經有/)
  t.is(await key.count(), 1)
})

test('what a passkey signed is good once, and where a browser has none the button is not there', async (t) => {
  const { world } = town
  const person = await world.buildPerson({ account: 'once@mail.edu.tw' })
  const page = await visit(t, town)
  await addAuthenticator(page)
  await page.goto(`${world.issuer}/account/second-factor`)
  await page.fill('#account', person.account)
  await page.fill('#password', person.password)
  await page.click('#local-submit')
  await page.waitForSelector('#passkey-form-submit:visible')
  await page.fill('#passkey-form-label', '我的筆電')
  await page.click('#passkey-form-submit')
  await page.waitForSelector('#recovery-codes')
  const [factor] = await world.house.store.secondFactors.ofAccount(person.sub)
  t.is(factor?.label, '我的筆電')

  const app = await world.buildApp({ redirectUris: [`${world.issuer}/`] })
  const asked = app.authorize({ prompt: 'second_factor' })
  await page.goto(asked)
  const url = page.url()
  const [sent] = await Promise.all([
    page.waitForRequest((one) => one.method() === 'POST' && one.url().endsWith('/second-factor')),
    page.click('#passkey-form-submit'),
  ])
  const body = new URLSearchParams(sent.postData() ?? '')
  await page.waitForURL((to) => to.searchParams.has('code'))
  t.not(page.url(), url)

  // The same answer to another question of this browser.
  await page.goto(asked)
  const again = await page.request.post(`${page.url()}/second-factor`, {
    form: Object.fromEntries(body),
    maxRedirects: 0,
  })
  t.is(again.status(), 422)

  const plain = await visit(t, town, { javaScriptEnabled: false })
  await plain.goto(asked)
  await plain.fill('#account', person.account)
  await plain.fill('#password', person.password)
  await plain.click('#local-submit')
  await plain.waitForSelector('#page-second-factor')
  t.false(await plain.isVisible('#passkey-form-submit'))
  await plain.click('#recovery-part summary')
  t.true(await plain.isVisible('#recovery'))
})
