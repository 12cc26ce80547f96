/** The county with OpenID 2.0, from the app to its page and back. */
import test from 'ava'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const leaveFor = async (world: World, county: string) => {
  const browser = openBrowser()
  const page = await browser.open(`${world.issuer}/account`)
  return { browser, page: await browser.submit(page, 'county-form', { connector: county }) }
}

const as = (account: string) => ({ account, password: account })

const identityOf = async ({ counties, house: { store } }: World, account: string) =>
  (await store.identities.find(`${counties}/tn/op/`, `${counties}/tn/op/user.aspx/${account}`))
    ?.identity

test('who comes from Tainan is who its signed answer says, whichever way that comes', async (t) => {
  const world = await buildWorld(t, { sandbox: true })

  const { browser, page } = await leaveFor(world, 'tn')
  t.true(page.url.href.startsWith(`${world.counties}/tn/op/server?`))
  const back = await browser.submit(page, 'county-login', as('tntest'))
  t.is(back.url.pathname, '/account', back.html)
  t.true(back.html.includes('郭美惠'))
  t.deepEqual((await identityOf(world, 'tntest'))?.openid2Ids, [
    `${world.counties}/tn/op/user.aspx/tntest`,
  ])

  // The same as a form, as providers send what is long for an address.
  const pupil = await leaveFor(world, 'tn')
  const sent = await pupil.browser.request(pupil.page.url.href, {
    method: 'POST',
    body: new URLSearchParams(as('tnpupil')),
  })
  const answer = new URL(sent.headers.get('location') ?? '')
  const form = new URLSearchParams(
    [...answer.searchParams].filter(([name]) => name.startsWith('openid.')),
  )
  answer.search = `?state=${answer.searchParams.get('state')}`
  const parked = await fetch(answer, { method: 'POST', body: form, redirect: 'manual' })
  t.is(parked.status, 303)
  const next = new URL(parked.headers.get('location') ?? '', answer)
  const arrived = await pupil.browser.open(next.href)
  t.is(arrived.url.pathname, '/account', arrived.html)
  t.true(arrived.html.includes('蘇柏睿'))
  const { accountId = '' } = (await identityOf(world, 'tnpupil')) ?? {}
  const [affiliation] = await world.house.store.affiliations.ofAccount(accountId)
  t.like(affiliation, { schoolCode: '114698', role: 'student' })
  t.notRegex(world.log.join(''), /tntest|tnpupil|郭美惠|openid\.sig/)

  const cancelled = await leaveFor(world, 'tn')
  const no = await cancelled.browser.submit(cancelled.page, 'county-login', { cancel: 'yes' })
  t.is(no.status, 403, no.html)

  // Each lie its switch makes it tell is heard as one.
  const tell = async (mode: string): Promise<Page> => {
    await world.switchCounty('tn', mode)
    const { browser, page } = await leaveFor(world, 'tn')
    return page.document.querySelector('#county-login')
      ? browser.submit(page, 'county-login', as('tntest'))
      : page
  }
  t.is((await tell('refuses')).status, 403)
  for (const mode of ['wrong-signature', 'unsigned-attribute', 'foreign-claimed-id'])
    t.is((await tell(mode)).status, 400, mode)
  t.is((await tell('replayed-nonce')).url.pathname, '/account')
  t.is((await tell('replayed-nonce')).status, 400)
  t.is(world.log.filter((line) => line.includes('"failure":"forged"')).length, 4)
})

test('a provider learns at our home page where people come back to, if there is one to learn it', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const home = await fetch(`${world.issuer}/`, { headers: { accept: 'text/html' } })
  t.regex(home.headers.get('content-type') ?? '', /html/)
  t.is(home.headers.get('x-xrds-location'), `${world.issuer}/xrds`)
  const said = await fetch(`${world.issuer}/`, { headers: { accept: 'application/xrds+xml' } })
  t.regex(said.headers.get('content-type') ?? '', /^application\/xrds\+xml/)
  const document = await said.text()
  t.is(await (await fetch(`${world.issuer}/xrds`)).text(), document)
  t.true(document.includes('<Type>http://specs.openid.net/auth/2.0/return_to</Type>'))
  t.deepEqual(
    [...document.matchAll(/<URI>(.*)<\/URI>/g)].map(([, uri]) => uri),
    [`${world.issuer}/upstream/tn/callback`],
  )
})

test('without such a county nothing is said of OpenID 2.0', async (t) => {
  const { issuer } = await buildWorld(t)
  const home = await fetch(`${issuer}/`, { headers: { accept: 'application/xrds+xml' } })
  t.regex(home.headers.get('content-type') ?? '', /html/)
  t.is(home.headers.get('x-xrds-location'), null)
  t.is((await fetch(`${issuer}/xrds`)).status, 404)
})
