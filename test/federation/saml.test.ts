import test from 'ava'
import type { UpstreamFailure } from '#errors.ts'
import { readRedirect } from '#federation/connectors/saml/redirect.ts'
import { decode } from '#federation/connectors/saml/xml.ts'
import { sha256 } from '#lib/crypto.ts'
import { newId } from '#sandbox/providers/saml/answers.ts'
import { costOf } from '../helpers/computing.ts'
import {
  type Attack,
  type Canned,
  citygate,
  entityId,
  fails,
  idp,
  metadataXml,
  openUpstream,
  own,
  persistent,
  signInUrl,
  start,
  stranger,
  transient,
} from './saml-upstream.ts'
import { sha1, signWithHmac } from './saml-weak.ts'

const minute = 60_000

test('a teacher signs in and is who the signed assertion says', async (t) => {
  const { signIn, calls } = openUpstream({ file: { fingerprint: 'guid' } })
  const guid = 'AB'.repeat(32)
  const attributes = {
    displayName: ['王小明'],
    mail: [' wang@uni.example '],
    schoolCode: ['014569'],
    title: ['教師', '設備組長'],
    note: ['<兼> "導師" & 社團'],
    guid: [guid],
    empty: [''],
    email_verified: ['true'],
  }
  t.deepEqual(await signIn({ said: { authenticatedAt: start - minute, attributes } }), {
    connector: 'uni',
    issuer: entityId,
    subject: 'T-0001',
    profile: { name: '王小明', email: 'wang@uni.example' },
    affiliations: [
      { schoolCode: '014569', role: 'teacher', titles: attributes.title, classes: [] },
    ],
    openid2Ids: [],
    fingerprint: guid.toLowerCase(),
    session: {
      // The index alone may be somebody else’s as well: `1`.
      sid: sha256('T-0001\ns1'),
      hint: JSON.stringify({
        nameId: { value: 'T-0001', format: persistent },
        sessionIndex: 's1',
      }),
      signsOut: true,
    },
    acr: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    authTime: (start - minute) / 1000,
    raw: {
      displayName: '王小明',
      mail: 'wang@uni.example',
      schoolCode: '014569',
      title: attributes.title,
      note: '<兼> "導師" & 社團',
      email_verified: 'true',
    },
  })
  t.deepEqual(calls, [entityId], 'nothing was read but its metadata')
})

test('an encrypted assertion is opened; where the file wants one, no other is taken', async (t) => {
  const { signIn } = openUpstream({ settings: { encrypted: true } })
  const attributes = { displayName: ['歐陽佩珊'] }
  t.is((await signIn({ encrypt: true, said: { attributes } })).profile.name, '歐陽佩珊')
  await fails(t, 'forged', signIn(), /not encrypted/)
})

test('opening reads nothing, and where its pages are is known', (t) => {
  const { connector, calls } = openUpstream({
    settings: {
      sign_out_url: 'https://bye.uni.example:8443/slo',
      sign_in_origins: ['https://*.uni.example'],
    },
  })
  t.deepEqual(connector.origins, [
    'https://idp.example',
    'https://bye.uni.example:8443',
    'https://*.uni.example',
  ])
  t.deepEqual(connector.servers, ['idp.example:443', 'bye.uni.example:8443'])
  t.is(calls.length, 0)
})

test('she leaves with a signed request that names our address, its own and the trip', async (t) => {
  const { begin } = openUpstream()
  const { url, memo } = await begin({ state: 's'.repeat(43), fresh: true })
  t.true(url.startsWith(`${signInUrl}&SAMLRequest=`))
  const { xml, relayState } = readRedirect(new URL(url).search.replace('?tenant=1&', '?'), [
    citygate.certificate,
  ])
  t.is(relayState, 's'.repeat(43))
  for (const part of [
    `ID="${memo.request}"`,
    `IssueInstant="${new Date(start).toISOString()}"`,
    `Destination="${signInUrl}"`,
    `AssertionConsumerServiceURL="${own.callback}"`,
    'ForceAuthn="true"',
    `<saml:Issuer>${own.metadata}</saml:Issuer>`,
    `<samlp:NameIDPolicy Format="${persistent}" AllowCreate="true"/>`,
  ])
    t.true(xml.includes(part), part)
  const again = await begin()
  t.not(again.memo.request, memo.request)
  t.notRegex(again.url, /ForceAuthn/)
  await t.throwsAsync(begin({ state: 's'.repeat(81) }), { message: /RelayState|authentication/ })
})

test('who was to prove herself anew must have done so after she left', async (t) => {
  const { signIn } = openUpstream()
  const said = { authenticatedAt: start - 10 * minute }
  t.is((await signIn({ said })).authTime, said.authenticatedAt / 1000)
  await fails(t, 'nonsense', signIn({ said }, { fresh: true }), /anew/)
  await t.notThrowsAsync(signIn({ said: { authenticatedAt: start - minute } }, { fresh: true }))
})

test('names that differ in a space no layout writes are two names', async (t) => {
  const { signIn } = openUpstream()
  const with_ = (value: string) => signIn({ said: { nameId: { value, format: persistent } } })
  t.is((await with_('wang\u3000')).subject, 'wang\u3000')
  t.is((await with_('\n  wang\n')).subject, 'wang')
})

test('the link may be kept under an attribute, of which there must be one value', async (t) => {
  const { signIn } = openUpstream({ settings: { subject: 'employeeId' } })
  const nameId = { value: 'other each time', format: transient }
  const with_ = (employeeId: string[]) => signIn({ said: { nameId, attributes: { employeeId } } })
  t.is((await with_(['E7'])).subject, 'E7')
  await fails(t, 'nonsense', with_(['E7', 'E8']), /one value/)
  await fails(t, 'nonsense', with_([]), /one value/)
})

/** The parts of a response on its way. */
const parts = (xml: string) => {
  const assertion = /<saml:Assertion.*<\/saml:Assertion>/s.exec(xml)?.[0] ?? ''
  const [ofResponse = '', ofAssertion = ''] = xml.match(/<ds:Signature.*?<\/ds:Signature>/gs) ?? []
  return { assertion, ofResponse, ofAssertion }
}
const evil = (xml: string) => xml.replaceAll('T-0001', 'evil')
const renamed = (xml: string) => xml.replace(/ ID="[^"]+"/, ` ID="${newId()}"`)
const unsigned = (xml: string) => xml.replace(/<ds:Signature.*?<\/ds:Signature>/s, '')
const inObject = (signature: string, inner: string) =>
  signature.replace('</ds:Signature>', `<ds:Object>${inner}</ds:Object></ds:Signature>`)
const around = (xml: string, make: (assertion: string, ofAssertion: string) => string) => {
  const { assertion, ofAssertion } = parts(xml)
  return xml.replace(assertion, () => make(assertion, ofAssertion))
}
const beforeEnd = (xml: string, inner: string) =>
  xml.replace('</saml:Assertion>', `${inner}</saml:Assertion>`)

/** All of a good upstream's answer, but for what is said here. */
const attacks: Record<string, [UpstreamFailure, RegExp, Attack, Canned?]> = {
  'nothing is signed': ['forged', /not signed/, { signAssertion: false, signResponse: false }],
  'only the response is signed': ['forged', /Assertion is not signed/, { signAssertion: false }],
  'only the assertion is signed': ['forged', /Response is not signed/, { signResponse: false }],
  'only the response is signed, round an encrypted assertion': [
    'forged',
    /signature does not hold/,
    { signAssertion: false, encrypt: true },
  ],
  'the signatures were cut out': [
    'forged',
    /not signed/,
    { underway: (xml) => unsigned(unsigned(xml)) },
  ],
  'an attribute was changed': [
    'forged',
    /does not hold/,
    { underway: (xml) => xml.replace('王小明', '王大明') },
  ],
  'the name was changed': ['forged', /does not hold/, { underway: evil }],
  'a comment cuts the name (admin<!---->@x)': [
    'nonsense',
    /no place/,
    {
      said: { nameId: { value: 'admin@x.evil', format: persistent } },
      underway: (xml) => xml.replace('admin@x', 'admin@x<!---->'),
    },
  ],
  'a comment the upstream signed itself cuts the name': [
    'nonsense',
    /no place/,
    { assertion: (xml) => xml.replace('T-0001', 'T-<!---->0001'), encrypt: true },
  ],
  'an instruction cuts the name (admin<?xml @x?>), which is written as it was signed': [
    'nonsense',
    /no place/,
    { underway: (xml) => xml.replace('T-0001', 'T-<?xml 0001?>') },
  ],
  'wrapping: another response, the signed one in its signature': [
    'forged',
    /exactly one assertion|more than a signature/,
    {
      underway(xml) {
        const { ofResponse } = parts(xml)
        const original = xml.replace(ofResponse, '')
        return renamed(evil(xml)).replace(ofResponse, () => inObject(ofResponse, original))
      },
    },
  ],
  'wrapping: another response, the signed one beside its signature': [
    'forged',
    /exactly one assertion/,
    {
      underway(xml) {
        const { ofResponse } = parts(xml)
        const original = xml.replace(ofResponse, '')
        return renamed(evil(xml)).replace(ofResponse, () => ofResponse + original)
      },
    },
  ],
  'wrapping: another assertion before the signed one': [
    'forged',
    /exactly one assertion/,
    {
      signResponse: false,
      underway: (xml) => around(xml, (one) => renamed(evil(unsigned(one))) + one),
    },
  ],
  'wrapping: another assertion round the signed one': [
    'forged',
    /exactly one assertion/,
    {
      underway: (xml) => around(xml, (one) => beforeEnd(renamed(evil(unsigned(one))), one)),
    },
  ],
  'wrapping: the signature moved to another assertion, the signed one behind it': [
    'forged',
    /exactly one assertion/,
    { underway: (xml) => around(xml, (one) => renamed(evil(one)) + unsigned(one)) },
  ],
  'wrapping: the signed assertion in the signature of another one': [
    'forged',
    /exactly one assertion/,
    {
      underway: (xml) =>
        around(xml, (one, signature) =>
          renamed(evil(one)).replace(signature, () => inObject(signature, unsigned(one))),
        ),
    },
  ],
  'wrapping: the signed assertion in Extensions, another with its ID in its place': [
    'forged',
    /exactly one assertion/,
    {
      underway: (xml) =>
        around(xml, (one) => evil(one)).replace(
          '<samlp:Status>',
          () => `<samlp:Extensions>${parts(xml).assertion}</samlp:Extensions><samlp:Status>`,
        ),
    },
  ],
  'wrapping: the signed assertion under another name, hers in its place': [
    'forged',
    /is not signed|signatures of something else/,
    {
      signResponse: false,
      underway: (xml) =>
        around(
          xml,
          (one) =>
            `<x:Holder xmlns:x="urn:x">${one.replaceAll('saml:Assertion', 'x:Assertion')}</x:Holder>${renamed(evil(unsigned(one)))}`,
        ),
    },
  ],
  'two assertions, both signed': [
    'forged',
    /exactly one assertion/,
    { signedAssertion: (xml) => xml + xml.replaceAll(/_[0-9a-f]{32}/g, newId()) },
  ],
  'no assertion at all': ['forged', /exactly one assertion/, { signedAssertion: () => '' }],
  'another issuer (the answer of another upstream)': [
    'forged',
    /not this upstream/,
    { said: { issuer: 'https://other.example/saml' } },
  ],
  'another issuer in the assertion only': [
    'forged',
    /assertion is not this upstream/,
    { assertion: (xml) => xml.replace(entityId, 'https://other.example/saml') },
  ],
  'another audience': ['forged', /audience/, { said: { audience: 'https://else.example/sp' } }],
  'no audience': [
    'forged',
    /audience/,
    {
      assertion: (xml) =>
        xml.replace(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/, ''),
    },
  ],
  'a second audience restriction without us': [
    'forged',
    /audience/,
    {
      assertion: (xml) =>
        xml.replace(
          '</saml:Conditions>',
          '<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
        ),
    },
  ],
  'a condition nobody understands': [
    'nonsense',
    /condition/,
    {
      assertion: (xml) => xml.replace('</saml:Conditions>', '<saml:Condition/></saml:Conditions>'),
    },
  ],
  'another Recipient': [
    'forged',
    /Recipient/,
    { said: { recipient: 'https://id.example/upstream/other/callback' } },
  ],
  'another Destination': [
    'forged',
    /sent to somebody else/,
    { said: { destination: 'https://id.example/upstream/other/callback' } },
  ],
  'no Destination': [
    'forged',
    /sent to somebody else/,
    { response: (xml) => xml.replace(/ Destination="[^"]+"/, '') },
  ],
  'another InResponseTo': ['forged', /our request/, { said: { inResponseTo: newId() } }],
  'another InResponseTo in the assertion only': [
    'forged',
    /another request/,
    { assertion: (xml) => xml.replace(/InResponseTo="[^"]+"/, `InResponseTo="${newId()}"`) },
  ],
  unsolicited: [
    'forged',
    /our request/,
    {
      response: (xml) => xml.replace(/ InResponseTo="[^"]+"/, ''),
      assertion: (xml) => xml.replace(/ InResponseTo="[^"]+"/, ''),
    },
  ],
  'no InResponseTo in the assertion': [
    'forged',
    /another request/,
    { assertion: (xml) => xml.replace(/ InResponseTo="[^"]+"/, '') },
  ],
  'no bearer': [
    'nonsense',
    /bearer/,
    { assertion: (xml) => xml.replace('cm:bearer', 'cm:sender-vouches') },
  ],
  'made ten minutes ago': ['forged', /too old/, { said: { at: start - 10 * minute } }],
  'with an assertion made ten minutes ago': [
    'forged',
    /Assertion is too old/,
    {
      assertion: (xml) =>
        xml.replace(
          /IssueInstant="[^"]+/,
          `IssueInstant="${new Date(start - 10 * minute).toISOString()}`,
        ),
    },
  ],
  'from the future': ['forged', /future/, { said: { at: start + 3 * minute } }],
  'its conditions are over': [
    'forged',
    /Conditions has expired/,
    {
      assertion: (xml) =>
        xml.replace(
          /(<saml:Conditions[^>]*NotOnOrAfter=")[^"]+/,
          `$1${new Date(start - 3 * minute).toISOString()}`,
        ),
    },
  ],
  'its conditions are not there yet': [
    'forged',
    /not valid yet/,
    {
      assertion: (xml) =>
        xml.replace(/NotBefore="[^"]+/, `NotBefore="${new Date(start + 3 * minute).toISOString()}`),
    },
  ],
  'its confirmation is over': [
    'forged',
    /SubjectConfirmationData has expired/,
    {
      assertion: (xml) =>
        xml.replace(
          /(<saml:SubjectConfirmationData[^>]*NotOnOrAfter=")[^"]+/,
          `$1${new Date(start - 3 * minute).toISOString()}`,
        ),
    },
  ],
  'its session is over': [
    'forged',
    /session/,
    {
      assertion: (xml) =>
        xml.replace(
          '<saml:AuthnStatement',
          `<saml:AuthnStatement SessionNotOnOrAfter="${new Date(start - 3 * minute).toISOString()}"`,
        ),
    },
  ],
  'a sign-in in the future': [
    'forged',
    /AuthnInstant/,
    { said: { authenticatedAt: start + 3 * minute } },
  ],
  'a time that is none': [
    'nonsense',
    /no time/,
    { assertion: (xml) => xml.replace(/AuthnInstant="[^"]+/, 'AuthnInstant="yesterday') },
  ],
  'another certificate': [
    'forged',
    /does not hold/,
    { signAssertion: stranger, signResponse: stranger },
  ],
  'another certificate for the response': ['forged', /does not hold/, { signResponse: stranger }],
  'another certificate for the assertion': ['forged', /does not hold/, { signAssertion: stranger }],
  'another certificate for the encrypted assertion': [
    'forged',
    /does not hold/,
    { signAssertion: stranger, encrypt: true },
  ],
  'signatures with SHA-1': ['forged', /none that counts/, { algorithms: sha1 }],
  'digests with SHA-1': [
    'forged',
    /DigestMethod is none/,
    { algorithms: { ...sha1, signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256' } },
  ],
  'SHA-1 in the encrypted assertion': [
    'forged',
    /none that counts/,
    { signAssertion: false, signedAssertion: (xml) => sign1(xml), encrypt: true },
  ],
  'HMAC with the public certificate': [
    'forged',
    /none that counts/,
    {
      signResponse: false,
      underway: (xml) => signWithHmac(evil(xml), idp.certificate),
    },
  ],
  'a key encrypted with PKCS #1 v1.5': [
    'forged',
    /encrypted in a way/,
    {
      encrypt: true,
      response: (xml) => xml.replace('xmlenc#rsa-oaep-mgf1p', 'xmlenc#rsa-1_5'),
    },
  ],
  'a DOCTYPE': [
    'nonsense',
    /DOCTYPE/,
    { underway: (xml) => `<!DOCTYPE r [<!ENTITY x SYSTEM "http://evil.example/">]>${xml}` },
  ],
  'a DOCTYPE, written small': ['nonsense', /DOCTYPE/, { underway: (xml) => `<!doctype r>${xml}` }],
  'an entity nobody declared': [
    'nonsense',
    /well-formed/,
    { underway: (xml) => xml.replace('王小明', '&evil;') },
  ],
  'more than 256 KB': [
    'nonsense',
    /256 KB/,
    { said: { attributes: { displayName: ['x'.repeat(200 * 1024)] } } },
  ],
  'elements without end': [
    'nonsense',
    /too many elements/,
    { underway: (xml) => xml.replace('王小明', `${'<a>'.repeat(12_000)}${'</a>'.repeat(12_000)}`) },
  ],
  'no XML': [
    'nonsense',
    /well-formed|Issuer|Response/,
    { underway: () => 'system under maintenance' },
  ],
  'no base64': [
    'nonsense',
    /base64/,
    {
      form: (form) => new URLSearchParams({ ...Object.fromEntries(form), SAMLResponse: '<html>' }),
    },
  ],
  'two responses': [
    'forged',
    /twice/,
    { form: (form) => new URLSearchParams([...form, ['SAMLResponse', 'x']]) },
  ],
  'another RelayState': [
    'forged',
    /RelayState/,
    { form: (form) => new URLSearchParams({ ...Object.fromEntries(form), RelayState: 'st2' }) },
  ],
  'no SAMLResponse': [
    'nonsense',
    /SAMLResponse/,
    { form: () => new URLSearchParams({ RelayState: 'st1' }) },
  ],
  'a transient NameID': [
    'nonsense',
    /transient/,
    { said: { nameId: { value: 'T-0001', format: transient } } },
  ],
  'a NameID of another format': [
    'nonsense',
    /format/,
    {
      said: {
        nameId: {
          value: 'T-0001',
          format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
        },
      },
    },
  ],
  'a persistent NameID of another upstream': [
    'forged',
    /another upstream/,
    {
      assertion: (xml) =>
        xml.replace('<saml:NameID', '<saml:NameID NameQualifier="https://x.example"'),
    },
  ],
  'no NameID': [
    'nonsense',
    /no NameID/,
    { assertion: (xml) => xml.replace(/<saml:NameID.*<\/saml:NameID>/, '') },
  ],
  'two NameIDs': [
    'nonsense',
    /more than once/,
    { assertion: (xml) => xml.replace(/<saml:NameID.*<\/saml:NameID>/, '$&$&') },
  ],
  'she pressed cancel there': [
    'refused',
    /Responder, AuthnFailed/,
    { status: ['Responder', 'AuthnFailed'] },
  ],
  'it denied our request': ['refused', /RequestDenied/, { status: ['Requester', 'RequestDenied'] }],
  'it does not understand our request': ['nonsense', /status Requester/, { status: ['Requester'] }],
  'it says no to another request': [
    'forged',
    /our request/,
    { status: ['Responder'], said: { inResponseTo: newId() } },
  ],
}

const sign1 = async (xml: string) =>
  (await import('#sandbox/providers/saml/sealed-xml.ts')).signRoot(xml, idp, sha1)

for (const [title, [failure, hint, attack, canned]] of Object.entries(attacks))
  test(`refused: ${title}`, async (t) => {
    const { signIn, calls } = openUpstream(canned)
    await fails(t, failure, signIn(attack), hint)
    t.deepEqual([...new Set(calls)], [entityId], 'nothing was read but its metadata')
  })

test('a text of nothing but spaces takes no time', (t) => {
  const cost = costOf(() => {
    t.throws(() => decode(`A${' '.repeat(200_000)}!`), { message: /base64/ })
  })
  t.true(cost < 1_000, `${cost} ms`)
})

test('an assertion is taken once, by whichever process and for whichever trip', async (t) => {
  const first = openUpstream()
  const { url, memo } = await first.begin()
  const form = await first.answer(url)
  await first.arrive(form, memo)
  await fails(t, 'forged', first.arrive(form, memo), /came before/)
  const other = openUpstream({ ports: { firstUse: first.ports.firstUse } })
  await fails(t, 'forged', other.arrive(form, memo), /came before/)
  const trip = await other.begin()
  await fails(t, 'forged', other.arrive(form, trip.memo), /our request/)
})

test('an assertion that was refused is not used up', async (t) => {
  const { begin, answer, arrive, clock } = openUpstream()
  const { url, memo } = await begin()
  const form = await answer(url)
  clock.now = start + 8 * minute
  await fails(t, 'forged', arrive(form, memo), /too old/)
  clock.now = start
  t.is((await arrive(form, memo)).subject, 'T-0001')
})

test('times are judged by the clock we are lent, within the configured skew', async (t) => {
  const { begin, answer, arrive, clock } = openUpstream({ settings: { clock_skew_seconds: 10 } })
  const { url, memo } = await begin()
  clock.now = start + 9_000
  const fast = await answer(url)
  clock.now = start + 20_000
  const faster = await answer(url)
  clock.now = start
  await t.notThrowsAsync(arrive(fast, memo))
  await fails(t, 'forged', arrive(faster, memo), /future/)
})

const within = (xml: string, more = '') =>
  `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ${more}>${xml.replace(/<\?.*\?>/, '')}</md:EntitiesDescriptor>`

test('metadata must be the one of this entity, over https, at its own host', async (t) => {
  const metadata = (change: (xml: string) => string) => ({
    metadata: () => new Response(change(metadataXml())),
  })
  for (const [change, failure, hint] of [
    [(xml) => xml.replace(entityId, 'https://idp.example/other'), 'forged', /another entity/],
    [
      (xml) => xml.replaceAll('https://idp.example/saml/s', 'https://evil.example/s'),
      'forged',
      /does not list/,
    ],
    [
      (xml) => xml.replaceAll('https://idp.example/saml/s', 'http://idp.example/s'),
      'nonsense',
      /https/,
    ],
    [(xml) => xml.replace('?>', '?><!DOCTYPE x>'), 'nonsense', /DOCTYPE/],
    [
      (xml) => xml.replace('entityID', 'validUntil="2031-07-31T00:00:00Z" entityID'),
      'nonsense',
      /validUntil/,
    ],
    [(xml) => within(within(xml), 'validUntil="2031-07-31T00:00:00Z"'), 'nonsense', /validUntil/],
    [(xml) => within(within(xml, 'validUntil="2031-07-31T00:00:00Z"')), 'nonsense', /validUntil/],
    [(xml) => xml.replace(/<md:SingleSignOnService[^>]*>/, ''), 'nonsense', /sign in/],
    [(xml) => xml.replace(/MII[^<]*/, 'bm9uZQ=='), 'nonsense', /RSA/],
    [() => '<html><h1>系統維護中</h1></html>', 'nonsense', /no SAML metadata/],
    [(xml) => xml + ' '.repeat(300_000), 'nonsense', /256 KB/],
  ] satisfies [(xml: string) => string, UpstreamFailure, RegExp][])
    await fails(t, failure, openUpstream(metadata(change)).begin(), hint)
  const listed = openUpstream({
    ...metadata(
      (xml) =>
        `<!-- of us -->${xml.replaceAll('idp.example/saml/s', 'sso.uni.example/s').replace(/<\?.*\?>/, '')}`,
    ),
    settings: { sign_in_origins: ['https://*.uni.example'] },
  })
  t.regex((await listed.begin()).url, /^https:\/\/sso\.uni\.example\/sso\?tenant=1&SAMLRequest=/)
})

test('metadata may hold several entities', async (t) => {
  const other = metadataXml(stranger.certificate).replace(entityId, 'https://x.example')
  const both = `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${other}${metadataXml()}</md:EntitiesDescriptor>`
  const { signIn } = openUpstream({
    metadata: () => new Response(both.replaceAll(/<\?.*\?>/g, '')),
  })
  t.is((await signIn()).subject, 'T-0001')
})

test('it is read once an hour, and at once when it signs with a new key', async (t) => {
  let certificate = idp.certificate
  const { signIn, calls, clock } = openUpstream({
    metadata: () => new Response(metadataXml(certificate)),
  })
  await signIn()
  await signIn()
  t.is(calls.length, 1)
  certificate = stranger.certificate
  clock.now += 2 * minute
  const rotated = { signAssertion: stranger, signResponse: stranger }
  t.is((await signIn(rotated)).subject, 'T-0001')
  t.is(calls.length, 2)
  await fails(t, 'forged', signIn(), /does not hold/)
  t.is(calls.length, 2, 'forgeries do not make us ask again and again')
})

test('what it published outlives its outage and our restart, for a week', async (t) => {
  const first = openUpstream()
  await first.connector.probe()
  let asked = 0
  const restarted = openUpstream({
    ports: { documents: first.ports.documents },
    metadata: () => {
      asked++
      return new Response('', { status: 503 })
    },
  })
  t.is((await restarted.signIn()).subject, 'T-0001')
  t.true(asked > 0)
  await fails(t, 'unreachable', restarted.connector.probe(), /503/)
  const later = openUpstream({
    ports: { documents: first.ports.documents },
    metadata: () => new Response('', { status: 503 }),
  })
  later.clock.now += 8 * 24 * 60 * minute
  await fails(t, 'unreachable', later.begin(), /503/)
})

test('certificates in the file are the only ones that count; with addresses too, nothing is read', async (t) => {
  const pinned = openUpstream({ settings: { certificates: [stranger.certificate] } })
  await fails(t, 'forged', pinned.signIn(), /does not hold/)
  const rotated = { signAssertion: stranger, signResponse: stranger }
  t.is((await pinned.signIn(rotated)).subject, 'T-0001')

  const alone = openUpstream({
    settings: {
      metadata_url: undefined,
      sign_in_url: 'https://idp.example/sso',
      certificates: [idp.certificate],
    },
  })
  t.is((await alone.signIn()).subject, 'T-0001')
  t.deepEqual(alone.calls, [])
  await alone.connector.probe()
  t.deepEqual(alone.calls, ['https://idp.example/sso'], 'a probe sees whether it answers')
})

test('our metadata says what we are called, where we are, and what to encrypt for', async (t) => {
  const { connector } = openUpstream({ settings: { sp_entity_id: 'urn:example:"我們"' } })
  const xml = (await connector.ownMetadata?.()) ?? ''
  t.is(await connector.ownMetadata?.(), xml, 'the same at every reading')
  for (const part of [
    'entityID="urn:example:&quot;我們&quot;"',
    'AuthnRequestsSigned="true" WantAssertionsSigned="true"',
    `bindings:HTTP-POST" Location="${own.callback}"`,
    `bindings:HTTP-Redirect" Location="${own.logout}"`,
    'use="encryption"',
    citygate.certificate.replaceAll(/-----[A-Z ]+-----|\s/g, ''),
  ])
    t.true(xml.includes(part), part)
})
