/** Two secrets at once, so that one follows the other without an outage; and token lives, scopes and purposes of one app. */
import test from 'ava'
import { decodeJwt } from 'jose'
import { perform } from '#admin/operation.ts'
import {
  addClientOwner,
  addClientSecret,
  dropClientSecret,
  updateClient,
} from '#admin/operations/clients.ts'
import { operatorBy } from '#admin/staff.ts'
import { sha256 } from '#lib/crypto.ts'
import { secretMatches, toProviderMetadata } from '#oidc/clients.ts'
import { openBrowser } from '../helpers/browser.ts'
import { linkIn, takeLetters } from '../helpers/letters.ts'
import type { RelyingParty } from '../helpers/relying-party.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import type { World } from '../helpers/world.ts'

const owner = operatorBy('operator:test')
const day = 24 * 60 * 60 * 1000

let now = Date.now()
let world: World
test.before(async () => {
  world = await openSharedWorld({ now: () => now })
})

async function statusWith(machine: RelyingParty, secret: string | undefined) {
  const { status } = await machine.token(
    { grant_type: 'client_credentials' },
    { authorization: `Basic ${btoa(`${machine.clientId}:${secret}`)}` },
  )
  return status
}

async function addSecret(id: string, more: object = {}) {
  const answer = await perform(world.house, owner, addClientSecret, { id, ...more })
  if (answer.kind !== 'done') throw new Error(JSON.stringify(answer))
  return answer.value
}

test.serial(
  'in an emergency everything older ends at once, and a former one can be dropped',
  async (t) => {
    const machine = await world.buildApp({ type: 'machine' })
    const { clientId: id, clientSecret: first } = machine
    const { secret: second } = await addSecret(id)
    const drop = await perform(world.house, owner, dropClientSecret, { id })
    t.is(drop.kind, 'done')
    t.is(await statusWith(machine, first), 401)
    t.is(await statusWith(machine, second), 200)
    const again = await perform(world.house, owner, dropClientSecret, { id })
    t.deepEqual(again, { kind: 'refused', why: 'clients.one-secret' })

    const { secret: third } = await addSecret(id)
    const { secret: fourth } = await addSecret(id, { keepDays: 0 })
    for (const secret of [second, third]) t.is(await statusWith(machine, secret), 401)
    t.is(await statusWith(machine, fourth), 200)

    const row = await world.house.store.clients.find(id)
    const versions = await world.house.store.clientVersions.list(id, 100, 10)
    const trail = await world.house.store.auditReads.list({ limit: 50, target: `client:${id}` })
    for (const secret of [first, second, third, fourth]) {
      t.false(JSON.stringify([row, versions, trail]).includes(String(secret)))
    }
  },
)

test.serial('digests are compared each, with its own end', (t) => {
  const row = {
    id: 'x',
    metadata: {},
    createdAt: 1,
    updatedAt: 1,
    secretHash: sha256('new'),
    secretExpiresAt: 200,
    formerSecretHash: sha256('old'),
    formerSecretExpiresAt: 100,
  }
  const kept = toProviderMetadata(row).client_secret
  t.true(secretMatches(kept, 'new', 199))
  t.false(secretMatches(kept, 'new', 200))
  t.true(secretMatches(kept, 'old', 99))
  t.false(secretMatches(kept, 'old', 100))
  for (const wrong of ['', 'new,old', sha256('new'), String(kept)]) {
    t.false(secretMatches(kept, wrong, 0), wrong)
  }
  t.false(secretMatches(undefined, '', 0))
  const { secretHash: _, formerSecretHash: __, ...none } = row
  t.is(toProviderMetadata(none).client_secret, undefined)
})

test.serial('an app’s own token lives, scopes, claims and purposes hold', async (t) => {
  const rp = await world.buildApp({
    firstParty: false,
    scopes: ['profile', 'learning:read'],
    accessTokenSeconds: 90,
    idTokenSeconds: 120,
    refreshTokenSeconds: 600,
    nameEn: 'Courses',
    purposes: { profile: { 'zh-TW': '排課<b>', en: 'To plan classes' } },
  })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const scope = 'openid profile'
  const claims = JSON.stringify({ userinfo: { phone_number: null, name: null, email: null } })
  const page = await rp.begin(browser, { scope, claims, ui_locales: 'en' })
  t.regex(page.html, /Courses/)
  const { account, password } = person
  const consent = await browser.submit(page, 'local-form', { account, password })
  t.regex(consent.html, /To plan classes/)
  t.false(consent.html.includes('<b>'))
  const back = await browser.submit(consent, 'consent-form', { decision: 'allow' })
  const { body } = await rp.redeem(back.url)
  t.is(body.expires_in, 90)
  const { iat = 0, exp = 0 } = decodeJwt(body.id_token)
  t.is(exp - iat, 120)
  const me = await rp.get('/me', body.access_token)
  t.like(me.body, { name: '王小明' })
  t.false('email' in me.body, 'asked for, agreed to, and not given out')
  const all = await world.buildApp()
  const free = await all.begin(browser, { scope, claims })
  const { body: tokens } = await all.redeem(free.url)
  t.is((await all.get('/me', tokens.access_token)).body.email, account, 'who may ask gets it')

  const wider = await rp.begin(openBrowser(), { scope: 'openid email' })
  t.is(wider.url.searchParams.get('error'), 'invalid_scope')
  const api = { resource: 'https://api.cloud.edu.tw/learning' }
  const machine = await world.buildApp({ type: 'machine', scopes: ['learning:read'] })
  const ask = (scope: string) => machine.token({ grant_type: 'client_credentials', scope, ...api })
  t.is((await ask('learning:read learning:write')).body.scope, 'learning:read')
})

test.serial(
  'an app that changes how it proves itself has the secret it needs, and no other',
  async (t) => {
    const rp = await world.buildApp({ type: 'machine' })
    const { clientId: id } = rp
    const change = (version: number, more: object) =>
      perform(world.house, owner, updateClient, { id, version, ...more })
    const jwksUri = 'https://app.example/jwks'
    const away = await change(1, { authMethod: 'private_key_jwt', jwksUri })
    t.like(away, { kind: 'done', value: { secret: undefined } })
    t.is((await world.house.store.clients.find(id))?.secretHash, undefined)
    const back = await change(2, { authMethod: 'client_secret_basic' })
    if (back.kind !== 'done') throw new Error(JSON.stringify(back))
    t.is(await statusWith(rp, back.value.secret), 200)
    t.is(await statusWith(rp, rp.clientSecret), 401)
  },
)

test.serial(
  'the former secret is good beside the new one, and ends when it was said',
  async (t) => {
    const machine = await world.buildApp({ type: 'machine' })
    const { clientId: id, clientSecret: first } = machine
    const { secret: second, formerExpiresAt } = await addSecret(id, { expiresDays: 30 })
    t.is(formerExpiresAt, new Date(Math.floor((now + 14 * day) / 1000) * 1000).toISOString())
    t.is(await statusWith(machine, first), 200)
    t.is(await statusWith(machine, second), 200)
    t.is(await statusWith(machine, 'neither'), 401)

    const third = await perform(world.house, owner, addClientSecret, { id })
    t.deepEqual(third, { kind: 'refused', why: 'clients.two-secrets' })
    now += 14 * day
    t.is(await statusWith(machine, first), 401)
    t.is(await statusWith(machine, second), 200)
    now += 16 * day
    t.is(await statusWith(machine, second), 401, 'it expired')
  },
)

test.serial(
  'people’s letters tell of a secret that ends, once at each of three times',
  async (t) => {
    const { store } = world.house
    const machine = await world.buildApp({ type: 'machine', contacts: ['it@app.example'] })
    await addSecret(machine.clientId, { expiresDays: 40 })
    const remind = async () => {
      await world.house.background.run('remind-secrets')
      return (await store.outbox.list()).filter(({ kind }) => kind === 'mail').length
    }
    t.is(await remind(), 0)
    now += 10 * day
    t.is(await remind(), 1)
    t.is(await remind(), 1)
    now += 23 * day
    t.is(await remind(), 2)
    now += 6 * day
    t.is(await remind(), 3)
    now += 2 * day
    t.is(await remind(), 3, 'it is over')

    const app = { id: machine.clientId, account: 'owner@mail.edu.tw' }
    await world.buildPerson({ account: app.account })
    await addSecret(app.id, { keepDays: 0, expiresDays: 5 })
    await perform(world.house, owner, addClientOwner, app)
    await takeLetters(world)
    await remind()
    const [forContact, forOwner] = await takeLetters(world)
    t.like(forContact, { to: 'it@app.example' })
    t.like(forOwner, { to: app.account })
    t.regex(linkIn(forOwner ?? { text: '' }), /\/account\/clients\/app\?id=/, 'she has no role')
  },
)
