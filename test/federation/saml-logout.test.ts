import { createPrivateKey } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import test from 'ava'
import type { UpstreamFailure } from '#errors.ts'
import { instant } from '#federation/connectors/saml/instants.ts'
import { logoutRequest, logoutResponse, type NameId } from '#federation/connectors/saml/messages.ts'
import { readRedirect, redirectTo } from '#federation/connectors/saml/redirect.ts'
import { sha256 } from '#lib/crypto.ts'
import { newId } from '#sandbox/providers/saml/answers.ts'
import { signRoot } from '#sandbox/providers/saml/sealed-xml.ts'
import {
  type Canned,
  citygate,
  entityId,
  fails,
  idp,
  metadataXml,
  openUpstream,
  own,
  persistent,
  signOutUrl,
  start,
  stranger,
} from './saml-upstream.ts'
import { sha1 } from './saml-weak.ts'

const minute = 60_000
const nameId: NameId = { value: 'T-0001', format: persistent }
const key = createPrivateKey(idp.key)

type Envelope = Parameters<typeof logoutRequest>[0]
const envelope = (more: Partial<Envelope> = {}): Envelope => ({
  id: newId(),
  at: instant(start),
  issuer: entityId,
  destination: own.logout,
  ...more,
})
const request = (more: Partial<Envelope> = {}, sessionIndex: string | undefined = 's1') =>
  logoutRequest(envelope(more), { nameId, ...(sessionIndex ? { sessionIndex } : {}) })
const asAddress = (xml: string, relayState?: string, by = key) =>
  new URL(
    redirectTo(
      own.logout,
      { kind: 'SAMLRequest', xml, ...(relayState === undefined ? {} : { relayState }) },
      by,
    ),
  )
const asForm = (kind: 'SAMLRequest' | 'SAMLResponse', xml: string, more = {}) => ({
  url: new URL(own.logout),
  form: new URLSearchParams({ [kind]: Buffer.from(xml).toString('base64'), ...more }),
})

function open(canned: Canned = {}) {
  const upstream = openUpstream(canned)
  const { signOut, hearLogout } = upstream.connector
  if (!signOut || !hearLogout) throw new Error('this connector knows no logout')
  return { ...upstream, signOut, hearLogout }
}

test('who signs out here is sent there with a signed request that names her and her session', async (t) => {
  const { signIn, signOut } = open()
  const { session } = await signIn()
  const url = (await signOut({ hint: session?.hint, returnTo: own.logout, state: 'out1' })) ?? ''
  t.true(url.startsWith(`${signOutUrl}?SAMLRequest=`))
  const { xml, relayState } = readRedirect(new URL(url).search, [citygate.certificate])
  t.is(relayState, 'out1')
  for (const part of [
    `Destination="${signOutUrl}"`,
    `<saml:Issuer>${own.metadata}</saml:Issuer>`,
    `<saml:NameID Format="${persistent}">T-0001</saml:NameID>`,
    '<samlp:SessionIndex>s1</samlp:SessionIndex>',
  ])
    t.true(xml.includes(part), part)
})

test('where there is no place to sign out, or nobody known to sign out, nobody is sent', async (t) => {
  const { signOut } = open()
  t.is(await signOut({ returnTo: own.logout, state: 'out1' }), undefined)
  const without = open({
    metadata: () => new Response(metadataXml().replace(/<md:SingleLogoutService[^>]*>/, '')),
  })
  const { session } = await without.signIn()
  t.is(await without.signOut({ hint: session?.hint, returnTo: '', state: 'out1' }), undefined)
})

test('its answer to our request is known by the state it brings back', async (t) => {
  const { signIn, signOut, hearLogout } = open()
  const { session } = await signIn()
  const url = (await signOut({ hint: session?.hint, returnTo: own.logout, state: 'out1' })) ?? ''
  const { xml } = readRedirect(new URL(url).search, [citygate.certificate])
  const asked = / ID="([^"]+)"/.exec(xml)?.[1] ?? ''
  const answer = (relayState: string, inResponseTo = asked) => {
    const xml = logoutResponse(envelope(), inResponseTo)
    return new URL(redirectTo(own.logout, { kind: 'SAMLResponse', xml, relayState }, key))
  }
  t.deepEqual(await hearLogout({ url: answer('out1') }), { kind: 'answered' })
  const form = await signRoot(logoutResponse(envelope(), asked), idp)
  t.deepEqual(await hearLogout(asForm('SAMLResponse', form, { RelayState: 'out1' })), {
    kind: 'answered',
  })
  await fails(t, 'forged', hearLogout({ url: answer('out2') }), /our request/)
  await fails(t, 'forged', hearLogout({ url: answer('out1', newId()) }), /our request/)
})

test('a sign-out there, in the address or as a form, is heard once and answered', async (t) => {
  const { hearLogout } = open()
  // What two spellings are possible of must stand in the answer as it is signed.
  const relayState = "https://idp.example/return?to=~(a'b)*!"
  const id = newId()
  const heard = await hearLogout({ url: asAddress(request({ id }), relayState) })
  t.like(heard, { kind: 'ended', issuer: entityId, subject: 'T-0001', sid: sha256('T-0001\ns1') })
  const reply = 'reply' in heard ? (heard.reply ?? '') : ''
  t.true(reply.startsWith(`${signOutUrl}?SAMLResponse=`))
  const said = readRedirect(new URL(reply).search, [citygate.certificate])
  t.is(said.relayState, relayState)
  t.true(said.xml.includes(`InResponseTo="${id}"`))
  t.true(said.xml.includes('status:Success'))

  const form = asForm('SAMLRequest', await signRoot(request(), idp), { RelayState: 'r' })
  t.like(await hearLogout(form), { kind: 'ended', subject: 'T-0001', sid: sha256('T-0001\ns1') })
  await fails(t, 'forged', hearLogout(form), /came before/)
  await fails(t, 'forged', hearLogout({ url: asAddress(request({ id })) }), /came before/)
})

test('without a session it is all of hers; where links stand under an attribute, only the session', async (t) => {
  const all = await open().hearLogout({ url: asAddress(request({}, '')) })
  t.like(all, { kind: 'ended', subject: 'T-0001' })
  t.false('sid' in all)
  const several = request().replace(
    '</samlp:LogoutRequest>',
    '<samlp:SessionIndex>s2</samlp:SessionIndex></samlp:LogoutRequest>',
  )
  t.false('sid' in (await open().hearLogout({ url: asAddress(several) })))
  const byAttribute = open({ settings: { subject: 'employeeId' } })
  const one = await byAttribute.hearLogout({ url: asAddress(request()) })
  t.like(one, { kind: 'ended', sid: sha256('T-0001\ns1') })
  t.false('subject' in one)
  const nobody = byAttribute.hearLogout({ url: asAddress(request({}, '')) })
  await fails(t, 'nonsense', nobody, /neither who/)
})

test('its new key is looked for when a sign-out is signed with it', async (t) => {
  let certificate = idp.certificate
  const { hearLogout, connector, clock } = open({
    metadata: () => new Response(metadataXml(certificate)),
  })
  await connector.probe()
  certificate = stranger.certificate
  clock.now += 2 * minute
  const inAddress = asAddress(
    request({ at: instant(clock.now) }),
    'r',
    createPrivateKey(stranger.key),
  )
  t.like(await hearLogout({ url: inAddress }), { kind: 'ended' })
  certificate = idp.certificate
  clock.now += 2 * minute
  const form = await signRoot(request({ at: instant(clock.now) }), idp)
  t.like(await hearLogout(asForm('SAMLRequest', form)), { kind: 'ended' })
})

const query = (change: (query: URLSearchParams) => void) => {
  const url = asAddress(request(), 'r')
  change(url.searchParams)
  return { url }
}

const attacks: Record<
  string,
  [UpstreamFailure, RegExp, () => Promise<{ url: URL; form?: URLSearchParams }>]
> = {
  'unsigned, in the address': [
    'forged',
    /not signed/,
    async () => query((all) => all.delete('Signature')),
  ],
  'unsigned, as a form': ['forged', /not signed/, async () => asForm('SAMLRequest', request())],
  "another's signature, in the address": [
    'forged',
    /does not hold/,
    async () => ({ url: asAddress(request(), 'r', createPrivateKey(stranger.key)) }),
  ],
  "another's signature, as a form": [
    'forged',
    /does not hold/,
    async () => asForm('SAMLRequest', await signRoot(request(), stranger)),
  ],
  'SHA-1, in the address': [
    'forged',
    /SigAlg/,
    async () => query((all) => all.set('SigAlg', sha1.signature)),
  ],
  'SHA-1, as a form': [
    'forged',
    /none that counts/,
    async () => asForm('SAMLRequest', await signRoot(request(), idp, sha1)),
  ],
  'an algorithm of every object': [
    'forged',
    /SigAlg/,
    async () => query((all) => all.set('SigAlg', 'constructor')),
  ],
  'longer than anybody needs': [
    'nonsense',
    /16 KB/,
    async () => asForm('SAMLRequest', request() + ' '.repeat(16 * 1024)),
  ],
  'another RelayState than was signed': [
    'forged',
    /does not hold/,
    async () => query((all) => all.set('RelayState', 'elsewhere')),
  ],
  'another message than was signed': [
    'forged',
    /does not hold/,
    async () =>
      query((all) => all.set('SAMLRequest', deflateRawSync(request()).toString('base64'))),
  ],
  'a name changed in the form': [
    'forged',
    /does not hold/,
    async () => asForm('SAMLRequest', (await signRoot(request(), idp)).replace('T-0001', 'T-0002')),
  ],
  'a name of her own, cut to another’s by an instruction': [
    'nonsense',
    /no place/,
    async () =>
      asForm('SAMLRequest', (await signRoot(request(), idp)).replace('T-0001', 'T-0<?xml 001?>')),
  ],
  'of more elements than anybody needs': [
    'nonsense',
    /too many elements/,
    async () =>
      asForm(
        'SAMLRequest',
        (await signRoot(request(), idp)).replace(
          '<saml:NameID',
          `${'<a/>'.repeat(300)}<saml:NameID`,
        ),
      ),
  ],
  'whose name is a long story': [
    'nonsense',
    /it is no LogoutRequest$/,
    async () => asForm('SAMLRequest', `<${'evil'.repeat(1000)}/>`),
  ],
  'that says the sign-out failed': [
    'refused',
    /status Responder/,
    async () => {
      const xml = logoutResponse(envelope(), '_x').replace('status:Success', 'status:Responder')
      return asForm('SAMLResponse', await signRoot(xml, idp))
    },
  ],
  'a signed request inside another one': [
    'forged',
    /not signed/,
    async () =>
      asForm(
        'SAMLRequest',
        request().replace('<saml:NameID', `${await signRoot(request(), idp)}<saml:NameID`),
      ),
  ],
  'a parameter that comes twice': [
    'forged',
    /twice/,
    async () => query((all) => all.append('SAMLRequest', 'x')),
  ],
  'a request and a response at once': [
    'forged',
    /a request and a response/,
    async () => query((all) => all.append('SAMLResponse', 'x')),
  ],
  'of another upstream': [
    'forged',
    /not this upstream/,
    async () => ({ url: asAddress(request({ issuer: 'https://other.example' })) }),
  ],
  'sent to somebody else': [
    'forged',
    /somebody else/,
    async () => ({ url: asAddress(request({ destination: own.callback })) }),
  ],
  'made ten minutes ago': [
    'forged',
    /too old/,
    async () => ({ url: asAddress(request({ at: instant(start - 10 * minute) })) }),
  ],
  'over by its own word': [
    'forged',
    /expired/,
    async () => ({
      url: asAddress(
        request().replace(
          '<samlp:LogoutRequest',
          `<samlp:LogoutRequest NotOnOrAfter="${instant(start - 3 * minute)}"`,
        ),
      ),
    }),
  ],
  'that inflates without end': [
    'nonsense',
    /inflated/,
    async () => ({ url: asAddress(request() + ' '.repeat(1_000_000)) }),
  ],
  'with a DOCTYPE': [
    'nonsense',
    /DOCTYPE/,
    async () => ({ url: asAddress(`<!DOCTYPE x>${request()}`) }),
  ],
  'that is a sign-in': [
    'nonsense',
    /no LogoutRequest/,
    async () => ({ url: asAddress(request().replaceAll('LogoutRequest', 'AuthnRequest')) }),
  ],
  'with nothing in it': ['forged', /not signed/, async () => ({ url: new URL(own.logout) })],
  'with an empty form': [
    'nonsense',
    /neither/,
    async () => ({ url: new URL(own.logout), form: new URLSearchParams() }),
  ],
}

for (const [title, [failure, hint, make]] of Object.entries(attacks))
  test(`refused: a logout message ${title}`, async (t) => {
    const { hearLogout, calls } = open()
    await fails(t, failure, hearLogout(await make()), hint)
    t.deepEqual(calls, [entityId])
  })
