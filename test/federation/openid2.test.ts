import test from 'ava'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import { blameOf } from '#federation/health.ts'
import {
  ax,
  type Canned,
  type Draft,
  endpoint,
  fails,
  host,
  identifier,
  keyValue,
  largestPublic,
  openUpstream,
  page,
  service,
  sreg,
  start,
  wang,
  xrds,
} from './canned-openid2.ts'
import { lendFederation } from './lend.ts'

const guid = 'A1'.repeat(32)
const schoolId = 'http://axschema.edu.tw/school/id'
const personGuid = 'http://axschema.edu.tw/person/guid'
const titles = 'http://openid.edu.tw/axschema/school/titleStr'

/** In place of the attributes it would send. */
const sends = (attributes: Record<string, string>) => (draft: Draft) => {
  for (const name of Object.keys(draft.fields)) {
    if (/^(ns\.)?ext/.test(name)) delete draft.fields[name]
  }
  Object.assign(draft.fields, attributes)
}

// --- good sign-ins

test('a teacher signs in by an association, and is who the signed answer says', async (t) => {
  const { signIn, modes } = openUpstream()
  const told = {
    connector: 'county',
    issuer: identifier,
    subject: wang,
    // That its mail was verified nobody said.
    profile: { name: '王小明', email: 'a@b.example' },
    affiliations: [],
    openid2Ids: [wang],
    raw: { [schoolId]: '114620', 'sreg.fullname': '王小明', 'sreg.email': 'wang@tn.example' },
  }
  t.deepEqual(await signIn(), told)
  t.deepEqual(modes(), ['read', 'associate'])
  // A second one needs no word with the provider at all.
  t.deepEqual(await signIn(), told)
  t.deepEqual(modes(), ['read', 'associate'])
})

test('she leaves for whoever she is, with what is asked of her', async (t) => {
  const { begin, connector } = openUpstream()
  const { url, asked, memo } = await begin({ fresh: true })
  t.true(url.startsWith(`${endpoint}?`))
  t.deepEqual(asked, {
    ns: 'http://specs.openid.net/auth/2.0',
    mode: 'checkid_setup',
    claimed_id: 'http://specs.openid.net/auth/2.0/identifier_select',
    identity: 'http://specs.openid.net/auth/2.0/identifier_select',
    assoc_handle: 'h1',
    return_to: 'https://id.example/upstream/county/callback?state=st1',
    realm: 'https://id.example/',
    'ns.sreg': sreg,
    'sreg.required': 'fullname,email',
    'ns.ax': ax,
    'ax.mode': 'fetch_request',
    'ax.type.a1': schoolId,
    'ax.type.a2': personGuid,
    'ax.required': 'a1,a2',
    'ns.pape': 'http://specs.openid.net/extensions/pape/1.0',
    'pape.max_auth_age': '0',
    'pape.preferred_auth_policies': '',
  })
  t.is(memo.endpoint, endpoint)
  t.false('ns.pape' in (await begin()).asked)
  t.deepEqual(connector.origins, [host])
  t.deepEqual(connector.servers, ['openid.county.example:443'])
})

test('a provider without associations is asked whether it signed', async (t) => {
  const { signIn, modes } = openUpstream({ stateless: true })
  t.is((await signIn()).subject, wang)
  t.deepEqual(modes(), ['read', 'associate', 'associate', 'check_authentication'])
  await signIn()
  // It is not asked for an association again so soon.
  t.deepEqual(modes().slice(4), ['check_authentication'])
})

test('a provider without Diffie–Hellman gives its key over TLS only', async (t) => {
  const open = openUpstream({ sessionTypes: ['no-encryption'] })
  t.is((await open.signIn()).subject, wang)
  t.deepEqual(open.modes(), ['read', 'associate', 'associate'])

  const plain = openUpstream({
    sessionTypes: ['no-encryption'],
    insecure: true,
    settings: { endpoint: 'http://openid.county.example/op/server.aspx' },
    at: { '/op/server.aspx': () => keyValue({ error_code: 'unsupported-type' }, 400) },
  })
  t.false('assoc_handle' in (await plain.begin()).asked)
  t.deepEqual(
    plain.calls.map(({ body }) => body.get('openid.session_type')),
    ['DH-SHA256'],
  )
})

test('an answer that comes as a form counts as one in the address', async (t) => {
  const { signIn } = openUpstream()
  t.is((await signIn({ post: true })).subject, wang)
})

test('another process than the one she left from knows her answer', async (t) => {
  const here = openUpstream()
  const { memo, asked } = await here.begin()
  const there = openUpstream()
  t.is((await there.arrive(memo, asked, here.answer(asked))).subject, wang)
  t.deepEqual(there.calls, [], 'nobody had to be asked')
})

test('an association the provider lost is made anew', async (t) => {
  const { signIn, shared, modes, begin } = openUpstream()
  const { asked, memo } = await begin()
  shared.clear()
  t.is(asked.assoc_handle, 'h1')
  t.is((await signIn()).subject, wang)
  t.deepEqual(modes(), ['read', 'associate', 'check_authentication'])
  t.is((await begin()).asked.assoc_handle, 'h3')
  t.truthy(memo.association)
})

test('an association over its time signs nothing: the provider is asked', async (t) => {
  const { begin, answer, arrive, clock, modes, canned } = openUpstream({ expiresIn: 600 })
  const { memo, asked } = await begin()
  clock.now += 601_000
  await fails(t, ['forged'], { hosts: () => [] }, () => arrive(memo, asked, answer(asked)))
  t.deepEqual(modes(), ['read', 'associate', 'check_authentication'])
  canned.expiresIn = 14_400
  t.is((await begin()).asked.assoc_handle, 'h2')
})

for (const [title, attributes, raw] of [
  [
    'aliases the provider swapped',
    {
      'ns.sreg': ax,
      'sreg.mode': 'fetch_response',
      'sreg.type.a2': titles,
      'sreg.value.a2': '[{"id":"114620","title":["教師"]}]',
      'sreg.type.a1': schoolId,
      'sreg.value.a1': '114620',
      'ns.ax': sreg,
      'ax.fullname': '王小明',
    },
    {
      [titles]: '[{"id":"114620","title":["教師"]}]',
      [schoolId]: '114620',
      'sreg.fullname': '王小明',
    },
  ],
  [
    'values numbered although nobody counted',
    { 'ns.ext3': ax, 'ext3.type.t': titles, 'ext3.value.t.1': '{sid:"173637",title:["教師"]}' },
    { [titles]: '{sid:"173637",title:["教師"]}' },
  ],
  [
    'values that are counted',
    {
      'ns.ax': ax,
      'ax.type.s': schoolId,
      'ax.count.s': '2',
      'ax.value.s.1': '114620',
      'ax.value.s.2': '213303',
      'ax.value.s.3': 'not counted',
      'ax.type.t': titles,
      'ax.count.t': '0',
      'ax.value.t': 'none of it',
      'ax.type.g': 'http://axschema.edu.tw/person/titles',
      'ax.count.g': '1',
      'ax.value.g.1': '導師',
    },
    { [schoolId]: ['114620', '213303'], 'http://axschema.edu.tw/person/titles': '導師' },
  ],
  [
    'nothing but SREG, bent to what it was not made for',
    {
      'ns.sreg': sreg,
      'sreg.fullname': '林雅雯',
      'sreg.country': '青松國中',
      'sreg.postcode': guid,
      'sreg.timezone': '[{"id":"014569","role":"教師"}]',
      'sreg.nothing_we_know': 'x',
    },
    {
      'sreg.fullname': '林雅雯',
      'sreg.country': '青松國中',
      'sreg.timezone': '[{"id":"014569","role":"教師"}]',
    },
  ],
  [
    'SREG by its old name',
    { 'ns.sreg': 'http://openid.net/sreg/1.0', 'sreg.fullname': '林雅雯' },
    { 'sreg.fullname': '林雅雯' },
  ],
  ['SREG under no declared name', { 'sreg.fullname': '林雅雯' }, {}],
  ['a guid, which is never kept', { 'ns.ax': ax, 'ax.type.g': personGuid, 'ax.value.g': guid }, {}],
  ['nothing at all', {}, {}],
] satisfies [string, Record<string, string>, Record<string, unknown>][])
  test(`attributes are read by what they are: ${title}`, async (t) => {
    const { signIn } = openUpstream()
    const identity = await signIn({ draft: sends(attributes) })
    t.deepEqual(identity.raw, raw)
  })

test('the fingerprint is the guid, however it is written and wherever the county puts it', async (t) => {
  for (const [fingerprint, attributes] of [
    [personGuid, { 'ns.ax': ax, 'ax.type.g': personGuid, 'ax.value.g': guid }],
    ['sreg.postcode', { 'ns.sreg': sreg, 'sreg.postcode': ` ${guid} ` }],
  ] satisfies [string, Record<string, string>][]) {
    const { signIn } = openUpstream({ file: { fingerprint } })
    const identity = await signIn({ draft: sends(attributes) })
    t.is(identity.fingerprint, guid.toLowerCase())
    t.notRegex(JSON.stringify(identity.raw), /a1a1/i)
  }
})

test('an identifier under a former host or without TLS is the same one', async (t) => {
  const { signIn } = openUpstream({
    settings: { hosts: ['openid.county.example', 'old.county.example'] },
  })
  const draft = ({ fields }: Draft) => {
    fields.claimed_id = 'http://old.county.example/op/user.aspx/wang'
    fields.identity = fields.claimed_id
  }
  t.is((await signIn({ draft })).subject, wang)
})

test('an identifier is one however its letters are escaped, and under every port its file names', async (t) => {
  const { signIn } = openUpstream({
    settings: { hosts: ['openid.county.example', 'openid.county.example:8443'] },
  })
  const as = (claimed_id: string) =>
    signIn({
      draft: ({ fields }) => {
        fields.claimed_id = claimed_id
      },
    })
  const { subject } = await as(`${host}/op/user.aspx/王`)
  t.is(subject, `${host}/op/user.aspx/%E7%8E%8B`)
  t.is((await as(`${host}/op/user.aspx/%e7%8e%8b`)).subject, subject)
  t.is((await as(`${host}/op/user.aspx/w%61ng`)).subject, wang)
  t.is((await as(`${host}/op/user.aspx/w%2561ng`)).subject, `${host}/op/user.aspx/w%2561ng`)
  t.is((await as(wang.replace('.example', '.example:8443'))).subject, wang)
})

test('refused: one signed text cut into other fields, where only the provider can check it', async (t) => {
  const upstream = openUpstream({ stateless: true })
  const victim = `${host}/op/user.aspx/victim`
  const attack = upstream.signIn({
    // What she may call herself there is hers to say.
    draft: ({ fields }) => {
      fields['ext2.fullname'] = `x\nclaimed_id:${victim}`
    },
    tamper: (fields) => {
      const signed = fields.get('openid.signed') ?? ''
      fields.set('openid.claimed_id:https', wang.slice('https:'.length))
      fields.set('openid.ext2.fullname', 'x')
      fields.set('openid.claimed_id', victim)
      fields.set(
        'openid.signed',
        signed
          .replace('claimed_id', 'claimed_id:https')
          .replace('ext2.fullname', 'ext2.fullname,claimed_id'),
      )
    },
  })
  await fails(t, ['forged'], upstream, () => attack, /^county: answer/)
})

test('a provider that crashes on what a browser brought closes its gate for nobody', async (t) => {
  const upstream = openUpstream({
    at: {
      '/op/server.aspx': ({ body }) =>
        body.get('openid.mode') === 'associate'
          ? keyValue({ error_code: 'unsupported-type' }, 400)
          : new Response('', { status: 500 }),
    },
  })
  const error = await t.throwsAsync(() => upstream.signIn(), { instanceOf: UpstreamError })
  t.is(error?.failure, 'unreachable')
  t.is(blameOf('complete', error), undefined)
})

test('how a county knew her before is said where its file names it', async (t) => {
  const issuer = 'http://openid.old.example/'
  const { signIn } = openUpstream({
    file: {
      former: [
        {
          issuer,
          hosts: ['openid.county.example'],
          claimed_id: '^http://openid\\.county\\.example/op/user\\.aspx/[^/?#]+$',
        },
      ],
    },
  })
  t.deepEqual((await signIn()).former, [{ issuer, subject: wang.replace('https:', 'http:') }])
})

test('when the provider saw her is told, if it says so', async (t) => {
  const { signIn } = openUpstream()
  const draft = ({ fields }: Draft) => {
    fields['ns.pape'] = 'http://specs.openid.net/extensions/pape/1.0'
    fields['pape.auth_time'] = '2031-07-31T23:59:00Z'
    fields['pape.auth_policies'] = 'none'
  }
  t.is((await signIn({ trip: { fresh: true }, draft })).authTime, start / 1000 - 60)
})

test('a provider that says no is heard', async (t) => {
  for (const mode of ['cancel', 'setup_needed', 'error']) {
    const upstream = openUpstream()
    const { memo, asked } = await upstream.begin()
    const no = new URLSearchParams({
      'openid.ns': 'http://specs.openid.net/auth/2.0',
      'openid.mode': mode,
      'openid.error': 'evil words',
    })
    await fails(t, ['refused'], upstream, () => upstream.arrive(memo, asked, no), /mode=/)
  }
})

// --- discovery

const at = (answer: () => Response): Canned => ({ at: { '/op/': answer } })
const redirect = (location: string) => new Response(null, { status: 302, headers: { location } })

for (const [title, canned] of [
  [
    'in XRDS under any prefix, the one that goes first',
    at(
      () =>
        new Response(
          `<x:XRDS xmlns:x="xri://$xrds" xmlns:d="xri://$xrd*($v*2.0)"><d:XRD>
            <d:Service><d:Type>http://specs.openid.net/auth/2.0/server</d:Type><d:URI>${host}/last</d:URI></d:Service>
            <d:Service priority="20"><d:Type>http://specs.openid.net/auth/2.0/server</d:Type><d:URI>${host}/second</d:URI></d:Service>
            <d:Service priority="10"><d:Type>http://openid.net/srv/ax/1.0</d:Type><d:Type>http://specs.openid.net/auth/2.0/server</d:Type>
              <d:URI priority="2">${host}/third</d:URI><d:URI priority="1"> ${endpoint} </d:URI></d:Service>
            <d:Service priority="1"><d:Type>http://specs.openid.net/auth/2.0/signon</d:Type><d:URI>${host}/own</d:URI></d:Service>
            <Service xmlns="urn:other" priority="0"><Type>http://specs.openid.net/auth/2.0/server</Type><URI>https://evil.example/</URI></Service>
          </d:XRD></x:XRDS>`,
          { headers: { 'content-type': 'application/xrds+xml' } },
        ),
    ),
  ],
  [
    'in XRDS its header points to',
    {
      at: {
        '/op/': () => new Response('', { headers: { 'x-xrds-location': `${host}/xrds` } }),
        '/xrds': () => xrds(service(endpoint)),
      },
    },
  ],
  [
    'in XRDS its page points to',
    {
      at: {
        '/op/': () => page(`<META HTTP-EQUIV="x-xrds-location" CONTENT="${host}/xrds">`),
        '/xrds': () => xrds(service(endpoint, 'signon')),
      },
    },
  ],
  ['on its page', at(() => page(`<link rel="openid.server openid2.provider" href="${endpoint}">`))],
  [
    'after three redirects',
    {
      at: {
        '/op/': () => redirect('/a'),
        '/a': () => redirect(`${host}/b`),
        '/b': () => redirect('c'),
        '/c': () => xrds(service(endpoint)),
      },
    },
  ],
] satisfies [string, Canned][])
  test(`the endpoint is found ${title}`, async (t) => {
    const upstream = openUpstream(canned)
    const { url } = await upstream.begin()
    t.true(url.startsWith(`${endpoint}?`), url)
    t.regex(upstream.calls[0]?.headers.get('accept') ?? '', /application\/xrds\+xml/)
  })

for (const [title, canned, failure = 'nonsense'] of [
  ['XRDS with a DOCTYPE', at(() => xrds(`<!DOCTYPE x>${service(endpoint)}`))],
  [
    'XRDS with an entity of its own',
    at(() => xrds(`<!ENTITY evil SYSTEM "https://evil.example/">${service(endpoint)}`)),
  ],
  ['XRDS for OpenID 1.1 only', at(() => xrds(service(endpoint).replace('auth/2.0/server', '1.1')))],
  ['an endpoint elsewhere', at(() => xrds(service('https://evil.example/op'))), 'forged'],
  ['an endpoint without TLS', at(() => xrds(service(endpoint.replace('s:', ':')))), 'forged'],
  ['an endpoint that is an XRI', at(() => xrds(service('=evil')))],
  ['an endpoint that is a file', at(() => xrds(service('file:///etc/passwd'))), 'forged'],
  [
    'a host that only looks like its own',
    at(() => xrds(service('https://openid.county.example.evil.example/'))),
    'forged',
  ],
  [
    'a host before an @',
    at(() => xrds(service('https://openid.county.example@evil.example/'))),
    'forged',
  ],
  [
    'a page that links elsewhere',
    at(() => page('<link rel="openid2.provider" href="https://evil.example/">')),
    'forged',
  ],
  [
    'a link in the body',
    at(() => page(`</head><body><link rel="openid2.provider" href="${endpoint}">`)),
  ],
  ['a redirect elsewhere', at(() => redirect('https://evil.example/op/')), 'forged'],
  ['a redirect into our own network', at(() => redirect('http://169.254.169.254/')), 'forged'],
  ['redirects without end', at(() => redirect('/op/'))],
  [
    'XRDS elsewhere',
    at(() => new Response('', { headers: { 'x-xrds-location': 'https://evil.example/x' } })),
    'forged',
  ],
  ['XRDS nested without end', at(() => xrds('<a>'.repeat(30_000)))],
  [
    'a link in a page whose head and body are left out',
    at(
      () =>
        new Response(`<title>x</title><p>said: <link rel="openid2.provider" href="${endpoint}">`, {
          headers: { 'content-type': 'text/html' },
        }),
    ),
  ],
  ['a document without end', at(() => xrds(service(endpoint) + ' '.repeat(200_000)))],
  ['an error page', at(() => new Response('系統維護中', { status: 404 }))],
  ['a server that is ill', at(() => new Response('', { status: 503 })), 'unreachable'],
] satisfies [string, Canned, UpstreamFailure?][])
  test(`nobody leaves after ${title}, and nobody else is called`, async (t) => {
    const upstream = openUpstream(canned)
    await fails(t, [failure], upstream, () => upstream.begin(), /^county: discovery/)
  })

test('an endpoint in the file skips discovery, its wildcards stand for what is below them', async (t) => {
  const { begin, modes } = openUpstream({
    settings: { endpoint: `${endpoint}?tenant=1`, endpoint_hosts: ['*.other.example'] },
    at: { '/op/server.aspx': () => keyValue({ error_code: 'unsupported-type' }, 400) },
  })
  const { url } = await begin()
  t.true(url.startsWith(`${endpoint}?tenant=1&openid.ns=`))
  t.deepEqual(modes(), ['associate', 'associate'])

  const wild = openUpstream({
    settings: { endpoint_hosts: ['*.other.example'] },
    at: {
      '/op/': () => xrds(service('https://a.other.example/op')),
      '/op': () => keyValue({ error_code: 'unsupported-type' }, 400),
    },
  })
  t.true((await wild.begin()).url.startsWith('https://a.other.example/op?'))
  t.deepEqual(wild.connector.origins, [host, 'https://*.other.example'])
})

test('what a provider said of itself outlives its outage and our restart', async (t) => {
  const { documents } = lendFederation({ now: () => start })
  await openUpstream({ ports: { documents } }).connector.probe()
  const down = at(() => {
    throw new TypeError('fetch failed')
  })
  const restarted = openUpstream({ ...down, ports: { documents } })
  t.is((await restarted.signIn()).subject, wang)
  await fails(t, ['unreachable'], restarted, () => restarted.connector.probe())
  restarted.clock.now += 8 * 24 * 60 * 60 * 1000
  await fails(t, ['unreachable'], restarted, () => restarted.begin())
  // What the operator changed meanwhile counts more.
  const moved = openUpstream({
    ...down,
    ports: { documents },
    settings: { identifier: `${identifier}new` },
    at: { '/op/new': () => Promise.reject(new TypeError('fetch failed')) },
  })
  await fails(t, ['unreachable'], moved, () => moved.begin())
})

test('what it said of itself is written once, not at every probe', async (t) => {
  const { documents } = lendFederation({ now: () => start })
  const kept: string[] = []
  const keep: typeof documents.keep = async (key) => void kept.push(key)
  const { connector } = openUpstream({ ports: { documents: { ...documents, keep } } })
  for (let probes = 0; probes < 3; probes++) await connector.probe()
  t.is(kept.length, 1)
})

test('a probe finds a provider that went down, however well it was a moment ago', async (t) => {
  const upstream = openUpstream()
  await upstream.connector.probe()
  t.deepEqual(upstream.modes(), ['read', 'associate'])
  upstream.canned.at = { '/op/': () => new Response('', { status: 502 }) }
  await fails(t, ['unreachable'], upstream, () => upstream.connector.probe())
  const fixed = openUpstream({
    settings: { endpoint },
    at: { '/op/server.aspx': () => new Response('', { status: 503 }) },
  })
  await fails(t, ['unreachable'], fixed, () => fixed.connector.probe(), /association/)
})

// --- associations nobody should believe

for (const [title, canned] of [
  ['0', { serverPublic: 0n }],
  ['1', { serverPublic: 1n }],
  ['p−1', { serverPublic: largestPublic }],
] satisfies [string, Canned][])
  test(`a server key of ${title} makes no association: the provider is asked instead`, async (t) => {
    const upstream = openUpstream(canned)
    const { asked, memo } = await upstream.begin()
    t.false('assoc_handle' in asked)
    t.is((await upstream.arrive(memo, asked, upstream.answer(asked))).subject, wang)
    t.is(upstream.modes().at(-1), 'check_authentication')
  })

test('an association of another kind than asked for is none', async (t) => {
  const made = { assoc_handle: 'h', expires_in: '100', mac_key: 'A'.repeat(43) }
  for (const answer of [
    { ...made, assoc_type: 'HMAC-SHA1', session_type: 'no-encryption' },
    { ...made, assoc_type: 'HMAC-SHA256', session_type: 'no-encryption' },
  ]) {
    const { begin } = openUpstream({ at: { '/op/server.aspx': () => keyValue(answer) } })
    t.false('assoc_handle' in (await begin()).asked)
  }
  const broken = openUpstream({ at: { '/op/server.aspx': () => page('') } })
  t.false('assoc_handle' in (await broken.begin()).asked)
  const ill = openUpstream({ at: { '/op/server.aspx': () => new Response('', { status: 500 }) } })
  t.false('assoc_handle' in (await ill.begin()).asked)
})

test('a provider nobody reaches is not one anybody is sent to', async (t) => {
  const upstream = openUpstream({
    at: { '/op/server.aspx': () => Promise.reject(new TypeError('fetch failed')) },
  })
  await fails(t, ['unreachable'], upstream, () => upstream.begin(), /association/)
})

// --- attacks

type SignIn = Parameters<ReturnType<typeof openUpstream>['signIn']>[0]

const set = (name: string, value: string): SignIn => ({
  draft: ({ fields }) => {
    fields[name] = value
  },
})
const tamper = (change: (fields: URLSearchParams) => void): SignIn => ({ tamper: change })
const put = (name: string, value: string): SignIn =>
  tamper((fields) => fields.set(`openid.${name}`, value))
const unsigned = (name: string): SignIn => ({
  draft: (draft) => {
    const rest = ['ns', 'mode', name]
    draft.fields.assoc_handle = 'h1'
    draft.signed = Object.keys(draft.fields).filter((one) => !rest.includes(one))
  },
})
const nonceOf = (minutes: number) =>
  `${new Date(start + minutes * 60_000).toISOString().slice(0, 19)}Zx`

const attacks: [string, SignIn, Canned?][] = [
  [
    'AX fields nobody signed',
    tamper((fields) => {
      fields.set('openid.ext1.type.evil', 'http://axschema.org/contact/email')
      fields.set('openid.ext1.value.evil', 'admin@gov.example')
    }),
  ],
  ['SREG fields nobody signed', put('ext2.nickname', 'evil')],
  [
    'an extension nobody signed, under an alias of its own',
    tamper((fields) => {
      fields.set('openid.ns.evil', ax)
      fields.set('openid.evil.type.e', 'http://axschema.org/contact/email')
      fields.set('openid.evil.value.e', 'admin@gov.example')
    }),
  ],
  ['an alias nobody signed for signed fields', unsigned('ns.ext1')],
  ['a namespace under two aliases', set('ns.evil', ax)],
  ['a value nobody signed', put('ext1.value.a1', '999999')],
  ...['op_endpoint', 'return_to', 'response_nonce', 'claimed_id', 'identity'].map(
    (name): [string, SignIn] => [`a signature over all but ${name}`, unsigned(name)],
  ),
  [
    'a signed list made shorter',
    tamper((fields) => {
      fields.set('openid.signed', 'op_endpoint,return_to,response_nonce,assoc_handle')
    }),
  ],
  ['a signed list that says nothing', put('signed', '')],
  [
    'a signed list that says a field twice',
    {
      draft: (draft) => {
        draft.fields.assoc_handle = 'h1'
        draft.signed = [
          ...Object.keys(draft.fields).filter((one) => !['ns', 'mode'].includes(one)),
          'identity',
        ]
      },
    },
  ],
  ['no signed list', tamper((fields) => fields.delete('openid.signed'))],
  ['somebody else’s claimed_id', put('claimed_id', `${wang}2`)],
  ['a claimed_id elsewhere', set('claimed_id', 'https://evil.example/op/user.aspx/wang')],
  ['a claimed_id in our own network', set('claimed_id', 'http://169.254.169.254/op/user.aspx/x')],
  ['a claimed_id of another pattern', set('claimed_id', `${host}/op/admin.aspx/wang`)],
  ['a claimed_id with more behind it', set('claimed_id', `${wang}?evil`)],
  ['a claimed_id that is an XRI', set('claimed_id', '=evil')],
  ['a claimed_id that is an i-number', set('claimed_id', 'xri://=!F83.62B1.44F.2813')],
  ['a claimed_id with a tab in it', set('claimed_id', wang.replace('wang', 'wa\tng'))],
  ['a claimed_id with a backslash', set('claimed_id', wang.replace('/wang', '\\wang'))],
  ['a claimed_id that climbs', set('claimed_id', `${host}/op/x/%2e%2e/user.aspx/a/%2e%2e/wang/`)],
  [
    'a claimed_id of a host that ends in a dot',
    set('claimed_id', wang.replace('.example', '.example.')),
  ],
  ['no claimed_id', tamper((fields) => fields.delete('openid.claimed_id'))],
  ['the endpoint of another provider', set('op_endpoint', 'https://evil.example/op')],
  ['an endpoint changed on the way', put('op_endpoint', `${endpoint}?evil`)],
  ['no endpoint', tamper((fields) => fields.delete('openid.op_endpoint'))],
  ['a return_to elsewhere', set('return_to', 'https://evil.example/?state=st1')],
  [
    'the return_to of another trip',
    set('return_to', 'https://id.example/upstream/county/callback?state=st2'),
  ],
  [
    'a return_to that lost its state',
    set('return_to', 'https://id.example/upstream/county/callback'),
  ],
  [
    'as a form, the return_to of another site',
    { ...set('return_to', 'https://evil.example/'), post: true },
  ],
  ['as a form, no return_to', { ...tamper((f) => f.delete('openid.return_to')), post: true }],
  [
    'as a form, to an address without its state',
    { post: true, arrived: (url) => url.searchParams.delete('state') },
  ],
  [
    'as a form, to an address with two states',
    { post: true, arrived: (url) => url.searchParams.append('state', 'st2') },
  ],
  [
    'as a form, with a field in the address too',
    { post: true, arrived: (url) => url.searchParams.set('openid.claimed_id', wang) },
  ],
  [
    'to another county’s address',
    {
      arrived: (url) => {
        url.pathname = '/upstream/b/callback'
      },
    },
  ],
  ['an old nonce', set('response_nonce', nonceOf(-6))],
  ['a nonce of the future', set('response_nonce', nonceOf(3))],
  ['a nonce without a time', set('response_nonce', 'evil')],
  ['a nonce of no day there is', set('response_nonce', '2031-13-41T00:00:00Zx')],
  ['a nonce without end', set('response_nonce', nonceOf(0) + 'x'.repeat(250))],
  ['no nonce', tamper((fields) => fields.delete('openid.response_nonce'))],
  ['a parameter that comes twice', tamper((fields) => fields.append('openid.claimed_id', wang))],
  ['no signature', tamper((fields) => fields.delete('openid.sig'))],
  ['a signature that is empty', put('sig', '')],
  ['a signature of another length', put('sig', 'AAAA')],
  ['a wrong signature', put('sig', `${'A'.repeat(43)}=`)],
  ['a handle of our choice', put('assoc_handle', 'evil')],
  ['a line end in a value', set('ext2.fullname', 'x\nclaimed_id:evil')],
  ['a value that is too long', set('ext2.fullname', 'x'.repeat(9000))],
  [
    'an answer that is too long',
    {
      post: true,
      draft: ({ fields }) => {
        for (let i = 0; i < 10; i++) fields[`ext1.value.b${i}`] = '王'.repeat(2500)
      },
    },
  ],
  [
    'an OpenID 1.1 answer',
    tamper((fields) => {
      for (const name of ['ns', 'op_endpoint', 'response_nonce']) fields.delete(`openid.${name}`)
    }),
  ],
  ['an answer in the name of OpenID 1.1', put('ns', 'http://openid.net/signon/1.1')],
  ['a mode nobody knows', put('mode', 'evil')],
  ['no mode', tamper((fields) => fields.delete('openid.mode'))],
  [
    'the word of a provider that did not sign it',
    put('ext2.fullname', 'evil'),
    { stateless: true },
  ],
  ...(
    [
      ['a no', () => keyValue({ is_valid: 'false' })],
      ['a page', () => page('is_valid:true')],
      ['nothing', () => new Response('')],
      ['a yes and a no', () => new Response('is_valid:true\nis_valid:false\n')],
      ['a yes in upper case', () => keyValue({ is_valid: 'TRUE' })],
      [
        'a yes to OpenID 1.1',
        () => keyValue({ ns: 'http://openid.net/signon/1.1', is_valid: 'true' }),
      ],
      ['a yes of a server that is ill', () => keyValue({ is_valid: 'true' }, 400)],
      ['a yes without end', () => keyValue({ is_valid: 'true', more: 'x'.repeat(20_000) })],
      ['a redirect elsewhere', () => redirect('https://evil.example/')],
    ] satisfies [string, () => Response][]
  ).map(([title, say]): [string, SignIn, Canned] => [
    `to the question whether it signed, ${title}`,
    {},
    {
      at: {
        '/op/server.aspx': ({ body }) =>
          body.get('openid.mode') === 'associate' ? new Response('', { status: 404 }) : say(),
      },
    },
  ]),
]

// Most are tried on one trip: what is refused uses up nothing of it.
const victim = openUpstream()
const departure = victim.begin()

for (const [title, signIn, canned] of attacks)
  test(`refused: ${title}`, async (t) => {
    const upstream = canned ? openUpstream(canned) : victim
    const left = canned ? undefined : await departure
    await fails(t, ['forged', 'nonsense'], upstream, () => upstream.signIn({ ...signIn, left }))
  })

test.serial.after('the trip all that was tried on is as good as before', async (t) => {
  t.is((await victim.signIn({ left: await departure })).subject, wang)
})

test('refused: an answer that came before, also in another process', async (t) => {
  const shared = lendFederation({ now: () => start })
  const here = openUpstream({ ports: { firstUse: shared.firstUse } })
  const there = openUpstream({ ports: { firstUse: shared.firstUse } })
  const { memo, asked } = await here.begin()
  const answer = here.answer(asked)
  // One that is not signed uses up nobody's nonce.
  const forged = new URLSearchParams(answer)
  forged.set('openid.sig', `${'A'.repeat(43)}=`)
  await fails(t, ['forged'], there, () => there.arrive(memo, asked, forged), /signature/)
  t.is((await here.arrive(memo, asked, answer)).subject, wang)
  await fails(t, ['forged'], here, () => here.arrive(memo, asked, answer), /nonce/)
  await fails(t, ['forged'], there, () => there.arrive(memo, asked, answer), /nonce/)
})

test('refused: an answer by the secret of another association', async (t) => {
  const upstream = openUpstream()
  const { memo, asked } = await upstream.begin()
  const another = openUpstream()
  await another.begin()
  const answer = another.answer(asked)
  t.is(answer.get('openid.assoc_handle'), asked.assoc_handle ?? null)
  await fails(t, ['forged'], upstream, () => upstream.arrive(memo, asked, answer), /signature/)
})

test('refused: an answer the attacker got with a secret of his own', async (t) => {
  const upstream = openUpstream()
  const { memo, asked } = await upstream.begin()
  // His association with the same provider: he knows its key, and may sign what he likes.
  const mine = Buffer.alloc(32, 7)
  upstream.shared.set('mine', mine)
  const answer = upstream.answer({ ...asked, assoc_handle: 'mine' })
  await fails(t, ['forged'], upstream, () => upstream.arrive(memo, asked, answer))
  t.is(upstream.modes().at(-1), 'check_authentication')
})

test('a failing database is not the county’s fault', async (t) => {
  const upstream = openUpstream({
    ports: { firstUse: () => Promise.reject(new RangeError('the database is away')) },
  })
  await t.throwsAsync(() => upstream.signIn(), { instanceOf: RangeError })
})
