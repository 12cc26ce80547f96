/** Staff try an app: a true sign-in that gives nobody else anything. */
import test from 'ava'
import { tryCallback } from '#oidc/try-run.ts'
import { openBrowser } from '../../helpers/browser.ts'
import { openSharedWorld } from '../../helpers/shared-world.ts'
import { openStaff, type Staff } from '../../helpers/staff.ts'
import type { World } from '../../helpers/world.ts'

let world: World
let owner: Staff
test.before(async () => {
  world = await openSharedWorld()
  owner = await openStaff(world)
})

/** Presses the button; follows what comes until somebody is asked something, or it is over. */
async function begin(staff: Staff, clientId: string, fields: Record<string, string> = {}) {
  const page = await staff.open(`/admin/clients/${clientId}/try`)
  return staff.browser.submit(page, 'try-form', fields)
}

/** The authorization request of a run, not yet sent. */
async function requestOf(staff: Staff, clientId: string): Promise<URL> {
  const page = await staff.open(`/admin/clients/${clientId}/try`)
  const form = page.document.querySelector('#try-form')
  const body = new URLSearchParams(
    form
      ?.querySelectorAll('input')
      .map((one) => [one.getAttribute('name') ?? '', one.getAttribute('value') ?? '']),
  )
  const sent = await staff.browser.request(`${world.issuer}/admin/clients/${clientId}/try`, {
    method: 'POST',
    body,
  })
  return new URL(sent.headers.get('location') ?? '', world.issuer)
}

const liveTokens = async (clientId: string) =>
  (await world.house.store.payloads.clientsGranted(owner.sub, 0)).includes(clientId)

test.serial('she sees what the app would get, and all of it has ended', async (t) => {
  const rp = await world.buildApp({ firstParty: false })
  const asked = await begin(owner, rp.clientId)
  t.truthy(asked.document.querySelector('#consent-form'), 'as anybody would be asked')
  const shown = await owner.browser.submit(asked, 'consent-form', { decision: 'allow' })
  t.is(shown.status, 200)
  t.is(shown.url.pathname, '/admin/clients/try')
  t.truthy(shown.document.querySelector('#got'))
  t.is(shown.document.querySelectorAll('#checks .check-good').length, 5)
  t.true(shown.document.querySelector('#claims')?.text.includes(owner.sub))
  t.true(shown.document.querySelector('#userinfo')?.text.includes('陳管理'))
  const token = shown.document.querySelector('#token-access_token code.secret')?.text ?? ''
  t.is(token.length, 43)
  t.is((await rp.get('/me', token)).status, 401)
  const refresh = shown.document.querySelector('#token-refresh_token code.secret')?.text ?? ''
  const renewed = await rp.token({ grant_type: 'refresh_token', refresh_token: refresh })
  t.is(renewed.body.error, 'invalid_grant')
  t.false(await liveTokens(rp.clientId))
  t.is(await world.house.store.consents.find(owner.sub, rp.clientId), undefined)
  const target = `client:${rp.clientId}`
  const [event] = await world.house.store.auditReads.list({
    limit: 1,
    target,
    action: 'client.try',
  })
  t.like(event, { actor: owner.sub, outcome: 'ok' })

  const again = await owner.browser.open(shown.url.href)
  t.is(again.status, 410, 'it comes back once')
})

for (const [what, overrides] of [
  ['a public app', { type: 'spa' }],
  ['one with ES256 and pairwise subjects', { idTokenAlg: 'ES256', pairwise: true }],
  ['one that proves a key', { dpop: true }],
] as const)
  test.serial(`${what} is tried without its secret`, async (t) => {
    const rp = await world.buildApp(overrides)
    const shown = await begin(owner, rp.clientId, { 'scope.eduinfo': 'on' })
    t.truthy(shown.document.querySelector('#got'), shown.html.slice(0, 4000))
    t.is(shown.document.querySelectorAll('#checks .check-bad').length, 0)
  })

test.serial('what she had agreed to before stays, and cancelling is an answer too', async (t) => {
  const rp = await world.buildApp({ firstParty: false })
  const asked = await rp.begin(owner.browser)
  await owner.browser.submit(asked, 'consent-form', { decision: 'allow' })
  const before = await world.house.store.consents.find(owner.sub, rp.clientId)
  const anew = await begin(owner, rp.clientId, { anew: 'on' })
  const shown = await owner.browser.submit(anew, 'consent-form', { decision: 'deny' })
  t.true(shown.document.querySelector('#refused')?.text.includes('access_denied'))
  t.deepEqual(await world.house.store.consents.find(owner.sub, rp.clientId), before)
})

test.serial(
  'our address is nobody’s to name: not the app’s, not another browser’s, not for another app',
  async (t) => {
    const rp = await world.buildApp()
    const other = await world.buildApp()
    const redirect_uri = tryCallback(world.issuer)
    const turnedAway = async (address: string, browser = openBrowser()) => {
      const page = await browser.open(address)
      t.not(page.url.pathname, '/admin/clients/try', address)
      t.false(page.url.searchParams.has('code'), address)
      t.is(page.status, 400, address)
    }
    const person = await world.buildPerson({ account: 'victim@mail.edu.tw' })
    const victim = openBrowser()
    const signIn = await rp.begin(victim)
    await victim.submit(signIn, 'local-form', person)

    await turnedAway(rp.authorize({ redirect_uri }), victim)
    await turnedAway(rp.authorize({ redirect_uri }), owner.browser)
    const run = await requestOf(owner, rp.clientId)
    await turnedAway(run.href, victim)
    const changed = (more: Record<string, string | null>) => {
      const url = new URL(run)
      for (const [name, value] of Object.entries(more)) {
        if (value === null) url.searchParams.delete(name)
        else url.searchParams.set(name, value)
      }
      return url.href
    }
    const others: Record<string, string | null>[] = [
      { client_id: other.clientId },
      { code_challenge: 'x'.repeat(43) },
      { response_mode: 'fragment' },
      { response_type: 'none' },
      { state: null },
      { state: `${run.searchParams.get('state')}x` },
      { state: run.searchParams.get('state')?.replace(/^\d+/, '9999999999') ?? '' },
      { redirect_uri: `${redirect_uri}/` },
    ]
    for (const more of others) {
      await turnedAway(changed(more), owner.browser)
    }
    const pushed = await fetch(`${world.issuer}/request`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${rp.clientId}:${rp.clientSecret}`).toString('base64')}`,
      },
      body: run.searchParams,
    })
    t.is(pushed.status, 400)
  },
)

test.serial('a code somebody else brings to our address is exchanged for nobody', async (t) => {
  const rp = await world.buildApp()
  // The app's own code, and the state of a run of hers.
  const theirs = (await rp.begin(owner.browser)).url.searchParams.get('code') ?? ''
  const run = await requestOf(owner, rp.clientId)
  const state = run.searchParams.get('state') ?? ''
  const callback = `${tryCallback(world.issuer)}?${new URLSearchParams({ code: theirs, state })}`
  const page = await owner.browser.open(callback)
  t.true(page.document.querySelector('#refused')?.text.includes('invalid_grant'))

  const second = await openStaff(world)
  const shared = await requestOf(owner, rp.clientId)
  const lost = await second.open(`/admin/clients/try?${shared.searchParams}&code=x`)
  t.is(lost.status, 410)
  const narrow = await openStaff(world, [{ role: 'client-admin', reach: 'own' }])
  t.is((await narrow.open(`/admin/clients/${rp.clientId}/try`)).status, 404)
  const auditor = await openStaff(world, [{ role: 'auditor', reach: '' }])
  t.is((await auditor.open(`/admin/clients/${rp.clientId}/try`)).status, 403)
})

test.serial('what cannot be tried says so, and a machine’s request is shown instead', async (t) => {
  const machine = await world.buildApp({ type: 'machine' })
  const page = await owner.open(`/admin/clients/${machine.clientId}/try`)
  t.falsy(page.document.querySelector('#try-form'))
  t.true(page.document.querySelector('.snippet')?.text.includes('grant_type=client_credentials'))
  t.false(page.html.includes(machine.clientSecret ?? '-'))
  const device = await world.buildApp({ type: 'native', device: true, redirectUris: [] })
  const other = await owner.open(`/admin/clients/${device.clientId}/try`)
  t.truthy(other.document.querySelector('#untried'))
})

test.serial('its code to copy is filled with the app, and never with its secret', async (t) => {
  const rp = await world.buildApp({
    name: '</code><script>',
    redirectUris: ["https://a.example/it's"],
  })
  const page = await owner.open(`/admin/clients/${rp.clientId}/snippets`)
  t.is(page.status, 200)
  t.true(page.document.querySelectorAll('.snippet').length >= 6)
  t.false(page.html.includes(rp.clientSecret ?? '-'))
  t.true(page.document.querySelector('.snippet')?.text.includes(rp.clientId))
})
