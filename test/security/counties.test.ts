import test from 'ava'
import { signInFederated } from '#accounts/federated.ts'
import { UpstreamError } from '#errors.ts'
import type { Connector, Trip, UpstreamIdentity } from '#federation/connector.ts'
import { openDatabase } from '#store/database.ts'
import { openBrowser } from '../helpers/browser.ts'
import { buildStore } from '../helpers/database.ts'
import { buildIdentity } from '../helpers/people.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { connectUpstream } from '../helpers/upstreams.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** Connects 新北市 to a county that vouches for `identity` without asking anybody, as a county with a session does. */
function connect(world: World, identity: () => Partial<UpstreamIdentity> = () => ({})) {
  const trips: Trip[] = []
  const connector: Connector = {
    id: 'ntpc',
    origins: ['https://ntpc.sso.edu.tw'],
    servers: [],
    probe: async () => {},
    async begin(trip) {
      trips.push(trip)
      return { url: `${trip.callbackUrl}?state=${trip.state}&code=x`, memo: {} }
    },
    complete: async () => buildIdentity(identity()),
  }
  connectUpstream(world, connector)
  return trips
}

const where = { clientId: 'app', address: '127.0.0.1', ref: 'R' }

test('an app learns when the county saw the person, not when she came back from there', async (t) => {
  const world = await buildWorld(t)
  const hourAgo = Math.floor(Date.now() / 1000) - 3600
  connect(world, () => ({ authTime: hourAgo }))
  const rp = await world.buildApp()
  const back = await rp.begin(openBrowser(), { upstream: 'ntpc', max_age: '60' })
  // Either the app hears the truth or it hears that she could not be asked anew.
  if (!arrivedAt(rp, back) || back.url.searchParams.has('error')) return t.pass()
  const { body } = await rp.redeem(back.url)
  t.is((await rp.verify(body.id_token)).payload.auth_time, hourAgo)
})

test('who wants another account is asked by the county who she is', async (t) => {
  const world = await buildWorld(t)
  const trips = connect(world)
  const rp = await world.buildApp()
  const browser = openBrowser()
  t.true(arrivedAt(rp, await rp.begin(browser, { upstream: 'ntpc' })))
  const asked = await rp.begin(browser, { prompt: 'select_account' })
  const another = await browser.open(`${asked.url.href}?as=another`)
  await browser.submit(another, 'county-form', { connector: 'ntpc' })
  t.deepEqual(
    trips.map(({ fresh }) => fresh),
    [false, true],
  )
})

test('a county that cannot give what the app insists on is tried once, not in a circle', async (t) => {
  const world = await buildWorld(t)
  const trips = connect(world)
  const rp = await world.buildApp()
  const acr = { essential: true, value: 'urn:citygate:acr:password' }
  const page = await rp
    .begin(openBrowser(), { upstream: 'ntpc', claims: JSON.stringify({ id_token: { acr } }) })
    .catch(() => undefined)
  t.is(trips.length, 1)
  t.is(page?.status, 200)
})

test('subjects that differ never meet in one account', async (t) => {
  const store = await buildStore(t)
  const accounts = new Set<string>()
  const subjects = ['a', 'A', ' a', 'a ', 'é', 'e\u0301', '王', '王 ']
  for (const subject of subjects) {
    const made = await signInFederated(store, buildIdentity({ subject }), Date.now, where)
    if (made.kind === 'signed-in') accounts.add(made.accountId)
  }
  t.is(accounts.size, subjects.length)
  // What a database would change on the way in is nobody's.
  const changed = ['a\u0000b', 'a\u0000c', '\ud800', '\ud801', '', ' ', 'x'.repeat(256)]
  // What is written of everybody whose number is not known is nobody's, either.
  const unknown = ['NA', 'N/A', 'null', 'undefined', '0', '00000000-0000-0000-0000-000000000000']
  for (const subject of [...changed, ...unknown]) {
    await t.throwsAsync(signInFederated(store, buildIdentity({ subject }), Date.now, where), {
      instanceOf: UpstreamError,
    })
  }
})

test('a trip that comes back while its question is being answered elsewhere ends on a page that says so', async (t) => {
  const world = await buildWorld(t)
  connect(world)
  const rp = await world.buildApp()
  const { payloads } = world.house.store
  payloads.replace = async () => false
  const page = await rp.begin(openBrowser(), { upstream: 'ntpc' })
  t.is(page.status, 400)
  t.false(page.html.includes('找不到'), 'not "this page cannot be found"')
})

test('changing the language of a page sends nobody to a county', async (t) => {
  const world = await buildWorld(t)
  const trips = connect(world, () => {
    throw new UpstreamError('ntpc', 'refused', 'error=access_denied')
  })
  const rp = await world.buildApp()
  const browser = openBrowser()
  const refused = await rp.begin(browser, { upstream: 'ntpc' })
  t.is(refused.status, 403)
  const english = refused.document.querySelector('#language-en')?.getAttribute('href') ?? ''
  await browser.open(new URL(english, world.issuer).href)
  t.is(trips.length, 1)
})

test('an account that is stopped while its owner is at the county does not come in', async (t) => {
  const world = await buildWorld(t)
  connect(world)
  const rp = await world.buildApp()
  const first = openBrowser()
  t.true(arrivedAt(rp, await rp.begin(first, { upstream: 'ntpc' })))
  const linked = await world.house.store.identities.find('https://ntpc.sso.edu.tw', 'teacher1')
  const knex = openDatabase(world.house.config.database)
  t.teardown(() => knex.destroy())
  // Between the county's word and the app's answer.
  const { replace } = world.house.store.payloads
  world.house.store.payloads.replace = async (row) => {
    await knex('account').where({ id: linked?.account.id }).update({ status: 'suspended' })
    return replace(row)
  }
  const page = await rp.begin(openBrowser(), { upstream: 'ntpc', state: 'second' })
  t.false(page.url.searchParams.has('code'))
  t.true(page.status < 500, `${page.status}`)
})
