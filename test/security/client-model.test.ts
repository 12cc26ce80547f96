/** What an app’s registration may hold, what its tokens lose with it, and who still hears when it is gone. */
import test from 'ava'
import type { z } from 'zod'
import { type Operation, perform } from '#admin/operation.ts'
import {
  checkClient,
  createClient,
  disableClient,
  getClient,
  listClients,
  updateClient,
} from '#admin/operations/clients.ts'
import { writeCursor } from '#admin/paging.ts'
import { operatorBy } from '#admin/staff.ts'
import { type Farewell, openLogoutTokens, putFarewells } from '#oidc/backchannel.ts'
import { openBrowser } from '../helpers/browser.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { addSchools, signIn } from '../helpers/sign-in.ts'
import type { World } from '../helpers/world.ts'

const owner = operatorBy('operator:test')
let world: World
let close: () => Promise<void>
test.before(async () => {
  ;({ world, close } = await openSharedWorld())
})
test.after.always(() => close())

const ask = <I extends z.ZodType, O extends z.ZodType>(one: Operation<I, O>, input: unknown) =>
  perform(world.house, owner, one, input)

const web = { kind: 'web', name: '課程平台', redirectUris: ['https://app.example/callback'] }

test.serial('an app that may act as staff hears of its end when it is removed', async (t) => {
  const { store, provider } = world.house
  const rp = await world.buildApp({
    scopes: ['profile', 'email', 'admin:clients.read'],
    backchannelLogoutUri: 'https://app.example/logout',
  })
  await signIn(world, rp)
  const row = await store.clients.find(rp.clientId)
  if (!row) throw new Error('no app')
  const told: Farewell[] = []
  const putAll = async (messages: { payload: unknown }[]) => {
    told.push(...messages.map(({ payload }) => payload as Farewell))
  }
  const tables = { payloads: store.payloads, outbox: { ...store.outbox, putAll } }
  const at = Math.floor(Date.now() / 1000)
  await putFarewells(tables, row, { at, removed: true })
  t.is(told.length, 1)
  const made = await openLogoutTokens(() => provider)(told[0] as Farewell, 'jti')
  t.is(made?.uri, 'https://app.example/logout')
})

test.serial('a scope that is taken away from an app is gone from its tokens, too', async (t) => {
  const scopes = ['profile', 'email', 'eduinfo']
  const rp = await world.buildApp({ scopes })
  const person = await world.buildPerson({ account: 'she@mail.edu.tw' })
  await addSchools(world, person.sub, ['014302'])
  const browser = openBrowser()
  const page = await rp.begin(browser, { scope: 'openid profile email eduinfo' })
  const { account, password } = person
  const back = await browser.submit(page, 'local-form', { account, password })
  const { body } = await rp.redeem(back.url)
  const before = await rp.get('/me', body.access_token)
  t.like(before.body, { email: account, name: person.name })
  t.true('eduinfo' in before.body)
  t.is((await rp.get('/eduinfo/v2', body.access_token)).status, 200)

  const change = { id: rp.clientId, version: 1, scopes: ['profile'] }
  t.is((await ask(updateClient, change)).kind, 'done')
  const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' }
  const renewed = await rp.token(refresh)
  t.is(renewed.status, 200)
  for (const token of [body.access_token, String(renewed.body.access_token)]) {
    const me = await rp.get('/me', token)
    t.is(me.body.name, person.name)
    t.deepEqual([me.body.email, me.body.eduinfo], [undefined, undefined])
    t.is((await rp.get('/eduinfo/v2', token)).status, 403)
  }
})

test.serial('a letter that no database keeps breaks nothing and is nowhere kept', async (t) => {
  for (const broken of ['a\0b', 'a\ud800b']) {
    for (const [one, input, field] of [
      [createClient, { ...web, name: broken }, 'name'],
      [createClient, { ...web, purposes: { profile: { en: broken } } }, 'purposes'],
      [listClients, { q: broken }, 'q'],
      [getClient, { id: broken }, 'id'],
    ] as unknown as [Operation, object, string][]) {
      const answer = await ask(one, input)
      t.like(answer, { kind: 'rejected', problems: [{ field }] }, `${one.id} ${field}`)
    }
  }
  const cursor = writeCursor(['\0', '\0'])
  t.like(await ask(listClients, { cursor }), { kind: 'rejected', problems: [{ field: 'cursor' }] })
  for (const path of ['/apps/%00/logo', '/auth?client_id=a%00', '/session/end?client_id=%00']) {
    const { status } = await fetch(`${world.issuer}${path}`, { redirect: 'manual' })
    t.true(status === 400 || status === 404, `${path} ${status}`)
  }
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const typed = await browser.submit(page, 'local-form', { account: 'a\0', password: 'x' })
  t.is(typed.status, 400)
})

test.serial(
  'one app with strange letters in its keys does not end the search for others',
  async (t) => {
    const { clients } = world.house.store
    for (const [i, kid] of ['\0', '\ud800', '\\u0000', '\\\0'].entries()) {
      await clients.create({
        id: `strange-${i}`,
        metadata: { jwks: { keys: [{ kid }] }, redirect_uris: [`https://strange-${i}.example/`] },
        createdAt: 1,
        updatedAt: 1,
      })
    }
    const found = await ask(listClients, { q: 'trange-', sort: 'created' })
    if (found.kind !== 'done') throw new Error(found.kind)
    t.is(found.value.items.length, 4)
  },
)

test.serial(
  'an address without its two slashes is another one to a browser, and none to us',
  async (t) => {
    const redirectUris = [
      'https:app.example/callback',
      'https:/app.example/callback',
      'https:///app.example/callback',
      'http:localhost/callback',
      'https://app.example/callback',
    ]
    const checked = await ask(checkClient, { kind: 'web', redirectUris })
    if (checked.kind !== 'done') throw new Error(checked.kind)
    t.deepEqual(
      checked.value.items.map(({ problem }) => problem?.code),
      [...Array(4).fill('app-uri-invalid'), undefined],
    )
  },
)

test.serial(
  'an app whose name nobody can type as it is can be switched off all the same',
  async (t) => {
    const { clients } = world.house.store
    const names = ['e\u0301\u00adcole  \u202eevil ', '\u3164', '\u200b']
    for (const [i, name] of names.entries()) {
      const metadata = { client_name: name, redirect_uris: [`https://odd-${i}.example/`] }
      await clients.create({ id: `odd-${i}`, metadata, createdAt: 1, updatedAt: 1 })
    }
    for (const name of ['', ' ', 'odd-1', 'ecole evil']) {
      const answer = await ask(disableClient, { id: 'odd-0', name })
      t.like(answer, { kind: 'rejected', problems: [{ field: 'name' }] }, name)
    }
    t.is((await ask(disableClient, { id: 'odd-1', name: '' })).kind, 'rejected')
    for (const [id, name] of [
      ['odd-0', 'école evil'],
      ['odd-1', 'odd-1'],
      ['odd-2', ' odd-2'],
    ]) {
      t.is((await ask(disableClient, { id, name })).kind, 'done', id)
    }
    for (const name of ['\u3164', '\u200b\u00ad']) {
      t.like(await ask(createClient, { ...web, name }), {
        problems: [{ field: 'name', code: 'empty' }],
      })
    }
  },
)
