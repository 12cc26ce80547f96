import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { buildWorld } from '../helpers/world.ts'

test('asked for consent again, a person is told again that the app goes on while she is away', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const more = { scope: 'openid profile offline_access', prompt: 'consent' }
  const first = await browser.submit(await rp.begin(browser, more), 'local-form', person)
  t.truthy(first.document.querySelector('#offline-notice'))
  await browser.submit(first, 'consent-form', { decision: 'allow' })
  const second = await rp.begin(browser, more)
  t.truthy(second.document.querySelector('#consent-form'))
  t.truthy(second.document.querySelector('#offline-notice'))
})

test('asked for consent again, a person sees the APIs and single claims again', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const more = {
    scope: 'openid learning:write',
    resource: 'https://api.cloud.edu.tw/learning',
    claims: JSON.stringify({ userinfo: { phone_number: null } }),
    prompt: 'consent',
  }
  const first = await browser.submit(await rp.begin(browser, more), 'local-form', person)
  t.true(first.html.includes('新增您的學習紀錄'))
  await browser.submit(first, 'consent-form', { decision: 'allow' })
  const second = await rp.begin(browser, more)
  t.true(second.html.includes('新增您的學習紀錄'))
  t.truthy(second.document.querySelector('#claims-title'))
})

test('a scope named like a built-in of the language is no fault of ours', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const more = {
    scope: 'openid constructor toString',
    resource: 'https://api.cloud.edu.tw/learning',
    prompt: 'consent',
  }
  const first = await browser.submit(await rp.begin(browser, more), 'local-form', person)
  t.is(first.status, 200)
  await browser.submit(first, 'consent-form', { decision: 'allow' })
  const second = await rp.begin(browser, more)
  t.true(second.status < 500, `${second.status}`)
})

test('consent for one scope, claim or API is consent for nothing else', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const allow = async (more: Record<string, string>) => {
    let page = await rp.begin(browser, more)
    if (page.document.querySelector('#local-form'))
      page = await browser.submit(page, 'local-form', person)
    return browser.submit(page, 'consent-form', { decision: 'allow' })
  }
  t.true(arrivedAt(rp, await allow({ scope: 'openid profile' })))
  const learning = 'https://api.cloud.edu.tw/learning'
  for (const more of [
    { scope: 'openid email' },
    { scope: 'openid', claims: JSON.stringify({ userinfo: { email: null } }) },
    { scope: 'openid learning:read', resource: learning },
  ] as Record<string, string>[]) {
    const silent = await rp.begin(browser, { ...more, prompt: 'none' })
    t.is(silent.url.searchParams.get('error'), 'consent_required', JSON.stringify(more))
  }
  await allow({ scope: 'openid learning:read', resource: learning })
  const write = await rp.begin(browser, {
    scope: 'openid learning:write',
    resource: learning,
    prompt: 'none',
  })
  t.is(write.url.searchParams.get('error'), 'consent_required')
})

test('what is added to the consent form is not granted', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const page = await browser.submit(
    await rp.begin(browser, { scope: 'openid' }),
    'local-form',
    person,
  )
  const done = await browser.submit(page, 'consent-form', {
    decision: 'allow',
    scope: 'openid email phone',
    accountId: 'somebody-else',
  })
  const { body } = await rp.redeem(done.url)
  t.is(body.scope, 'openid')
  t.deepEqual(Object.keys((await rp.get('/me', body.access_token)).body), ['sub'])
})

test('an app that keeps renewing does not lose its grant on the fourteenth day', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  const browser = openBrowser()
  const more = { scope: 'openid offline_access', prompt: 'consent' }
  const consent = await browser.submit(await rp.begin(browser, more), 'local-form', person)
  const back = consent.document.querySelector('#consent-form')
    ? await browser.submit(consent, 'consent-form', { decision: 'allow' })
    : consent
  const { body } = await rp.redeem(back.url)
  const { openDatabase } = await import('#store/database.ts')
  const knex = openDatabase(world.house.config.database)
  t.teardown(() => knex.destroy())
  const ends = async (model: string) => {
    const rows = await knex('oidc_payload').where({ model }).whereNull('consumed_at')
    return Math.max(...rows.map((row) => Number(row.expires_at)))
  }
  await new Promise((resolve) => setTimeout(resolve, 2_100))
  const renewed = await rp.token({
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token ?? '',
  })
  t.is(renewed.status, 200)
  const [grant, token] = [await ends('Grant'), await ends('RefreshToken')]
  t.true(grant >= token, `the grant ends ${token - grant} s before the refresh token`)
})
