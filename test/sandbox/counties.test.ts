/** Each pretend county keeps the habits its real one is known for. */
import { request } from 'node:http'
import test from 'ava'
import { decodeProtectedHeader } from 'jose'
import * as client from 'openid-client'
import { openBrowser } from '../helpers/browser.ts'
import { type Counties, leave, openCounties, redeem, signIn } from './counties-world.ts'

const standard = 'openid profile email eduinfo openid2 educloudroles'

async function through(counties: Counties, county: string, scope: string, account?: string) {
  const trip = await leave(counties, county, { scope })
  const tokens = await redeem(trip, await signIn(trip, account))
  const claims: Record<string, unknown> = { ...tokens.claims() }
  const userinfo = await client.fetchUserInfo(trip.app, tokens.access_token, String(claims.sub))
  return { trip, tokens, claims, userinfo, header: decodeProtectedHeader(tokens.id_token ?? '') }
}

const ask = (url: string, token: string) =>
  fetch(url, { headers: { authorization: `Bearer ${token}` } })

test('新北市 gives the plain account, names in userinfo and the old identifier in the ID token', async (t) => {
  const counties = await openCounties(t)
  const { claims, userinfo, tokens, header } = await through(counties, 'ntpc', standard)
  t.is(claims.sub, 'ntpctest')
  t.deepEqual(claims.openid2_id, ['https://openid.ntpc.edu.tw/user/ntpctest'])
  t.false('name' in claims)
  t.deepEqual(userinfo as object, {
    sub: 'ntpctest',
    name: '林雅雯',
    given_name: '雅雯',
    family_name: '林',
    email: 'ntpctest@apps.ntpc.example',
  })
  t.is(header.alg, 'RS256')
  t.truthy(header.kid)
  const eduinfo = await ask(
    `${counties.issuer('ntpc')}/cncresource/api/v1/eduinfo`,
    tokens.access_token,
  )
  t.is(eduinfo.headers.get('content-encoding'), null)
  t.deepEqual(await eduinfo.json(), {
    sub: 'ntpctest',
    schoolid: '014598',
    titles: [{ schoolid: '014598', titles: ['教師', '設備組長'] }],
  })
})

test('endpoints are named by the configured issuer, whatever the Host header says', async (t) => {
  const counties = await openCounties(t)
  const path = '/ntpc/.well-known/openid-configuration'
  const said = await new Promise<string>((resolve, reject) => {
    const { port } = new URL(counties.url)
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' }
    request({ host: '127.0.0.1', port, path, headers }, (answer) => {
      answer.setEncoding('utf8').once('data', resolve)
    })
      .once('error', reject)
      .end()
  })
  const metadata = JSON.parse(said)
  t.is(metadata.issuer, counties.issuer('ntpc'))
  t.is(metadata.authorization_endpoint, `${counties.issuer('ntpc')}/oidc/v1/azp`)
  t.is(metadata.jwks_uri, `${counties.issuer('ntpc')}/oidc/v1/jwksets`)
  t.false(said.includes('evil'))
})

test('高雄市 puts everything into the ID token, under a subject of this app alone', async (t) => {
  const counties = await openCounties(t)
  const scope = 'openid profile email kh_profile kh_titles kh_classes'
  const { claims, userinfo } = await through(counties, 'kh', scope)
  t.regex(String(claims.sub), /^[0-9a-f]{64}$/)
  t.like(claims, {
    name: '吳建宏',
    email: 'khtest@mail.kh.example',
    kh_titles: [{ sid: '613698', titles: ['教師', '設備組長'] }],
    kh_classes: [],
  })
  t.like(claims.kh_profile as object, { schoolid: '613698', fullname: '吳建宏' })
  t.false('gender' in claims, 'only pupils have one')
  t.deepEqual(userinfo as object, { sub: claims.sub })

  const pupil = await through(counties, 'kh', scope, 'khpupil')
  t.is(pupil.claims.gender, 'F')
  t.like((pupil.claims.kh_classes as object[])[0], { sid: '613698', classTitle: '201' })
  t.is((await through(counties, 'kh', scope)).claims.sub, claims.sub, 'the same at every sign-in')
})

test('高雄市 takes client_secret_post only', async (t) => {
  const counties = await openCounties(t)
  const trip = await leave(counties, 'kh')
  const back = await signIn(trip)
  const basic = await counties.app('kh', 'basic')
  const refused = await t.throwsAsync(redeem(trip, back, basic))
  t.is((refused as Error & { error?: string }).error, 'invalid_client')
  t.truthy((await redeem(trip, back)).id_token, 'the code is still good')
})

test('雲林縣 ignores a scope it does not know', async (t) => {
  const counties = await openCounties(t)
  const { claims, userinfo } = await through(counties, 'ylc', standard)
  t.false('openid2_id' in claims)
  t.false('open2_id' in claims)
  t.is(userinfo.name, '廖怡君')
})

test('花蓮縣 names no keys, calls the old identifier open2_id and has no classes', async (t) => {
  const counties = await openCounties(t)
  const { claims, header, tokens, trip } = await through(counties, 'hlc', standard, 'hlcpupil')
  t.deepEqual(header, { alg: 'RS256' })
  const { keys } = await (await fetch(String(trip.app.serverMetadata().jwks_uri))).json()
  t.is(keys.length, 1)
  t.false('kid' in keys[0])
  t.deepEqual(claims.open2_id, ['http://openid2.hlc.edu.tw/hlcpupil'])
  t.false('openid2_id' in claims)
  const eduinfo = await ask(
    `${counties.issuer('hlc')}/cncresource/api/v1/eduinfo`,
    tokens.access_token,
  )
  t.is((await eduinfo.json()).classinfo, null)
})

test('臺中市 answers eduinfo v2 with seats, compressed though nobody asked', async (t) => {
  const counties = await openCounties(t)
  const { tokens } = await through(counties, 'tc', standard, 'tcpupil')
  const eduinfo = await fetch(`${counties.issuer('tc')}/cncresource/api/v2/eduinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}`, 'accept-encoding': 'identity' },
  })
  t.is(eduinfo.headers.get('content-encoding'), 'gzip')
  t.like((await eduinfo.json()).classinfo[0], { grade: '3', classno: '06', seatno: '15' })
})

test('eduinfo wants a bearer token, and one with the eduinfo scope', async (t) => {
  const counties = await openCounties(t)
  const url = `${counties.issuer('ntpc')}/cncresource/api/v1/eduinfo`
  t.is((await fetch(url)).status, 401)
  t.is((await ask(url, 'made-up')).status, 401)
  const { tokens } = await through(counties, 'ntpc', 'openid profile')
  const poor = await ask(url, tokens.access_token)
  t.is(poor.status, 403)
  t.is(poor.headers.get('www-authenticate'), 'Bearer error="insufficient_scope"')
})

test('a session that first asked for little may later ask for more', async (t) => {
  const counties = await openCounties(t)
  const browser = openBrowser()
  const little = await leave(counties, 'ntpc')
  await redeem(little, await signIn(little, 'ntpctest', browser))
  const more = await leave(counties, 'ntpc', { scope: 'openid profile' })
  const tokens = await redeem(more, await browser.open(more.url))
  const userinfo = await client.fetchUserInfo(more.app, tokens.access_token, 'ntpctest')
  t.is(userinfo.name, '林雅雯')
})

test('a county remembers who signed in, and asks again at prompt=login', async (t) => {
  const counties = await openCounties(t)
  const browser = openBrowser()
  const first = await leave(counties, 'ntpc')
  await redeem(first, await signIn(first, 'ntpctest', browser))

  const second = await leave(counties, 'ntpc')
  t.is((await redeem(second, await browser.open(second.url))).claims()?.sub, 'ntpctest')

  const fresh = await leave(counties, 'ntpc', { prompt: 'login' })
  const page = await browser.open(fresh.url)
  t.truthy(page.document.querySelector('#county-login'))
  const back = await browser.submit(page, 'county-login', {
    account: 'ntpctwo',
    password: 'ntpctwo',
  })
  t.is((await redeem(fresh, back)).claims()?.sub, 'ntpctwo', 'and lets another person in')
})

test('「保持登入狀態」 decides whether the session outlives the browser', async (t) => {
  const counties = await openCounties(t)
  for (const [remember, lasts] of [
    [{}, false],
    [{ remember: 'yes' }, true],
  ] as const) {
    const browser = openBrowser()
    const page = await browser.open((await leave(counties, 'ntpc')).url)
    const fields = { account: 'ntpctest', password: 'ntpctest', ...remember }
    await browser.submit(page, 'county-login', fields)
    const kept = await browser.jar.getCookies(`${counties.issuer('ntpc')}/`)
    const session = kept.find((cookie) => cookie.key === 'sandbox_ntpc')
    t.is(session?.expires instanceof Date, lasts)
  }
})

test('a wrong password says so and keeps the account that was typed', async (t) => {
  const counties = await openCounties(t)
  const browser = openBrowser()
  const page = await browser.open((await leave(counties, 'ntpc')).url)
  const fields = { account: 'ntpctest', password: 'letmein<"', remember: 'yes' }
  const again = await browser.submit(page, 'county-login', fields)
  t.is(again.document.querySelector('#account')?.getAttribute('value'), 'ntpctest')
  t.true(again.document.querySelector('#remember')?.hasAttribute('checked'))
  t.truthy(again.document.querySelector('[role=alert]'))
  t.false(again.html.includes('letmein'))
})

test('who cancels comes back with access_denied', async (t) => {
  const counties = await openCounties(t)
  const browser = openBrowser()
  const trip = await leave(counties, 'ntpc')
  const back = await browser.submit(await browser.open(trip.url), 'county-login', { cancel: 'yes' })
  t.is(back.url.searchParams.get('error'), 'access_denied')
  t.is(back.url.searchParams.get('state'), trip.state)
})

test('signing out at a county ends its session', async (t) => {
  const counties = await openCounties(t)
  const browser = openBrowser()
  const trip = await leave(counties, 'hlc')
  const tokens = await redeem(trip, await signIn(trip, 'hlctest', browser))
  const hint = { id_token_hint: tokens.id_token ?? '' }
  const page = await browser.open(client.buildEndSessionUrl(trip.app, hint).href)
  t.truthy(page.document.querySelector('#county-logout-submit'))
  await browser.submit(page, 'op.logoutForm', { logout: 'yes' })
  const later = await browser.open((await leave(counties, 'hlc')).url)
  t.truthy(later.document.querySelector('#county-login'))
})

test('a sign-in page opened in another browser says that it is no longer valid', async (t) => {
  const counties = await openCounties(t)
  const page = await openBrowser().open((await leave(counties, 'ntpc')).url)
  const stranger = await openBrowser().open(page.url.href)
  t.is(stranger.status, 400)
  t.regex(stranger.html, /這個登入頁已失效/)
})

test('pages carry no script and no style of their own', async (t) => {
  const counties = await openCounties(t)
  const signInPage = await openBrowser().open((await leave(counties, 'ntpc')).url)
  const index = await openBrowser().open(`${counties.url}/`)
  for (const page of [signInPage, index]) {
    t.regex(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    t.is(page.document.querySelectorAll('script, style, [style]').length, 0)
    t.regex(page.html, /沙盒/)
  }
})
