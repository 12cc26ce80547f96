import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import test from 'ava'
import { writeEntry, writeResult } from '../../src/sandbox/providers/directory/messages.ts'
import { eventually } from '../helpers/eventually.ts'
import { baseDn, certificate, entryOf, makeOne, openSchool, service } from './canned-directory.ts'
import { fails } from './canned-upstream.ts'

const nobody = /no such account with this password$/

test('she leaves for our own form, with nothing to remember', async (t) => {
  const { connector, trip, heard } = await openSchool(t)
  t.is(connector.asks, 'password')
  t.deepEqual(connector.origins, [])
  t.deepEqual(await connector.begin(trip), {
    url: 'https://id.example/upstream/county/password?state=st%2F1',
    memo: {},
  })
  t.is(heard.length, 0)
})

test('found by the service, proven by her own bind, known by what never changes', async (t) => {
  const { connector, signIn, asked, heard, sources, server } = await openSchool(t, {
    entries: [
      entryOf('wang', {
        mail: ['wang@school.example'],
        title: ['教師', '設備組長'],
        jpegPhoto: [Buffer.from([0xff, 0xd8, 0xff])],
        personid: ['A123456789'],
      }),
    ],
    settings: { attributes: ['cn', 'mail', 'title', 'jpegPhoto', 'personid', 'sn'] },
    fingerprint: 'personid',
  })
  const identity = await signIn(' wang ')
  const attributes = { cn: '王小明', mail: 'wang@school.example', title: ['教師', '設備組長'] }
  t.deepEqual(identity, {
    connector: 'county',
    issuer: 'urn:school:some',
    subject: 'uuid of wang',
    profile: { name: '王小明' },
    affiliations: [],
    openid2Ids: [],
    fingerprint: 'a123456789',
    unread: ['jpegPhoto'],
    amr: ['pwd'],
    raw: attributes,
  })
  t.deepEqual(sources, [{ idToken: {}, attributes: { ...attributes, personid: 'A123456789' } }])
  t.deepEqual(
    await eventually(
      async () => asked(),
      (all) => all.length === 4,
    ),
    [
      `bind ${service.bindDn}`,
      'search (&(objectclass=person)(uid=wang))',
      `bind uid=wang,${baseDn}`,
      'unbind',
    ],
  )
  t.true(heard.every(({ secure }) => secure))
  t.deepEqual(connector.servers, [`localhost:${server.port}`])
})

test('a wrong password, an unknown account and two of one name are told alike, by the same steps', async (t) => {
  const twins = [entryOf('two', { uid: ['twin'] }), entryOf('three', { uid: ['twin'] })]
  const { signIn, asked, passwords } = await openSchool(t, { entries: [entryOf('wang'), ...twins] })
  await fails(t, 'refused', signIn('wang', 'secret one'), nobody)
  const wrong = asked()
  for (const account of ['nobody', 'twin']) {
    await fails(t, 'refused', signIn(account, 'secret two'), nobody)
    const steps = asked().slice(-wrong.length)
    t.is(steps.length, wrong.length)
    t.regex(steps[2] ?? '', new RegExp(`^bind cn=[0-9a-f-]{36},${baseDn}$`))
  }
  t.is(passwords().filter((one) => one === 'secret two').length, 2)
})

test('no bind is ever tried without a password', async (t) => {
  const { signIn, asked } = await openSchool(t)
  for (const password of ['', '\0', 'x'.repeat(1025)]) {
    await fails(t, 'refused', signIn('wang', password), nobody)
  }
  for (const account of ['', '  ', 'wang\0', 'wa\nng', 'x'.repeat(255)]) {
    await fails(t, 'refused', signIn(account), nobody)
  }
  t.deepEqual(asked(), [], 'nothing was asked at all')
})

test('what is typed is a value of the filter, never a part of it', async (t) => {
  const { signIn, asked } = await openSchool(t)
  const tries = ['*', 'wang)(uid=*', '*)(uid=*', 'wang*', 'w\\61ng', 'wang)(|(uid=*', '(uid=wang)']
  for (const account of tries) await fails(t, 'refused', signIn(account), nobody)
  const searches = asked().filter((one) => one.startsWith('search'))
  t.is(searches[2], 'search (&(objectclass=person)(uid=\\2a\\29\\28uid=\\2a))')
  t.is(searches.length, tries.length)
  t.is((await signIn('WANG')).subject, 'uuid of wang')
})

test('a filter with {account} twice, in letters of any script', async (t) => {
  const { signIn } = await openSchool(t, {
    entries: [entryOf('wang', { mail: ['王@school.example'] })],
    settings: { filter: '(|(uid={account})(mail={account}))' },
  })
  t.is((await signIn('王@school.example')).subject, 'uuid of wang')
})

test('bytes are told as Windows and everybody else writes them', async (t) => {
  const guid = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
  const { signIn } = await openSchool(t, {
    entries: [entryOf('wang', { objectGUID: [guid] }), entryOf('lin', { objectGUID: ['x'] })],
    settings: { subject: 'objectguid' },
  })
  t.is((await signIn()).subject, '33221100-5544-7766-8899-aabbccddeeff')
  t.is((await signIn('lin', 'lin pass')).subject, '78')
})

test('without one value of what never changes nobody is signed in', async (t) => {
  for (const entryUUID of [[], ['a', 'b'], [''], [' '], ['x'.repeat(256)]]) {
    const { signIn } = await openSchool(t, { entries: [entryOf('wang', { entryUUID })] })
    await fails(t, 'nonsense', signIn(), /needs one entryUUID/)
  }
})

test('an entry without a name is nobody: binding as nobody always succeeds', async (t) => {
  const { signIn } = await openSchool(t, {
    server: {
      async hear(request) {
        if (request.kind !== 'search') return undefined
        const { id } = request
        const entry = writeEntry(id, '', { entryUUID: ['u'] })
        return Buffer.concat([entry, writeResult(id, 'search', 0)])
      },
    },
  })
  await fails(t, 'refused', signIn(), nobody)
})

test('anonymously, where the file names no service', async (t) => {
  const { signIn, asked } = await openSchool(t, {
    credentials: { bindDn: undefined, bindPassword: undefined } as never,
  })
  t.is((await signIn()).subject, 'uuid of wang')
  t.regex(asked()[0] ?? '', /^search/)
})

test('the service’s own trouble is not hers', async (t) => {
  const wrong = await openSchool(t, { credentials: { bindPassword: 'secret other' } })
  await fails(t, 'nonsense', wrong.signIn(), /service’s sign-in .* result code 49/)
  await fails(t, 'nonsense', wrong.connector.probe(), /service’s sign-in .* result code 49/)
  const base = await openSchool(t, { settings: { base_dn: 'dc=nowhere' } })
  await fails(t, 'nonsense', base.signIn(), /the search .* result code 32/)
  const filter = await openSchool(t, { settings: { filter: '(uid={account}' } })
  await fails(t, 'nonsense', filter.signIn('teacher1'), /settings\.filter cannot be read/)
  await t.notThrowsAsync((await openSchool(t)).connector.probe())
})

const codes = [
  [19, 'refused'],
  [53, 'refused'],
  [10, 'nonsense'],
  [3, 'slow'],
  [51, 'unreachable'],
  [52, 'unreachable'],
] as const

test('what her own bind is answered with decides whose fault it is', async (t) => {
  let code = 0
  const { signIn } = await openSchool(t, {
    server: {
      async hear(request) {
        const hers = request.kind === 'bind' && request.dn.startsWith('uid=')
        return hers ? writeResult(request.id, 'bind', code) : undefined
      },
    },
  })
  for (const [one, failure] of codes) {
    code = one
    await fails(t, failure, signIn())
  }
})

test('StartTLS: nothing but the wish for it goes in the clear', async (t) => {
  const { connector, signIn, heard } = await openSchool(t, { server: { startTls: true } })
  t.is((await signIn()).subject, 'uuid of wang')
  t.deepEqual(
    heard.filter(({ secure }) => !secure).map(({ request }) => request.kind),
    ['extended'],
  )
  t.deepEqual(connector.servers, [], 'nobody can begin TLS there without speaking LDAP first')
})

test('where StartTLS is refused, or stripped on the way, no password is sent', async (t) => {
  const answers = [
    (id: number) => writeResult(id, 'extended', 2),
    (id: number) => writeResult(id, 'extended', 0),
    // Slipped in by somebody in between, to be read as if it had come over TLS.
    (id: number) => Buffer.concat([writeResult(id, 'extended', 0), writeResult(id + 1, 'bind', 0)]),
    () => Buffer.from('<html>'),
  ]
  for (const [at, answer] of answers.entries()) {
    const { signIn, passwords } = await openSchool(t, {
      // It ends by what is answered, long before its time is up.
      settings: { timeout_ms: 30_000 },
      server: {
        startTls: true,
        hear: async (request, secure) => (secure ? undefined : answer(request.id)),
      },
    })
    const failure = (['unreachable', 'unreachable', 'forged', 'nonsense'] as const)[at] ?? 'forged'
    await fails(t, failure, signIn())
    t.deepEqual(passwords(), [])
  }
})

test('a plain directory is not spoken to where TLS is due', async (t) => {
  const heard: Buffer[] = []
  const plain = createServer((socket) =>
    socket.on('error', () => {}).on('data', (b) => heard.push(b)),
  )
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  t.teardown(() => plain.close())
  const { port } = plain.address() as { port: number }
  const { signIn } = await openSchool(t, {
    settings: { url: `ldaps://localhost:${port}`, timeout_ms: 300 },
  })
  await fails(t, 'slow', signIn())
  t.notRegex(Buffer.concat(heard).toString('latin1'), /pass/)
})

test('a certificate that does not hold is told to the operator, and no password is sent', async (t) => {
  const day = 24 * 60 * 60 * 1000
  const expired = await makeOne({ until: new Date(Date.now() - day / 2) })
  const elsewhere = await makeOne({ hosts: ['other.example'] })
  const unknown = await makeOne()
  const cases = [
    [expired, expired.certificate, /certificate has expired/],
    [elsewhere, elsewhere.certificate, /certificate is for another name/],
    [unknown, certificate.certificate, /self-signed: name it in ca_env/],
    [unknown, undefined, /self-signed: name it in ca_env/],
  ] as const
  for (const [shown, ca, words] of cases) {
    for (const startTls of [false, true]) {
      const { signIn, connector, passwords } = await openSchool(t, {
        server: { ...shown, startTls },
        credentials: { ca } as never,
      })
      await fails(t, 'unreachable', signIn(), words)
      await fails(t, 'unreachable', connector.probe(), words)
      t.deepEqual(passwords(), [])
    }
  }
})

test('a directory that is away, hangs or breaks off says so within the time limit', async (t) => {
  const away = await openSchool(t)
  await away.server.close()
  await fails(t, 'unreachable', away.signIn(), /ECONNREFUSED/)
  const hangs = await openSchool(t, {
    settings: { timeout_ms: 200 },
    server: { hear: () => new Promise(() => {}) },
  })
  await fails(t, 'slow', hangs.signIn(), /time limit/)
  const breaks = await openSchool(t, { server: { hear: async () => 'cut' as const } })
  await fails(t, 'unreachable', breaks.signIn())
})

test('answers that are no LDAP, too many or too long are nonsense, and never hang us', async (t) => {
  const bodies = [
    Buffer.from('<!doctype html><title>系統維護中</title>'),
    // An entry without its attributes: ldapts' own client reads it for ever.
    Buffer.from('300702010364020400', 'hex'),
    Buffer.from('30070201036502040030', 'hex'),
    Buffer.from('3080', 'hex'),
    Buffer.from('30050201026100', 'hex'),
    writeResult(77, 'bind', 0),
    writeEntry(2, 'uid=x', {}),
    Buffer.alloc(300 * 1024, 0x30),
    Buffer.concat([Buffer.from('30847fffffff', 'hex'), Buffer.alloc(300 * 1024)]),
    Buffer.concat(Array(50_000).fill(writeEntry(2, 'x', {}))),
  ]
  for (const [at, body] of bodies.entries()) {
    const { signIn } = await openSchool(t, {
      settings: { timeout_ms: 30_000 },
      server: { hear: async () => body },
    })
    await fails(t, 'nonsense', signIn(), undefined).catch((error) =>
      t.fail(`answer ${at}: ${error}`),
    )
  }
})

test('where else the directory sends us nobody goes', async (t) => {
  let visits = 0
  const elsewhere = createTlsServer(certificate, () => visits++)
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  t.teardown(() => elsewhere.close())
  const { port } = elsewhere.address() as { port: number }
  const url = Buffer.from(`ldaps://localhost:${port}/dc=x`)
  const reference = (id: number) => {
    const uri = Buffer.concat([Buffer.from([0x04, url.length]), url])
    const body = Buffer.concat([Buffer.from([0x02, 1, id, 0x73, uri.length]), uri])
    return Buffer.concat([Buffer.from([0x30, body.length]), body])
  }
  const { signIn } = await openSchool(t, {
    server: {
      async hear(request) {
        if (request.kind !== 'search') return undefined
        const { id } = request
        return Buffer.concat([reference(id), writeResult(id, 'search', 0)])
      },
    },
  })
  await fails(t, 'refused', signIn(), nobody)
  t.is(visits, 0)
})

test('an answer opened without the form is nobody’s', async (t) => {
  const { connector, asked } = await openSchool(t)
  const url = new URL('https://id.example/upstream/county/callback?state=st/1')
  await fails(t, 'nonsense', connector.complete({ url, state: 'st/1' }, {}), /nothing was typed/)
  t.deepEqual(asked(), [])
})
