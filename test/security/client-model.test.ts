/** What an app’s registration may hold, what its tokens lose with it, and who still hears when it is gone. */
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import type { z } from 'zod'
import { type Operation, perform } from '#admin/operation.ts'
import {
  checkClient,
  createClient,
  disableClient,
  getClient,
  listClients,
  removeClient,
  updateClient,
} from '#admin/operations/clients.ts'
import { writeCursor } from '#admin/paging.ts'
import { operatorBy } from '#admin/staff.ts'
import { type Farewell, leftBehind, openLogoutTokens, putFarewells } from '#oidc/backchannel.ts'
import { apiOf, call, openRobot } from '../helpers/api.ts'
import { openBrowser } from '../helpers/browser.ts'
import { freePort } from '../helpers/free-port.ts'
import { arrivedAt, type RelyingParty, type Tokens } from '../helpers/relying-party.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { addSchools, signIn } from '../helpers/sign-in.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const owner = operatorBy('operator:test')
let world: World
test.before(async () => {
  world = await openSharedWorld()
})

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
  const people = await store.payloads.grantedBy(row.id, 10)
  const app = { clientId: row.id, registration: leftBehind(row) }
  await putFarewells(tables, app, people, at)
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

test.serial(
  'an app that may not stay any more refreshes nothing, not even when it may again',
  async (t) => {
    const scopes = ['profile', 'offline_access']
    const rp = await world.buildApp({ scopes, firstParty: false })
    const person = await world.buildPerson({ account: 'stays@mail.edu.tw' })
    const browser = openBrowser()
    const tokensFor = async (scope: string) => {
      let page = await rp.begin(browser, { scope, prompt: 'consent' })
      const login = page.document.querySelector('#local-form')
      if (login) page = await browser.submit(page, 'local-form', person)
      const back = await browser.submit(page, 'consent-form', { decision: 'allow' })
      return async () => (await rp.redeem(back.url)).body
    }
    const refresh = async (refresh_token = '') =>
      (await rp.token({ grant_type: 'refresh_token', refresh_token })).body
    const kept = await (await tokensFor('openid profile offline_access'))()
    const bound = await (await tokensFor('openid profile'))()
    const waiting = await tokensFor('openid profile offline_access')

    const change = (version: number, to: string[]) =>
      ask(updateClient, { id: rp.clientId, version, scopes: to })
    t.is((await change(1, ['profile'])).kind, 'done')
    t.is((await refresh(kept.refresh_token)).error, 'invalid_grant')
    const late = await waiting()
    t.truthy(late.access_token)
    t.is(late.refresh_token, undefined, 'nor is a new one issued for a code of before')
    const renewed = await refresh(bound.refresh_token)
    t.truthy(renewed.refresh_token, 'what ends with the session goes on')
    t.is((await change(2, scopes)).kind, 'done')
    t.is((await refresh(kept.refresh_token)).error, 'invalid_grant')
    t.truthy((await refresh(renewed.refresh_token)).refresh_token)
  },
)

test.serial(
  'what our own app was given unasked is asked for when it is our own no more',
  async (t) => {
    const rp = await world.buildApp({ backchannelLogoutUri: 'https://app.example/logout' })
    const person = await world.buildPerson({ account: 'unasked@mail.edu.tw' })
    const browser = openBrowser()
    const back = await browser.submit(await rp.begin(browser), 'local-form', person)
    const { body } = await rp.redeem(back.url)

    const distrust = { id: rp.clientId, version: 1, firstParty: false }
    t.is((await ask(updateClient, distrust)).kind, 'done')
    t.is((await rp.get('/me', body.access_token)).status, 401)
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' }
    t.is((await rp.token(refresh)).body.error, 'invalid_grant')
    const told = await world.house.store.outbox.list()
    t.is(told.filter(({ target }) => target === rp.clientId).length, 1, 'it hears that they ended')
    const asked = await rp.begin(browser)
    t.truthy(asked.document.querySelector('#consent-form'), asked.url.href)
    const allowed = await browser.submit(asked, 'consent-form', { decision: 'allow' })
    t.truthy((await rp.redeem(allowed.url)).body.access_token)
    t.true(arrivedAt(rp, await rp.begin(browser)), 'and that counts')
  },
)

test.serial(
  'who comes to sign out from an app that is gone is signed out all the same',
  async (t) => {
    const kept = await world.buildApp()
    const rp = await world.buildApp({ postLogoutRedirectUris: ['https://app.example/bye'] })
    const person = await world.buildPerson({ account: 'leaves@mail.edu.tw' })
    const browser = openBrowser()
    const back = await browser.submit(await rp.begin(browser), 'local-form', person)
    const { body } = await rp.redeem(back.url)
    const leave = (query: object) =>
      browser.open(
        `${world.issuer}/session/end?${new URLSearchParams({
          post_logout_redirect_uri: 'https://app.example/bye',
          ui_locales: 'en',
          ...query,
        })}`,
      )
    const hint = { id_token_hint: body.id_token }
    const forged = await leave({ id_token_hint: 'x' })
    t.is(forged.status, 400)
    t.is(forged.document.querySelector('#next-sign-out')?.getAttribute('href'), '/session/end')

    const [id, name] = [rp.clientId, '課程平台']
    t.is((await ask(disableClient, { id, name })).kind, 'done')
    for (const query of [hint, { client_id: id }]) {
      t.regex((await leave(query)).html, /no longer connected/)
    }
    t.is((await ask(removeClient, { id, name })).kind, 'done')
    const success = await browser.open(`${world.issuer}/session/end/success?client_id=${id}`)
    t.truthy(success.document.querySelector('#still-signed-in'), 'she left one app only')
    const gone = await leave(hint)
    t.truthy(gone.document.querySelector('#app-gone'))
    const out = await browser.submit(gone, 'sign-out-form', { logout: 'yes' })
    t.is(out.url.href, `${world.issuer}/session/end/success`)
    t.truthy(out.document.querySelector('#signed-out'))
    const silent = await kept.begin(browser, { prompt: 'none' })
    t.is(silent.url.searchParams.get('error'), 'login_required')
  },
)

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

test.serial('what staff change in one process holds in another within a second', async (t) => {
  const ports = [await freePort(), await freePort(), await freePort()] as World['ports']
  const other = await buildWorld(t, { dataDir: world.dataDir, ports })
  const person = await world.buildPerson({ account: 'elsewhere@mail.edu.tw' })
  const scope = 'openid profile offline_access'
  const [disabled, distrusted] = [await other.buildApp(), await other.buildApp()]
  const resourceServer = 'https://api.cloud.edu.tw/learning'
  const served = await other.buildApp({ type: 'machine', resourceServer })
  const robot = await openRobot(other, {
    permissions: ['clients.read'],
    grants: [{ role: 'client-admin', reach: '' }],
  })
  const browser = openBrowser()
  const refresh = (rp: RelyingParty, { refresh_token = '' }: Partial<Tokens>) =>
    rp.token({ grant_type: 'refresh_token', refresh_token })
  const introspected = async (as: RelyingParty, token: string) => {
    const response = await fetch(`${other.issuer}/token/introspection`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${as.clientId}:${as.clientSecret}`)}` },
      body: new URLSearchParams({ token }),
    })
    return { status: response.status, body: await response.json() }
  }
  const robotToken = async () =>
    robot.app.token({
      grant_type: 'client_credentials',
      scope: 'admin:clients.read',
      resource: apiOf(other),
    })
  const first = await disabled.begin(browser, { scope })
  const { url } = await browser.submit(first, 'local-form', person)
  const { body: before } = await disabled.redeem(url)
  t.truthy(before.refresh_token)
  t.true(arrivedAt(distrusted, await distrusted.begin(browser)), 'it asks nothing')
  t.is((await robot.call('GET', '/clients')).status, 200)

  for (const [id, name] of [
    [disabled.clientId, '課程平台'],
    [robot.app.clientId, '機器人'],
  ]) {
    t.is((await ask(disableClient, { id, name })).kind, 'done')
  }
  const distrust = { id: distrusted.clientId, version: 1, firstParty: false }
  t.is((await ask(updateClient, distrust)).kind, 'done')
  // What the other process still gives, before it has heard of it.
  const lateCode = await disabled.begin(browser, { scope })
  const late = await disabled.redeem((await disabled.begin(browser, { scope })).url)
  const lateRobot = await robotToken()
  const unasked = await distrusted.redeem((await distrusted.begin(browser)).url)
  await setTimeout(1_050)

  t.is((await disabled.begin(browser, { scope, prompt: 'none' })).status, 400)
  t.is((await disabled.redeem(lateCode.url)).status, 401)
  for (const { body } of [{ body: before }, late]) {
    t.is((await refresh(disabled, body)).status, 401)
    const token = body.access_token ?? 'none'
    t.is((await disabled.get('/me', token)).status, 401)
    t.is((await introspected(disabled, token)).status, 401)
    t.deepEqual((await introspected(served, token)).body, { active: false })
  }
  t.is((await robotToken()).status, 401)
  for (const token of [robot.token, lateRobot.body.access_token]) {
    t.is((await call(apiOf(other), token, 'GET', '/clients')).status, 401)
  }
  t.not((await refresh(distrusted, unasked.body)).status, 200)
  t.is((await distrusted.get('/me', unasked.body.access_token)).status, 401)
  const asked = await distrusted.begin(browser)
  t.truthy(asked.document.querySelector('#consent-form'), asked.url.href)
})
