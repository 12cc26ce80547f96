/** What staff do with apps, asked as pages, programs and commands ask it. */
import test, { type ExecutionContext } from 'ava'
import type { z } from 'zod'
import { type Barred, type Operation, type Outcome, perform } from '#admin/operation.ts'
import {
  addClientOwner,
  addClientSecret,
  checkClient,
  createClient,
  disableClient,
  enableClient,
  getClient,
  listClients,
  listClientVersions,
  putClientLogo,
  removeClient,
  removeClientOwner,
  undoClient,
  updateClient,
} from '#admin/operations/clients.ts'
import { type By, type Grant, operatorBy } from '#admin/staff.ts'
import { openLogoutTokens } from '#oidc/backchannel.ts'
import { openDatabase } from '#store/database.ts'
import { buildIdentity } from '../helpers/people.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { signIn } from '../helpers/sign-in.ts'
import type { World } from '../helpers/world.ts'

const everywhere = (role: Grant['role']): Grant[] => [{ role, reach: '' }]
const own: Grant[] = [{ role: 'client-admin', reach: 'own' }]

const staff = (actor: string, grants: Grant[], more: Partial<By> = {}): By => ({
  ...operatorBy(actor),
  grants,
  ...more,
})
const owner = staff('operator:test', everywhere('owner'))
const admin = staff('operator:admin', everywhere('client-admin'))

const ask = <I extends z.ZodType, O extends z.ZodType>(
  by: By,
  one: Operation<I, O>,
  input: unknown,
) => perform(world.house, by, one, input)

let world: World
test.before(async () => {
  world = await openSharedWorld()
})

const web = { kind: 'web', name: '課程平台', redirectUris: ['https://app.example/callback'] }

type Answer<T> = Outcome<T> | Barred

/** Does it, and what it says. */
async function done<T>(t: ExecutionContext, outcome: Promise<Answer<T>>): Promise<T> {
  const answer = await outcome
  t.is(answer.kind, 'done', JSON.stringify(answer))
  if (answer.kind !== 'done') throw new Error(answer.kind)
  return answer.value
}

const fieldsOf = (answer: Answer<unknown>): string[] =>
  answer.kind === 'rejected' ? answer.problems.map(({ field }) => field) : []

test.serial(
  'an app is registered, found, changed by two people at once, and brought back',
  async (t) => {
    const pasted = { ...web, name: '課程\n平台\u001b ', nameEn: '\tCourses' }
    const { id, secret } = await done(t, ask(admin, createClient, pasted))
    t.is(secret?.length, 43)
    const found = await done(t, ask(admin, getClient, { id }))
    const settings = { name: '課程 平台', nameEn: 'Courses', pkce: true, firstParty: false }
    t.like(found.settings, settings, 'on one line')
    t.false(JSON.stringify(found).includes(secret ?? ''))

    for (const q of ['課程', id.slice(0, 8), 'app.exa']) {
      const { items } = await done(t, ask(admin, listClients, { q }))
      t.deepEqual(
        items.map((one) => one.id),
        [id],
        q,
      )
    }
    for (const q of ['%', 'a_p.example', "' OR 1=1 --", 'https']) {
      t.deepEqual((await done(t, ask(admin, listClients, { q }))).items, [], q)
    }

    const change = (more: object, version = 1) => ask(admin, updateClient, { id, version, ...more })
    const both = await Promise.all([
      change({ nameEn: 'Learning' }),
      change({ contacts: ['a@b.tw'] }),
    ])
    t.deepEqual(both.map(({ kind }) => kind).sort(), ['conflict', 'done'], 'nothing is overwritten')
    await done(t, change({ redirectUris: ['https://app.example/other'] }, 2))
    const { items } = await done(t, ask(admin, listClientVersions, { id }))
    t.deepEqual(
      items.map(({ version, because }) => [version, because]),
      [
        [3, 'change'],
        [2, 'change'],
        [1, 'create'],
      ],
    )
    t.deepEqual(items[0]?.changes, [
      {
        field: 'redirect_uris',
        from: 'https://app.example/callback',
        to: 'https://app.example/other',
      },
    ])
    const undo = (current: number) => ask(admin, undoClient, { id, version: 1, current })
    t.is((await undo(2)).kind, 'conflict')
    await done(t, undo(3))
    const back = await done(t, ask(admin, getClient, { id }))
    t.deepEqual(back.settings.redirectUris, web.redirectUris)
    t.is(back.version, 4)
    t.like(await undo(4), { kind: 'refused', why: 'clients.nothing-to-undo' })
    const trail = await world.house.store.auditReads.list({
      target: `client:${id}`,
      limit: 50,
    })
    t.false(JSON.stringify(trail).includes(secret ?? ''))
  },
)

test.serial('an app says everything that is wrong with it', async (t) => {
  const before = (await world.house.store.clients.list()).length
  const wrong = async (more: object) =>
    fieldsOf(await ask(owner, createClient, { ...web, ...more }))
  for (const uri of [
    'javascript:alert(1)',
    'data:text/html,x',
    'http://app.example/',
    'https://*.app.example/',
    'https://app.example/#x',
    'https://user@app.example/',
    'https://app.example;script-src/',
    'tw.example:/callback',
    'https://app.example/"><script>',
    'nonsense',
  ]) {
    t.deepEqual(
      await wrong({ redirectUris: ['https://app.example/', uri] }),
      ['redirectUris.1'],
      uri,
    )
    t.deepEqual(await wrong({ backchannelLogoutUri: uri }), ['backchannelLogoutUri'], uri)
    t.deepEqual(await wrong({ tosUri: uri }), ['tosUri'], uri)
  }
  t.deepEqual(await wrong({ kind: 'native', redirectUris: ['javascript:x'] }), ['redirectUris.0'])
  t.deepEqual(await wrong({ kind: 'machine' }), ['redirectUris'])
  t.deepEqual(await wrong({ contacts: ['a@b.tw', 'a@b.tw\nBcc: c@d.tw'] }), ['contacts.1'])
  t.deepEqual(await wrong({ scopes: ['profile', 'nonsense'] }), ['scopes.1'])
  t.deepEqual(await wrong({ authMethod: 'private_key_jwt' }), ['jwksUri'])
  t.deepEqual(await wrong({ jwks: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' }), ['jwks'])
  for (const more of ['"\\u0000"', `${'['.repeat(9_000)}${']'.repeat(9_000)}`]) {
    t.deepEqual(await wrong({ jwks: `{"keys":[{"kty":"RSA","n":"AQ","e":"AQ","x":${more}}]}` }), [
      'jwks',
    ])
  }
  t.deepEqual(await wrong({ accessTokenSeconds: 5 }), ['accessTokenSeconds'])
  const many = Array.from({ length: 300 }, (_, i) => `https://app-${i}.example/callback`)
  t.like(await ask(owner, createClient, { ...web, redirectUris: many }), {
    problems: [{ field: 'redirectUris', code: 'too-many', params: { most: 100 } }],
  })
  t.deepEqual(await wrong({ client_secret: 'mine', disabled: false }), [
    'client_secret',
    'disabled',
  ])
  const { items } = await done(
    t,
    ask(owner, checkClient, {
      kind: 'web',
      redirectUris: ['https://a.example/', 'http://a.example/'],
    }),
  )
  t.deepEqual(
    items.map(({ problem }) => problem?.code),
    [undefined, 'app-uri-https'],
  )
  t.is((await world.house.store.clients.list()).length, before, 'nothing was kept')
})

test.serial(
  'who looks after her own apps learns nothing of others’ and gives herself no trust',
  async (t) => {
    const person = await world.buildPerson({ account: 'her@mail.edu.tw' })
    const her = staff(person.sub, own)
    const { id: other } = await done(t, ask(owner, createClient, web))
    const { id: hers } = await done(t, ask(her, createClient, { ...web, name: '她的' }))
    const { items } = await done(t, ask(her, listClients, {}))
    t.deepEqual(
      items.map((one) => one.id),
      [hers],
    )
    const attempts = [
      [getClient, {}],
      [listClientVersions, {}],
      [updateClient, { version: 1, name: 'x' }],
      [undoClient, { version: 1, current: 1 }],
      [addClientSecret, {}],
      [disableClient, { name: '課程平台' }],
      [enableClient, {}],
      [removeClient, { name: '課程平台' }],
      [addClientOwner, { account: person.account }],
      [removeClientOwner, { accountId: person.sub }],
    ] as unknown as [Operation, object][]
    for (const [operation, more] of attempts) {
      const answer = await ask(her, operation, { id: other, ...more })
      const none = await ask(her, operation, { id: 'nobody', ...more })
      t.deepEqual(answer, none, operation.id)
      t.is(answer.kind, 'unknown')
    }
    for (const more of [
      { firstParty: true },
      { resourceServer: 'https://api.cloud.edu.tw/learning' },
      { pkce: false },
      { scopes: ['profile', 'admin:staff.write'] },
    ]) {
      const [field = ''] = Object.keys(more)
      const change = { id: hers, version: 1, ...more }
      t.deepEqual(fieldsOf(await ask(her, updateClient, change)), [field])
      t.deepEqual(fieldsOf(await ask(her, createClient, { ...web, ...more })), [field])
    }
    await done(t, ask(her, updateClient, { id: hers, version: 1, requireSecondFactor: true }))
    const last = { id: hers, accountId: person.sub }
    t.like(await ask(her, removeClientOwner, last), { kind: 'refused' })
  },
)

test.serial('whoever adds an owner learns no more of her than what she typed', async (t) => {
  const { store } = world.house
  const boss = await world.buildPerson({ account: 'boss@mail.edu.tw', name: '林主任' })
  const added = await world.buildPerson({ account: 'added@mail.edu.tw', name: '王小明' })
  await store.identifiers.take({ type: 'username', value: 'typed', accountId: added.sub })
  const her = staff(boss.sub, own)
  const { id } = await done(t, ask(her, createClient, web))
  const { accountId: mark } = await done(t, ask(her, addClientOwner, { id, account: 'Typed' }))
  const seenBy = async (by: By) => {
    const { owners } = await done(t, ask(by, getClient, { id }))
    // Both came in one second.
    return owners.toSorted((one) => (one.accountId === boss.sub ? -1 : 1))
  }
  const hidden = { accountId: mark, account: 'Typed' }
  const hers = { accountId: boss.sub, account: boss.account, name: '林主任' }
  t.like(await seenBy(her), [hers, hidden])
  t.notRegex(JSON.stringify(await seenBy(her)), new RegExp(`王小明|${added.sub}|${added.account}`))
  // Neither does whoever looks after every app, nor a program that was not let read people.
  t.like((await seenBy(admin))[1], hidden)
  const scopes = new Set(['admin:clients.read'])
  t.like((await seenBy(staff('client:x', everywhere('owner'), { scopes })))[1], hidden)
  // Who reaches her does, and so does she.
  const open = { accountId: added.sub, account: added.account, name: '王小明' }
  t.like((await seenBy(owner))[1], open)
  t.like((await seenBy(staff(added.sub, own)))[1], open)
  const county = (reach: `county:${string}`) =>
    staff(boss.sub, [...own, { role: 'support', reach }])
  t.like((await seenBy(county('county:ntpc')))[1], hidden)
  await store.identities.link({
    ...buildIdentity({ connector: 'ntpc', subject: 'added' }),
    id: 'added',
    accountId: added.sub,
    createdAt: 1,
    readAt: 1,
  })
  t.like((await seenBy(county('county:ntpc')))[1], open)
  t.like((await seenBy(county('county:kh')))[1], hidden)
  // Of another app it is another mark; to her an id she has from elsewhere is nobody's.
  const { id: other } = await done(t, ask(her, createClient, web))
  const there = await done(t, ask(her, addClientOwner, { id: other, account: 'Typed' }))
  t.not(there.accountId, mark)
  for (const accountId of [added.sub, there.accountId])
    t.is((await ask(her, removeClientOwner, { id, accountId })).kind, 'unknown')
  await done(t, ask(her, removeClientOwner, { id, accountId: mark }))
  t.is((await seenBy(owner)).length, 1)
})

test.serial('names are not tried out at the owners of an app', async (t) => {
  const { store } = world.house
  const person = await world.buildPerson({ account: 'curious@mail.edu.tw' })
  const known = await world.buildPerson({ account: 'known@mail.edu.tw' })
  const her = staff(person.sub, own)
  const { id } = await done(t, ask(her, createClient, web))
  const nobody = await ask(her, addClientOwner, { id, account: 'nobody@mail.edu.tw' })
  t.like(nobody, { kind: 'rejected', problems: [{ code: 'app-no-account' }] })
  const [event] = await store.auditReads.list({ action: 'client.add-owner', limit: 1 })
  t.like(event, { actor: person.sub, target: `client:${id}`, outcome: 'unknown' })
  t.notRegex(JSON.stringify(event), /nobody/)
  for (let tries = 1; tries < 20; tries++) {
    const tried = await ask(her, addClientOwner, { id, account: `nobody${tries}` })
    t.is(tried.kind, 'rejected')
  }
  for (const account of [known.account, 'nobody'])
    t.deepEqual(await ask(her, addClientOwner, { id, account }), {
      kind: 'refused',
      why: 'clients.too-many-owners',
    })
  await done(t, ask(owner, addClientOwner, { id, account: known.account }))
})

test.serial('what acts as staff is for owners to make and to touch', async (t) => {
  const robot = { kind: 'machine', name: '機器', scopes: ['admin:clients.read'] }
  t.deepEqual(fieldsOf(await ask(admin, createClient, robot)), ['scopes'])
  const token = staff('client:x', everywhere('owner'), { scopes: new Set(['admin:clients.write']) })
  t.deepEqual(fieldsOf(await ask(token, createClient, robot)), ['scopes'])
  const { id } = await done(t, ask(owner, createClient, robot))
  for (const by of [admin, token]) {
    for (const [operation, more] of [
      [addClientSecret, {}],
      [updateClient, { version: 1, name: 'x' }],
      [disableClient, { name: '機器' }],
    ] as unknown as [Operation, object][]) {
      const answer = await ask(by, operation, { id, ...more })
      t.like(answer, { kind: 'refused', why: 'clients.powerful' })
    }
  }
  const { id: plain } = await done(t, ask(admin, createClient, { ...robot, scopes: null }))
  const role = { holder: `client:${plain}`, role: 'owner', reach: '', grantedAt: 1, grantedBy: 'x' }
  await world.house.store.staffRoles.grant(role)
  t.like(await ask(admin, addClientSecret, { id: plain }), { why: 'clients.powerful' })
  await done(t, ask(owner, removeClient, { id: plain, name: '機器' }))
  t.deepEqual(await world.house.store.staffRoles.of(`client:${plain}`), [])
})

test.serial(
  'a disabled app gets nothing any more, hears of it, and is there again when enabled',
  async (t) => {
    const { store } = world.house
    const rp = await world.buildApp({ backchannelLogoutUri: 'https://app.example/logout' })
    const api = await world.buildApp({
      type: 'machine',
      resourceServer: 'https://api.cloud.edu.tw/learning',
    })
    const { back, browser, person } = await signIn(world, rp)
    const { body } = await rp.redeem(back.url)
    const confirm = { id: rp.clientId, name: 'wrong' }
    t.deepEqual(fieldsOf(await ask(owner, disableClient, confirm)), ['name'])
    const stale = { ...owner, fresh: false }
    t.is((await ask(stale, disableClient, confirm)).kind, 'not-fresh')
    await done(t, ask(owner, disableClient, { ...confirm, name: '課程平台' }))

    t.is((await rp.get('/me', body.access_token)).status, 401)
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' }
    t.is((await rp.token(refresh)).status, 401)
    const authorization = `Basic ${btoa(`${rp.clientId}:${rp.clientSecret}`)}`
    const introspect = (as: string) =>
      fetch(`${world.issuer}/token/introspection`, {
        method: 'POST',
        body: new URLSearchParams({ token: body.access_token }),
        headers: { authorization: as },
      })
    t.is((await introspect(authorization)).status, 401)
    const served = await introspect(`Basic ${btoa(`${api.clientId}:${api.clientSecret}`)}`)
    t.deepEqual(await served.json(), { active: false })
    t.is((await rp.begin(browser)).status, 400, 'no page, no code')
    const told = (await store.outbox.list()).filter(({ target }) => target === rp.clientId)
    t.deepEqual(
      told.map(({ kind, target }) => [kind, target]),
      [['backchannel-logout', rp.clientId]],
      'it is told to sign out',
    )
    const tokens = openLogoutTokens(() => world.house.provider)
    const farewell = { clientId: rp.clientId, accountId: person.sub, sid: 'sid' }
    t.is(
      (await tokens(farewell, 'jti'))?.uri,
      'https://app.example/logout',
      'though it is disabled',
    )

    await done(t, ask(owner, enableClient, { id: rp.clientId }))
    t.is((await rp.token(refresh)).body.error, 'invalid_grant', 'what ended stays ended')
    const again = await rp.begin(browser)
    t.true(again.url.searchParams.has('code'), person.account)

    await done(t, ask(owner, removeClient, { id: rp.clientId, name: '課程平台' }))
    const metadata = { redirect_uris: [rp.redirectUri], token_endpoint_auth_method: 'none' }
    const registration = {
      ...metadata,
      client_id: rp.clientId,
      backchannel_logout_uri: 'https://b.tw/',
    }
    t.is(await tokens(farewell, 'jti'), undefined)
    t.is((await tokens({ ...farewell, registration }, 'jti'))?.uri, 'https://b.tw/', 'or removed')
    const last = (await store.outbox.list()).filter(({ target }) => target === rp.clientId)
    t.is(last.length, 2, 'the session that went on is ended, too')
  },
)

test.serial('versions that are not in order any more are not brought back', async (t) => {
  const { id } = await done(t, ask(owner, createClient, web))
  await done(t, ask(owner, updateClient, { id, version: 1, nameEn: 'Courses' }))
  const knex = openDatabase(world.house.config.database)
  t.teardown(() => knex.destroy())
  const old = { client_name: 'x', redirect_uris: ['http://old.example/'], response_types: ['code'] }
  const where = { client_id: id, version: 1 }
  await knex('client_version')
    .where(where)
    .update({ metadata: JSON.stringify(old) })
  const answer = await ask(owner, undoClient, { id, version: 1, current: 2 })
  t.deepEqual(fieldsOf(answer), ['redirectUris.0'])
})

test.serial(
  'what the last release wrote has a name, a kind and a history from its first change on',
  async (t) => {
    const knex = openDatabase(world.house.config.database)
    t.teardown(() => knex.destroy())
    const metadata = JSON.stringify({
      client_name: '舊平台',
      redirect_uris: ['https://old.example/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      scope: 'openid profile',
    })
    await knex('client').insert({ id: 'old', metadata, created_at: 1, updated_at: 1 })
    const { items } = await done(t, ask(owner, listClients, { q: '舊平' }))
    t.like(items[0], { id: 'old', name: '舊平台', kind: 'spa' })
    t.is((await knex('client').where({ id: 'old' }).first()).kind, 'spa', 'and is written down')
    await done(t, ask(owner, updateClient, { id: 'old', version: 1, nameEn: 'Old' }))
    const { settings } = await done(t, ask(owner, getClient, { id: 'old' }))
    t.true(
      settings.scopes?.includes('learning:read') ?? false,
      'what it could ask for it still can',
    )
    const versions = await done(t, ask(owner, listClientVersions, { id: 'old' }))
    t.deepEqual(
      versions.items.map(({ because }) => because),
      ['change', 'before'],
    )
  },
)

test.serial('a list goes on where it stopped, by whatever it is sorted by', async (t) => {
  for (const name of ['b', 'a', 'a', 'c', 'd'].map((one) => `listed ${one}`)) {
    await done(t, ask(owner, createClient, { ...web, name }))
  }
  for (const sort of ['name', 'created', 'updated']) {
    for (const order of ['ascending', 'descending']) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = { q: 'listed', sort, order, limit: 2, ...(cursor ? { cursor } : {}) }
        const { items, next } = await done(t, ask(owner, listClients, page))
        seen.push(...items.map((one) => one.id))
        cursor = next
      } while (cursor)
      t.is(new Set(seen).size, 5, `${sort} ${order}`)
      t.is(seen.length, 5)
    }
  }
  for (const cursor of ['nonsense', btoa('["x"]'), btoa('[{"a":1},"b"]'), btoa('[1,"\'"]')]) {
    t.is((await ask(owner, listClients, { cursor })).kind, 'rejected', cursor)
  }
})

test.serial('a logo is a picture, and nothing that only says so', async (t) => {
  const { id } = await done(t, ask(owner, createClient, web))
  const put = (text: string) =>
    ask(owner, putClientLogo, { id, image: Buffer.from(text, 'latin1').toString('base64') })
  for (const evil of [
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    '<!doctype html><script>alert(1)</script>',
    'GIF89a<script>alert(1)</script>',
    '\x89PNG\r\n\x1a\n<script>alert(1)</script>',
    '\xff\xd8\xff<svg onload=alert(1)>',
  ]) {
    t.deepEqual(fieldsOf(await put(evil)), ['image'], evil)
  }
  t.is(await world.house.store.clientLogos.find(id), undefined)
})
