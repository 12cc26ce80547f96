/** What stands before every call of the API, over operations made for it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { z } from 'zod'
import { done, nothing, operation, rejected, unknown } from '#admin/operation.ts'
import { paged, pageOf } from '#admin/paging.ts'
import { errors } from '#http/middleware/errors.ts'
import { reference } from '#http/middleware/reference.ts'
import { source } from '#http/middleware/source.ts'
import { unit } from '#http/middleware/unit.ts'
import { openApi } from '#http/routes/api.ts'
import { apiOf, call, openRobot, scopesOf, tokenOf } from '../helpers/api.ts'
import { costOfAll } from '../helpers/computing.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { openStaff } from '../helpers/staff.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** A shelf of books: what any subject of ours looks like. */
function shelf() {
  const books = new Map([['b1', { id: 'b1', title: '論語', pages: 200 }]])
  const book = z.object({ id: z.string(), title: z.string(), pages: z.int() })
  const acts: string[] = []
  const operations = [
    operation({
      id: 'books.list',
      summary: 'Lists the books.',
      permission: 'clients.read',
      method: 'GET',
      path: '/books',
      input: z.strictObject({
        ...paged,
        thick: z.boolean().optional(),
        tag: z.array(z.string()).optional(),
      }),
      output: pageOf(book),
      async run(_ports, _by, input) {
        acts.push(JSON.stringify(input))
        return done({ items: [...books.values()] })
      },
    }),
    operation({
      id: 'books.newest',
      summary: 'Shows the newest book.',
      permission: 'clients.read',
      method: 'GET',
      path: '/books/newest',
      input: z.strictObject({}),
      output: z.object({ title: z.string() }),
      run: async () => done({ title: 'newest', shelf: 'a secret' }),
    }),
    operation({
      id: 'books.show',
      summary: 'Shows a book.',
      permission: 'clients.read',
      method: 'GET',
      path: '/books/{id}',
      input: z.strictObject({ id: z.string().max(40) }),
      output: book,
      async run(_ports, _by, { id }) {
        const found = books.get(id)
        return found ? done(found) : unknown
      },
    }),
    operation({
      id: 'books.create',
      summary: 'Adds a book.',
      permission: 'clients.write',
      method: 'POST',
      path: '/books',
      input: z.strictObject({ title: z.string().min(1).max(100), pages: z.int().optional() }),
      output: book,
      async run(_ports, by, { title, pages = 1 }) {
        acts.push(`${by.actor} adds`)
        if (title === 'taken') return rejected('title', 'is taken', 'taken')
        const one = { id: 'b 2', title, pages }
        books.set(one.id, one)
        return done(one)
      },
    }),
    operation({
      id: 'books.remove',
      summary: 'Burns a book.',
      permission: 'clients.write',
      dangerous: true,
      method: 'DELETE',
      path: '/books/{id}',
      input: z.strictObject({ id: z.string(), sure: z.boolean().optional() }),
      output: nothing,
      async run(_ports, _by, { id }) {
        if (id === 'b1') return { kind: 'refused', why: 'not-staff' }
        if (id === 'b9') return { kind: 'conflict', why: 'it was lent meanwhile' }
        if (id === 'b0') throw new Error('SELECT secret FROM shelf')
        return done({})
      },
    }),
  ]
  return { operations, acts }
}

/** The API over other operations than ours, beside the world: tokens and people are the world's. */
async function openShelf(t: ExecutionContext, world: World) {
  const { operations, acts } = shelf()
  const app = new Koa()
  const { house } = world
  for (const one of [
    reference(house),
    source([]),
    errors(house.answer),
    unit(house),
    openApi(house, operations),
  ]) {
    app.use(one as unknown as Koa.Middleware)
  }
  const server = createServer(app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`, acts }
}

test('a program does with its own token what its roles and its scopes have in common', async (t) => {
  const world = await buildWorld(t)
  const { base, acts } = await openShelf(t, world)
  const { token, holder, app } = await openRobot(world, {
    permissions: ['clients.read', 'clients.write'],
    grants: [{ role: 'client-admin', reach: '' }],
  })

  const list = await call(base, token, 'GET', '/books?limit=5&thick=true&tag=old')
  t.is(list.status, 200)
  t.deepEqual(list.body, { items: [{ id: 'b1', title: '論語', pages: 200 }] })
  t.deepEqual(JSON.parse(acts[0] ?? ''), { limit: 5, thick: true, tag: ['old'] })
  t.is(list.headers.get('content-type'), 'application/json; charset=utf-8')
  // A fixed path is not taken for an id, and what an output does not name stays here.
  const newest = await call(base, token, 'GET', '/books/newest')
  t.deepEqual(newest.body, { title: 'newest' })

  const made = await call(base, token, 'POST', '/books', { title: '孟子' })
  t.is(made.status, 201)
  t.is(made.headers.get('location'), `${world.issuer}/api/v1/books/b%202`)
  t.is(acts.at(-1), `${holder} adds`)
  const removed = await call(base, token, 'DELETE', '/books/b5')
  t.is(removed.status, 204)
  t.is(removed.body, '')

  const unknownOne = await call(base, token, 'GET', '/books/b7')
  t.is(unknownOne.status, 404)
  t.is(unknownOne.headers.get('content-type'), 'application/problem+json')
  t.like(unknownOne.body, { type: 'urn:citygate:problem:unknown', status: 404 })
  t.is(unknownOne.body.ref, unknownOne.headers.get('x-reference'))
  const taken = await call(base, token, 'POST', '/books', { title: 'taken' })
  t.is(taken.status, 422)
  t.deepEqual(taken.body.problems, [{ field: 'title', message: 'is taken', code: 'taken' }])
  const refused = await call(base, token, 'DELETE', '/books/b1')
  t.is(refused.status, 409)
  t.like(refused.body, { code: 'not-staff', type: 'urn:citygate:problem:refused' })
  t.regex(refused.body.detail, /not one of the staff/)
  const lost = await call(base, token, 'DELETE', '/books/b9')
  t.like(lost.body, { type: 'urn:citygate:problem:conflict', detail: 'it was lent meanwhile' })
  t.false('code' in lost.body, 'a sentence is no word for programs')
  const broken = await call(base, token, 'DELETE', '/books/b0')
  t.is(broken.status, 500)
  t.notRegex(JSON.stringify(broken.body), /secret|SELECT/)

  // Its role is taken: dead at once, whatever the token says. Then its scope, then the program itself.
  await world.house.store.staffRoles.revoke({ holder, role: 'client-admin', reach: '' })
  const forbidden = await call(base, token, 'GET', '/books')
  t.is(forbidden.status, 403)
  t.regex(
    forbidden.headers.get('www-authenticate') ?? '',
    /error="insufficient_scope", scope="admin:clients.read"/,
  )
  const robot = await openRobot(world, {
    permissions: ['people.read'],
    grants: [{ role: 'owner', reach: '' }],
  })
  t.is((await call(base, robot.token, 'GET', '/books')).status, 403)
  await world.house.store.clients.remove(app.clientId)
  await new Promise((resolve) => setTimeout(resolve, 1_050))
  t.is((await call(base, token, 'GET', '/books')).status, 401)
})

test.serial('what is sent is read strictly, and bounded', async (t) => {
  const world = await buildWorld(t)
  const { base, acts } = await openShelf(t, world)
  const { token } = await openRobot(world, {
    permissions: ['clients.read', 'clients.write'],
    grants: [{ role: 'owner', reach: '' }],
  })
  const post = (body: unknown, headers?: Record<string, string>) =>
    call(base, token, 'POST', '/books', body, headers)
  const deep = (depth: number) => `{"title":${'['.repeat(depth)}${']'.repeat(depth)}}`
  for (const [body, status] of [
    ['{', 400],
    ['[]', 400],
    ['"title"', 400],
    ['null', 400],
    ['{"title":"a","title":"b"}', 400],
    ['{"title":"a","\\u0074itle":"b"}', 400],
    ['{"title":"a","__proto__":{"pages":1}}', 400],
    [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400],
    [deep(17), 400],
    [deep(200_000), 400],
    [`{"title":"${'\\"'.repeat(300_000)}`, 400],
    [`{"title":[${'1,'.repeat(60_000)}1]}`, 400],
    [`{"title":"${'a'.repeat(1024 * 1024)}"}`, 413],
    ['{"title":"a","constructor":1}', 422],
    ['{"title":"a","isAdmin":true}', 422],
    ['{"title":1}', 422],
    ['{}', 422],
    ['', 422],
    ['\ufeff{"title":"a"}', 201],
  ] as const) {
    const beginning = String(body).slice(0, 60)
    const cost = await costOfAll(async () => t.is((await post(body)).status, status, beginning))
    // What takes its square would take minutes.
    t.true(cost < 3_000, `${beginning}: ${cost} ms`)
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
  ]) {
    t.is((await post('{"title":"a"}', { 'content-type': type })).status, 415, type)
  }
  t.is((await post('{"title":"a"}', { 'content-encoding': 'gzip' })).status, 415)
  t.is((await call(base, token, 'GET', '/books?limit=5&limit=6')).status, 422)
  t.is((await call(base, token, 'GET', '/books?__proto__=6')).status, 422)
  t.is((await call(base, token, 'GET', '/books?limit=many')).status, 422)
  t.is((await call(base, token, 'GET', '/books/b1?id=b2')).status, 422)
  t.is((await call(base, token, 'GET', '/books/%E0%A4%A')).status, 404)
  t.is((await call(base, token, 'GET', '/books', undefined, { accept: 'text/html' })).status, 406)
  const put = await call(base, token, 'PUT', '/books', {})
  t.is(put.status, 405)
  t.regex(put.headers.get('allow') ?? '', /GET.*POST|POST.*GET/)
  t.is((await call(base, token, 'GET', '/books/')).status, 404)
  t.is((await call(base, token, 'GET', '/BOOKS')).status, 404)
  t.is(acts.filter((act) => act.endsWith('adds')).length, 1)
})

test('a person’s token is good while she is signed in with both factors', async (t) => {
  const world = await buildWorld(t)
  const { base } = await openShelf(t, world)
  const scope = scopesOf(['clients.read', 'clients.write'])
  const scopes = ['openid', ...scope.split(' ')]
  const owner = await openStaff(world)
  // She is told in words what an app wants to do in her place.
  const foreign = await world.buildApp({ scopes, firstParty: false })
  const asked = await foreign.begin(owner.browser, { scope, resource: apiOf(world), nonce: null })
  t.regex(asked.html, /城門管理功能/)
  t.regex(asked.html, /新增、修改、停用應用程式，產生密鑰/)
  const app = await world.buildApp({ scopes })
  const token = await tokenOf(world, owner.browser, app, scope)
  t.is((await call(base, token, 'GET', '/books')).status, 200)
  t.is((await call(base, token, 'DELETE', '/books/b5')).status, 204)

  await owner.ageBy(15 * 60 + 5)
  t.is((await call(base, token, 'GET', '/books')).status, 200)
  const stale = await call(base, token, 'DELETE', '/books/b5')
  t.is(stale.status, 401)
  const said = stale.headers.get('www-authenticate') ?? ''
  t.true(said.includes('error="insufficient_user_authentication"'))
  t.true(said.includes(`acr_values="${world.house.config.site.acr.two_factor}", max_age="900"`))
  const day = 8 * 60 * 60
  await owner.ageBy(day)
  t.is((await call(base, token, 'GET', '/books')).status, 401, 'nor is it hers for weeks')
  await owner.ageBy(-day)
  t.is((await call(base, token, 'GET', '/books')).status, 200)

  // Suspended, signed out: dead at once.
  const { store } = world.house
  await store.accounts.suspend(owner.sub, 1)
  t.is((await call(base, token, 'GET', '/books')).status, 401)
  const second = await openStaff(world, [{ role: 'auditor', reach: '' }])
  const hers = await tokenOf(world, second.browser, app, scope)
  t.is((await call(base, hers, 'GET', '/books')).status, 200)
  t.is((await call(base, hers, 'POST', '/books', { title: 'a' })).status, 403)
  const [session] = await store.payloads.sessionsOf(second.sub, 0)
  await store.payloads.end(session?.id ?? '', 1)
  t.is((await call(base, hers, 'GET', '/books')).status, 401)
})

test('tokens that were not made for this API open nothing', async (t) => {
  const world = await buildWorld(t, { limits: { clients: { failures_per_minute: 100 } } })
  const { base } = await openShelf(t, world)
  const scope = scopesOf(['clients.read'])
  const owner = await openStaff(world)
  const resource = apiOf(world)

  // A registration that names no such scope, or none at all, may ask for everything else only.
  for (const scopes of [undefined, ['openid', 'profile']]) {
    const app = await world.buildApp(scopes ? { scopes } : {})
    const page = await app.begin(owner.browser, { scope: `openid ${scope}`, resource })
    t.false(page.url.searchParams.has('code'))
    t.true(page.url.href.includes('invalid_target'), page.url.href)
    const plain = await app.begin(owner.browser, { scope: 'openid' })
    t.true(arrivedAt(app, plain))
    const { body } = await app.redeem(plain.url)
    t.is((await call(base, body.access_token, 'GET', '/books')).status, 401)
    t.is((await call(base, body.id_token, 'GET', '/books')).status, 401)
  }
  // One scope registered gives no other one.
  const narrow = await openRobot(world, { permissions: ['people.read'], grants: [] })
  const wide = await narrow.app.token({
    grant_type: 'client_credentials',
    scope: scopesOf(['people.read', 'clients.read']),
    resource,
  })
  t.is(wide.body.scope, 'admin:people.read')
  // Without the resource it is a token for nothing of ours.
  const bare = await narrow.app.token({ grant_type: 'client_credentials', scope })
  t.is((await call(base, bare.body.access_token, 'GET', '/books')).status, 401)
  // A screen elsewhere must not be what staff confirm with a code they were told.
  const device = await world.buildApp({ scopes: ['openid', scope], device: true })
  const asked = await fetch(`${world.issuer}/device/auth`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${device.clientId}:${device.clientSecret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ scope: `openid ${scope}`, resource }),
  })
  t.is((await asked.json()).error, 'invalid_target')

  const robot = await openRobot(world, {
    permissions: ['clients.read'],
    grants: [{ role: 'owner', reach: '' }],
  })
  t.is((await call(base, robot.token, 'GET', '/books')).status, 200)
  for (const [path, headers] of [
    ['/books', { cookie: await owner.browser.jar.getCookieString(world.issuer) }],
    [`/books?access_token=${robot.token}`, {}],
    ['/books', { authorization: `DPoP ${robot.token}` }],
    ['/books', { authorization: `Basic ${robot.token}` }],
    ['/books', { authorization: `Bearer ${robot.token}x` }],
  ] as const) {
    const answer = await call(base, undefined, 'GET', path, undefined, headers)
    t.is(answer.status, 401, path)
    t.regex(answer.headers.get('www-authenticate') ?? '', /^Bearer realm="citygate"/)
  }
  // A token bound to a key is not for whoever carries it.
  const { provider } = world.house
  const client = await provider.Client.find(robot.app.clientId)
  for (const [bound, status] of [
    [{}, 200],
    [{ jkt: 'of-a-key' }, 401],
  ] as const) {
    const made = { client, scope, aud: resource, ...bound }
    const token = await new provider.ClientCredentials(made as never).save()
    t.is((await call(base, token, 'GET', '/books')).status, status)
  }
  // One factor is not enough, whatever role she has.
  const single = await openStaff(world)
  const app = await world.buildApp({ scopes: ['openid', scope] })
  const token = await tokenOf(world, single.browser, app, scope)
  const { store, config } = world.house
  for (const { id, payload } of await store.payloads.sessionsOf(single.sub, 0)) {
    const changed = { ...payload, acr: config.site.acr.password }
    const uid = String(payload.uid)
    const expiresAt = Math.floor(Date.now() / 1000) + 1800
    const row = { id, model: 'Session', payload: changed, uid, accountId: single.sub, expiresAt }
    await store.payloads.save([row])
  }
  const one = await call(base, token, 'GET', '/books')
  t.is(one.status, 401)
  t.regex(one.headers.get('www-authenticate') ?? '', /insufficient_user_authentication/)
  // Nor is she given another token before she proved herself with both.
  const asking = await app.begin(single.browser, { scope, resource, nonce: null })
  t.regex(asking.url.pathname, /^\/interaction\//)
  const silent = { scope, resource, nonce: null, prompt: 'none' }
  t.regex(String((await app.begin(single.browser, silent)).url), /error=\w+_required/)
})

test('who asks too much waits: with a token by itself, without one by address', async (t) => {
  const limits = { clients: { requests_per_second: 2, failures_per_minute: 3 } }
  const world = await buildWorld(t, { limits })
  const { base } = await openShelf(t, world)
  const grants = [{ role: 'owner', reach: '' }] as const
  const permissions = ['clients.read'] as const
  const robot = await openRobot(world, { permissions, grants })
  const other = await openRobot(world, { permissions, grants })
  const answers = []
  for (let i = 0; i < 25; i++) answers.push(await call(base, robot.token, 'GET', '/books'))
  const last = answers.at(-1)
  t.is(answers[0]?.status, 200)
  t.is(last?.status, 429)
  t.true(Number(last?.headers.get('retry-after')) > 0)
  t.is((await call(base, other.token, 'GET', '/books')).status, 200)

  const wrong = []
  for (let i = 0; i < 5; i++) wrong.push((await call(base, `wrong${i}`, 'GET', '/books')).status)
  t.deepEqual(wrong, [401, 401, 401, 401, 429])
})

test('the API is read by programs: JSON whatever happens, nothing of our pages, nothing shared', async (t) => {
  const world = await buildWorld(t)
  for (const path of ['/api', '/api/', '/api/v1', '/api/v2/clients', '/api/v1/nothing']) {
    const answer = await call(world.issuer, undefined, 'GET', path)
    t.is(answer.status, 404, path)
    t.is(answer.headers.get('content-type'), 'application/problem+json')
    t.is(answer.headers.get('cache-control'), 'no-store')
    t.is(answer.headers.get('x-content-type-options'), 'nosniff')
    t.deepEqual(answer.headers.getSetCookie(), [])
  }
  const preflight = await call(
    world.issuer,
    undefined,
    'OPTIONS',
    '/api/v1/openapi.json',
    undefined,
    {
      origin: 'https://evil.example',
      'access-control-request-method': 'GET',
    },
  )
  t.is(preflight.headers.get('access-control-allow-origin'), null)
  const document = await call(world.issuer, undefined, 'GET', '/api/v1/openapi.json', undefined, {
    origin: 'https://evil.example',
  })
  t.is(document.status, 200)
  t.is(document.headers.get('access-control-allow-origin'), null)
  for (const path of Object.values<Record<string, Record<string, string>>>(document.body.paths)) {
    for (const { operationId = '', summary = '' } of Object.values(path)) {
      t.regex(operationId, /^[a-z]+(\.[a-zA-Z]+)+$/, 'names are written in one way')
      t.regex(summary, /^[A-Z][a-z]+s .*\.$/, `${operationId} says in a sentence what it does`)
    }
  }
})

test('people come and go as CSV, under the same gate', async (t) => {
  const world = await buildWorld(t)
  const base = apiOf(world)
  const permissions = ['people.import', 'people.export'] as const
  const { token } = await openRobot(world, { permissions, grants: [{ role: 'owner', reach: '' }] })
  const { token: none } = await openRobot(world, { permissions, grants: [] })
  const csv = { 'content-type': 'text/csv' }
  const file = 'account,name\nchen.import,陳匯入\n'
  t.is((await call(base, none, 'POST', '/imports?file=a.csv', file, csv)).status, 403)
  t.is((await call(base, token, 'POST', '/imports?file=a.csv', { a: 1 })).status, 415)
  const { body: document } = await call(base, undefined, 'GET', '/openapi.json')
  t.deepEqual(
    ['201', '413', '415', '422'].map((one) => one in document.paths['/imports'].post.responses),
    [true, false, true, true],
  )
  t.is((await call(base, token, 'POST', '/imports?path=a.csv', file, csv)).status, 422)
  t.is((await call(base, token, 'POST', '/imports', 'no,such\ncolumns,here\n', csv)).status, 422)
  const made = await call(base, token, 'POST', '/imports?file=a.csv', file, csv)
  t.is(made.status, 201)
  const path = made.headers.get('location')?.slice(base.length) ?? ''
  t.like((await call(base, token, 'GET', path)).body, { id: made.body.id, file: 'a.csv', total: 1 })

  await world.buildPerson({ name: '王匯出' })
  t.is((await call(base, none, 'POST', '/people/export', {})).status, 403)
  t.is((await call(base, token, 'POST', '/people/export', { county: 'nowhere' })).status, 422)
  const out = await call(base, token, 'POST', '/people/export', {}, { accept: 'text/csv' })
  t.is(out.status, 200)
  t.is(out.headers.get('content-type'), 'text/csv; charset=utf-8')
  t.regex(String(out.body), /王匯出/)
})
