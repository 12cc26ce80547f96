/** Two who write at once, what was looked at too long ago, and neighbours that do not answer. */
import test from 'ava'
import { stringify } from 'yaml'
import { perform } from '#admin/operation.ts'
import { applyClients } from '#admin/operations/client-files.ts'
import {
  addClientOwner,
  addClientSecret,
  createClient,
  dropClientSecret,
  getClient,
  updateClient,
} from '#admin/operations/clients.ts'
import { merge, undoMerge } from '#admin/operations/people.ts'
import { createRegistrationToken } from '#admin/operations/registration.ts'
import { approveRequest, getRequest } from '#admin/operations/requests.ts'
import { ask } from '#admin/requests/ask.ts'
import { operatorBy } from '#admin/staff.ts'
import { sha256 } from '#lib/crypto.ts'
import { openMember } from '../helpers/account.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { openStaff } from '../helpers/staff.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const by = operatorBy('operator:test')
let world: World
test.before(async () => {
  world = await openSharedWorld({ registration: { dynamic: true } })
})

const done = <T>(outcome: { kind: string; value?: T }): T => {
  if (outcome.value === undefined) throw new Error(JSON.stringify(outcome))
  return outcome.value
}

/** Another process of ours: what it writes this one hears of a second later. */
const elsewhere = () => {
  const { provider } = world.house
  const { Client: value } = provider
  return { ...world.house, provider: Object.create(provider, { Client: { value } }) }
}

type Json = Record<string, unknown>

async function call(url: string, method: string, bearer: unknown, body: object) {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Json }
}

test.serial('an app that changes itself takes back nothing staff said a moment ago', async (t) => {
  const { token } = done(
    await perform(world.house, by, createRegistrationToken, {
      label: '平台',
      kinds: ['web'],
      scopes: ['profile'],
      hosts: ['app.example'],
    }),
  )
  const metadata = { redirect_uris: ['https://app.example/cb'], client_name: '自己' }
  const { body: made } = await call(`${world.issuer}/reg`, 'POST', token, metadata)
  const id = String(made.client_id)
  const { store } = world.house
  // Here it is read, and remembered for a second.
  const first = await call(
    String(made.registration_client_uri),
    'PUT',
    made.registration_access_token,
    { ...metadata, client_id: id },
  )
  t.is(first.status, 200)
  await fetch(`${world.issuer}/auth?client_id=${id}&response_type=code&scope=openid`, {
    redirect: 'manual',
  })
  const { version } = done(await perform(world.house, by, getClient, { id }))
  const changes = { requireSecondFactor: true, accessTokenSeconds: 60 }
  done(await perform(elsewhere(), by, updateClient, { id, version, ...changes }))
  const second = await call(
    String(made.registration_client_uri),
    'PUT',
    first.body.registration_access_token,
    { ...metadata, client_id: id, client_name: '改名' },
  )
  t.is(second.status, 200)
  t.like((await store.clients.find(id))?.metadata, {
    client_name: '改名',
    require_second_factor: true,
    access_token_seconds: 60,
  })

  const now = done(await perform(world.house, by, getClient, { id }))
  await fetch(`${world.issuer}/auth?client_id=${id}&response_type=code&scope=openid`, {
    redirect: 'manual',
  })
  const pairwise = { id, version: now.version, pairwise: true }
  done(await perform(elsewhere(), by, updateClient, pairwise))
  const third = await call(
    String(made.registration_client_uri),
    'PUT',
    second.body.registration_access_token,
    { ...metadata, client_id: id },
  )
  t.is(third.status, 401, 'by what people are known to it is not changed back')
  t.is((await store.clients.find(id))?.metadata.subject_type, 'pairwise')
})

const course = (id: string, name = '課程') => ({
  id,
  kind: 'web',
  name,
  redirectUris: [`https://${id}.example/callback`],
})

test.serial(
  'of files that make the same app at once one does, and the others hear so',
  async (t) => {
    const yaml = stringify({ clients: [course('twice-a'), course('twice-b')] })
    const outcomes = await Promise.all(
      [1, 2, 3].map(() => perform(world.house, by, applyClients, { yaml })),
    )
    t.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['conflict', 'conflict', 'done'])
  },
)

test.serial('a file removes no app that was changed while it was read', async (t) => {
  const own = await buildWorld(t)
  const { house } = own
  const { id } = done(await perform(house, by, createClient, { kind: 'machine', name: '報表' }))
  const { store } = house
  let overtaken = false
  const slow = {
    ...house,
    store: {
      ...store,
      async transaction<T>(work: Parameters<typeof store.transaction<T>>[0]) {
        if (!overtaken) {
          overtaken = true
          const changed = { id, version: 1, name: '仍在使用' }
          done(await perform(house, by, updateClient, changed))
        }
        return store.transaction(work)
      },
    },
  }
  const input = { yaml: stringify({ clients: [course('kept')] }), prune: true }
  t.is((await perform(slow, by, applyClients, input)).kind, 'conflict')
  t.like(await store.clients.find(id), { name: '仍在使用' })
  t.is(await store.clients.find('kept'), undefined, 'all of it or nothing')
})

async function askForChange(account: string) {
  const { house } = world
  const { sub: accountId } = await world.buildPerson({ account })
  const owner = { accountId, at: Math.floor(Date.now() / 1000), where: {} }
  const wanted = {
    kind: 'web',
    name: '校務',
    redirectUris: ['https://school.example/callback'],
    scopes: ['openid', 'profile'],
  }
  const purpose = '讓老師登入'
  const asked = await ask(house, owner, { wanted, purpose })
  if (asked.kind !== 'asked') throw new Error(asked.kind)
  const { clientId } = done(await perform(house, by, approveRequest, { id: asked.id }))
  const change = { ...wanted, name: '校務 2' }
  const again = await ask(house, owner, { clientId, wanted: change, purpose })
  if (again.kind !== 'asked') throw new Error(again.kind)
  return { clientId, id: again.id }
}

test.serial(
  'nobody who writes waits for an app’s web server while its change is approved',
  async (t) => {
    const { id } = await askForChange('sector@mail.edu.tw')
    const { house } = world
    const { store, provider } = house
    let wrote = false
    class Client extends provider.Client {
      /** The document it asks for comes when somebody else has written, and not before. */
      static override async validate() {
        await store.usedOnce.use(sha256(id), 2_000_000_000)
        wrote = true
      }
    }
    const waiting = { ...house, provider: Object.create(provider, { Client: { value: Client } }) }
    t.is((await perform(waiting, by, approveRequest, { id })).kind, 'done')
    t.true(wrote)
  },
)

test.serial('a change is approved of the app that was looked at, or of none', async (t) => {
  const { id, clientId } = await askForChange('stale@mail.edu.tw')
  const { house } = world
  const seen = done(await perform(house, by, getRequest, { id }))
  const staff = await openStaff(world)
  const page = await staff.open(`/admin/requests/${id}`)
  const changed = { id: clientId, version: 1, redirectUris: ['https://new.example/callback'] }
  done(await perform(house, by, updateClient, changed))
  const late = await staff.browser.submit(page, 'approve-form', { 'scope.profile': 'on' })
  t.is(late.status, 409)
  const { version } = seen
  t.is((await perform(house, by, approveRequest, { id, version })).kind, 'conflict')
  const fresh = await staff.open(`/admin/requests/${id}`)
  t.regex(fresh.document.querySelector('#differences')?.text ?? '', /new\.example/)
  const approved = await staff.browser.submit(fresh, 'approve-form', { 'scope.profile': 'on' })
  t.is(approved.status, 200)
  t.like(await house.store.clients.find(clientId), { name: '校務 2' })
})

test.serial('a form that came to nothing is good once more', async (t) => {
  const { house } = world
  const staff = await openStaff(world)
  const { id } = done(await perform(house, by, createClient, { kind: 'machine', name: '夜間' }))
  const tab = await staff.open(`/admin/clients/${id}`)
  done(await perform(house, by, addClientSecret, { id }))
  const refused = await staff.browser.submit(tab, 'secret-form')
  t.is(refused.status, 409, 'two there are already')
  done(await perform(house, by, dropClientSecret, { id }))
  const made = await staff.browser.submit(tab, 'secret-form')
  t.truthy(made.document.querySelector('#secret-on'), made.url.href)
  const again = await staff.browser.submit(tab, 'secret-form')
  t.regex(again.url.search, /client-secret-twice/)

  const { store } = house
  const { transaction } = store
  const form = await staff.open('/admin/clients/new?kind=machine')
  Object.assign(store, { transaction: () => Promise.reject(new Error('the database went away')) })
  const failed = await staff.browser.submit(form, 'client-form', { name: '斷線' })
  Object.assign(store, { transaction })
  t.is(failed.status, 500)
  const sent = await staff.browser.submit(form, 'client-form', { name: '斷線' })
  t.truthy(sent.document.querySelector('#secret-on'), sent.url.href)
})

test.serial('a secret staff handed over is not taken for one nobody has seen', async (t) => {
  const { house } = world
  const member = await openMember(world, { account: 'owner-later@mail.edu.tw' })
  const handed = { kind: 'machine', name: '報表' } as const
  const { id, secret = '' } = done(await perform(house, by, createClient, handed))
  done(await perform(house, by, addClientOwner, { id, account: 'owner-later@mail.edu.tw' }))
  const page = await member.open(`/account/clients/app?id=${id}`)
  const made = await member.browser.submit(page, 'secret-form')
  t.truthy(made.document.querySelector('#client-secret'))
  const { formerSecretHash } = (await house.store.clients.find(id)) ?? {}
  t.is(formerSecretHash, sha256(secret), 'what the app runs with stays good for a while')
})

test.serial(
  'whose accounts are joined keeps her apps and what she asked for, and they part with them',
  async (t) => {
    const { house } = world
    const { store } = house
    const { id, clientId } = await askForChange('two-accounts@mail.edu.tw')
    const [owner] = await store.clientOwners.of(clientId)
    const merged = owner?.accountId ?? ''
    const { sub } = await world.buildPerson({ account: 'the-other@mail.edu.tw' })
    const reason = '同一人'
    const input = { sub, other: merged, reason }
    const { merge: joined } = done(await perform(house, by, merge, input))
    t.deepEqual(await store.clientOwners.clientsOf(sub), [clientId])
    t.deepEqual(await store.clientOwners.clientsOf(merged), [])
    done(await perform(house, by, approveRequest, { id }))
    t.like(await store.clients.find(clientId), { name: '校務 2' })
    done(await perform(house, by, undoMerge, { sub, merge: joined, reason }))
    t.deepEqual(await store.clientOwners.clientsOf(sub), [])
    t.deepEqual(await store.clientOwners.clientsOf(merged), [clientId])
    t.is((await store.clientRequests.find(id))?.accountId, merged)
  },
)
