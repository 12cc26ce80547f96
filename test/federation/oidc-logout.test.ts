import test from 'ava'
import { SignJWT } from 'jose'
import type { LogoutHeard } from '#federation/connector.ts'
import type { Claims } from '#federation/profile.ts'
import {
  type Canned,
  clientId,
  fails,
  generateKeys,
  issuer,
  keys,
  openUpstream,
  start,
} from './canned-upstream.ts'

const url = new URL('https://id.example/upstream/county/logout')
const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
const at = start / 1000

/** What the upstream posts, a healthy logout token but for what the test says. */
async function post(
  claims: Claims = {},
  {
    signWith = keys.privateKey,
    upstream = openUpstream(),
  }: Pick<Canned, 'signWith'> & {
    upstream?: ReturnType<typeof openUpstream>
  } = {},
): Promise<LogoutHeard | undefined> {
  const healthy = {
    iss: issuer,
    aud: clientId,
    iat: at,
    jti: 'one',
    events,
    sub: 'teacher1',
    sid: 's1',
  }
  const token = await new SignJWT({ ...healthy, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'logout+jwt' })
    .sign(signWith)
  const form = new URLSearchParams({ logout_token: token })
  return upstream.connector.hearLogout?.({ url, form })
}

test('a logout token says who signed out there, and in which session', async (t) => {
  t.deepEqual(await post(), { kind: 'ended', issuer, subject: 'teacher1', sid: 's1' })
  t.deepEqual(await post({ sub: undefined }), { kind: 'ended', issuer, sid: 's1' })
  t.deepEqual(await post({ sid: undefined }), { kind: 'ended', issuer, subject: 'teacher1' })
})

test('a logout token is good once', async (t) => {
  const upstream = openUpstream()
  await post({}, { upstream })
  await fails(t, 'forged', post({}, { upstream }))
  t.truthy(await post({ jti: 'two' }, { upstream }))
})

const forgeries: [string, Claims][] = [
  ['of another issuer', { iss: 'https://evil.example' }],
  ['for another client', { aud: 'another-app' }],
  ['with a nonce, as an ID token has', { nonce: 'n' }],
  ['that says nothing of a logout', { events: {} }],
  ['that is an ID token', { events: undefined, nonce: 'n' }],
  ['made six minutes ago', { iat: at - 360 }],
  ['made in a minute', { iat: at + 60 }],
  ['without a name of its own', { jti: undefined }],
]
for (const [title, claims] of forgeries) {
  test(`a logout token ${title} is forged`, (t) => fails(t, 'forged', post(claims)))
}

test('a logout token somebody else signed is forged', async (t) => {
  const { privateKey } = await generateKeys('k1')
  await fails(t, 'forged', post({}, { signWith: privateKey }))
})

test('a logout token that names nobody, and what is none, is nonsense', async (t) => {
  await fails(t, 'nonsense', post({ sub: undefined, sid: undefined }))
  const { connector } = openUpstream()
  const hear = async (form?: URLSearchParams) =>
    connector.hearLogout?.({ url, ...(form ? { form } : {}) })
  await fails(t, 'nonsense', hear())
  for (const form of ['', 'logout_token=a&logout_token=b', 'logout_token=x.y.z'])
    await fails(t, 'nonsense', hear(new URLSearchParams(form)))
})

test('her way to sign out there carries her ID token, under the names the upstream has', async (t) => {
  const metadata = { end_session_endpoint: `${issuer}/logout-to-go?from=us` }
  const names = {
    id_token_hint: 'Id_token_hint',
    post_logout_redirect_uri: 'post_logout_redirect_url',
  }
  const upstream = openUpstream({
    metadata,
    settings: { end_session_names: names },
    claims: { sid: 's1' },
  })
  const { session } = await upstream.signIn()
  t.is(session?.sid, 's1')
  t.true(session?.signsOut)
  const there = new URL(
    (await upstream.connector.signOut?.({ ...session, returnTo: url.href, state: 'st' })) ?? '',
  )
  t.is(there.origin + there.pathname, `${issuer}/logout-to-go`)
  t.is(there.searchParams.get('from'), 'us')
  t.is(there.searchParams.get('Id_token_hint'), session?.hint ?? '')
  t.is(there.searchParams.get('post_logout_redirect_url'), url.href)
  t.is(there.searchParams.get('state'), 'st')
})

test('where an upstream has no such page, or an unsafe one, nobody is sent there', async (t) => {
  const none = openUpstream()
  t.is((await none.signIn()).session, undefined)
  t.is(await none.connector.signOut?.({ returnTo: url.href, state: 'st' }), undefined)
  for (const endpoint of ['http://county.example/out', 'javascript:alert(1)']) {
    const unsafe = openUpstream({ metadata: { end_session_endpoint: endpoint } })
    t.is(await unsafe.connector.signOut?.({ returnTo: url.href, state: 'st' }), undefined)
    t.falsy((await unsafe.signIn()).session?.signsOut, 'it is not offered')
  }
})

test('a sign-out page of its own the file names is one a browser may be led to', async (t) => {
  const settings = { end_session_endpoint: 'https://out.county.example/logout' }
  const { connector, signIn } = openUpstream({ settings })
  t.true((await signIn()).session?.signsOut)
  t.deepEqual(connector.origins, [issuer, 'https://out.county.example'])
})
