/** The sandbox's Taipei: OAuth 2.0 without ID tokens, from the app and back. */
import test from 'ava'
import { text } from '../helpers/account.ts'
import { openBrowser } from '../helpers/browser.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { buildWorld } from '../helpers/world.ts'

test('Taipei’s people sign in by code, token and calls, and its lies are found out', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const rp = await world.buildApp()
  const signIn = async (account: string) => {
    const browser = openBrowser()
    const asked = await rp.begin(browser)
    const county = await browser.submit(asked, 'county-form', { connector: 'tp' })
    return browser.submit(county, 'county-login', { account, password: account })
  }
  const { identities, affiliations } = world.house.store
  for (const [account, schools] of [
    ['tptest', ['353698 teacher']],
    ['tppupil', ['353698 student']],
    ['tptwo', ['353698 teacher']],
  ] as const) {
    const back = await signIn(account)
    t.true(arrivedAt(rp, back), back.html)
    const { payload } = await rp.verify((await rp.redeem(back.url)).body.id_token)
    const [identity] = await identities.ofAccount(payload.sub ?? '')
    t.is(identity?.issuer, `${world.counties}/tp`)
    t.regex(identity?.subject ?? '', /^[0-9a-f-]{36}$/)
    const at = await affiliations.ofAccount(payload.sub ?? '')
    t.deepEqual(
      at.map(({ schoolCode, role }) => `${schoolCode} ${role}`),
      [...schools],
      account,
    )
  }
  await world.switchCounty('tp', 'no-subject')
  const nobody = await signIn('tptest')
  t.is(nobody.status, 502)
  t.true(text(nobody, '#problem-title').includes('臺北市'))
  await world.switchCounty('tp', 'refuses')
  const browser = openBrowser()
  const refused = await browser.submit(await rp.begin(browser), 'county-form', { connector: 'tp' })
  t.is(refused.status, 403)
})
