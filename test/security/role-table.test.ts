/**
 * Who of the staff may do what, written out a second time: whoever changes the permissions, adds a page or an
 * operation, says it here as well. Every route of the console and every operation of the API is asked by everybody.
 */
import Router from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import type { Operation } from '#admin/operation.ts'
import { operations } from '#admin/operations.ts'
import { type Grant, type Permission, permissions } from '#admin/staff.ts'
import { streams } from '#admin/streams.ts'
import type { State } from '#http/context.ts'
import { formToken } from '#http/input.ts'
import { adminRoutes } from '#http/routes/admin.ts'
import { apiRoutes } from '#http/routes/api.ts'
import { openRouter } from '#http/server.ts'
import { hmac, sha256 } from '#lib/crypto.ts'
import { openMember } from '../helpers/account.ts'
import { apiOf, everyOperation, openRobot, send, tokenOf } from '../helpers/api.ts'
import type { Browser, Page } from '../helpers/browser.ts'
import { openBrowser } from '../helpers/browser.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { openStaff, type Staff } from '../helpers/staff.ts'
import type { World } from '../helpers/world.ts'

/** Whoever acts, by what the test calls them; a small letter is the role at one county, or for her own apps. */
const holders = {
  owner: { role: 'owner', reach: '' },
  clients: { role: 'client-admin', reach: '' },
  'clients/own': { role: 'client-admin', reach: 'own' },
  reviewer: { role: 'reviewer', reach: '' },
  'reviewer/county': { role: 'reviewer', reach: 'county:ntpc' },
  support: { role: 'support', reach: '' },
  'support/county': { role: 'support', reach: 'county:ntpc' },
  auditor: { role: 'auditor', reach: '' },
  'auditor/county': { role: 'auditor', reach: 'county:ntpc' },
} as const satisfies Record<string, Grant>
type Holder = keyof typeof holders
const everybody = Object.keys(holders) as Holder[]

const may: Record<Permission, readonly Holder[]> = {
  'console.open': everybody,
  'clients.read': ['owner', 'clients', 'clients/own', 'support', 'auditor'],
  'clients.write': ['owner', 'clients', 'clients/own'],
  'requests.decide': ['owner', 'clients'],
  'registration.write': ['owner', 'clients'],
  'people.read': [
    'owner',
    'reviewer',
    'reviewer/county',
    'support',
    'support/county',
    'auditor',
    'auditor/county',
  ],
  'people.write': ['owner', 'support', 'support/county'],
  'people.unmask': ['owner', 'reviewer', 'reviewer/county', 'support', 'support/county'],
  'people.import': ['owner'],
  'people.export': ['owner'],
  'upstreams.read': ['owner', 'support', 'support/county', 'auditor', 'auditor/county'],
  'upstreams.write': ['owner', 'support', 'support/county'],
  'keys.read': ['owner', 'auditor'],
  'keys.write': ['owner'],
  'outbox.read': ['owner', 'support', 'auditor'],
  'outbox.write': ['owner'],
  'audit.read': ['owner', 'auditor'],
  'statistics.read': [
    'owner',
    'clients',
    'clients/own',
    'support',
    'support/county',
    'auditor',
    'auditor/county',
  ],
  'system.read': ['owner', 'auditor'],
  'staff.read': ['owner', 'auditor'],
  'staff.write': ['owner'],
}

/** The console's pages and forms; an exclamation mark: only with a fresh proof. */
const console_ = `
GET    /admin                                         console.open
GET    /admin/held/:id                                console.open
GET    /admin/clients/try                             clients.write
GET    /admin/clients/:id/try                         clients.write
POST   /admin/clients/:id/try                         clients.write
GET    /admin/clients/import                          clients.write !
POST   /admin/clients/import                          clients.write !
POST   /admin/clients/import/apply                    clients.write !
GET    /admin/clients/export                          clients.read
GET    /admin/clients                                 clients.read
GET    /admin/clients/new                             clients.write
POST   /admin/clients/new                             clients.write
POST   /admin/clients/check                           clients.write
GET    /admin/clients/:id/edit                        clients.write
POST   /admin/clients/:id/edit                        clients.write
GET    /admin/clients/:id                             clients.read
POST   /admin/clients/:id/secret/drop                 clients.write !
POST   /admin/clients/:id/disable                     clients.write !
POST   /admin/clients/:id/enable                      clients.write
POST   /admin/clients/:id/remove                      clients.write !
POST   /admin/clients/:id/owners                      clients.write
POST   /admin/clients/:id/owners/remove               clients.write
POST   /admin/clients/:id/logo/remove                 clients.write
POST   /admin/clients/:id/secret                      clients.write !
POST   /admin/clients/:id/logo                        clients.write
GET    /admin/clients/:id/versions                    clients.read
POST   /admin/clients/:id/undo                        clients.write
GET    /admin/clients/:id/snippets                    clients.read
GET    /admin/requests                                requests.decide
GET    /admin/requests/:id                            requests.decide
POST   /admin/requests/:id/approve                    requests.decide !
POST   /admin/requests/:id/refuse                     requests.decide
GET    /admin/registration                            registration.write !
POST   /admin/registration                            registration.write !
POST   /admin/registration/revoke                     registration.write
GET    /admin/people                                  people.read
GET    /admin/people/new                              people.write
POST   /admin/people/new                              people.write
GET    /admin/people/:sub                             people.read
GET    /admin/people/:sub/sign-ins                    people.read
POST   /admin/people/:sub/suspend                     people.write !
POST   /admin/people/:sub/reactivate                  people.write
POST   /admin/people/:sub/close                       people.write !
POST   /admin/people/:sub/unlock                      people.write
POST   /admin/people/:sub/end-sessions                people.write
POST   /admin/people/:sub/send-reset                  people.write
POST   /admin/people/:sub/merge                       people.write !
POST   /admin/people/:sub/identities/:identity/unlink people.write !
POST   /admin/people/:sub/identities/:identity/accept people.write !
POST   /admin/people/:sub/merges/:merge/undo          people.write !
POST   /admin/people/:sub/unmask                      people.unmask !
GET    /admin/people/:sub/edit                        people.write
POST   /admin/people/:sub/edit                        people.write
GET    /admin/imports                                 people.import
GET    /admin/imports/new                             people.import
GET    /admin/imports/template                        people.import
GET    /admin/imports/export                          people.export !
POST   /admin/imports/export                          people.export !
POST   /admin/imports                                 people.import
GET    /admin/imports/:id                             people.import
GET    /admin/imports/:id/progress                    people.import
GET    /admin/imports/:id/report                      people.import
POST   /admin/imports/:id/start                       people.import !
POST   /admin/imports/:id/stop                        people.import
POST   /admin/imports/:id/resume                      people.import !
POST   /admin/imports/:id/remove                      people.import
GET    /admin/upstreams                               upstreams.read
GET    /admin/upstreams/:id                           upstreams.read
POST   /admin/upstreams/:id/probe                     upstreams.write
POST   /admin/upstreams/:id/switch-off                upstreams.write !
POST   /admin/upstreams/:id/switch-on                 upstreams.write !
POST   /admin/upstreams/:id/notices                   upstreams.write
POST   /admin/upstreams/:id/notices/:notice/remove    upstreams.write
GET    /admin/upstreams/:id/test                      upstreams.write
POST   /admin/upstreams/:id/test                      upstreams.write
GET    /admin/keys                                    keys.read
POST   /admin/keys/rotate                             keys.write !
POST   /admin/keys/replace                            keys.write !
POST   /admin/keys/:kid/revoke                        keys.write !
GET    /admin/outbox                                  outbox.read
POST   /admin/outbox/retry                            outbox.write
GET    /admin/outbox/:id                              outbox.read
POST   /admin/outbox/:id/retry                        outbox.write
POST   /admin/outbox/:id/drop                         outbox.write !
GET    /admin/audit                                   audit.read
POST   /admin/audit/csv                               audit.read
POST   /admin/audit/verify                            audit.read
GET    /admin/audit/:chain/:seq                       audit.read
GET    /admin/statistics                              statistics.read
GET    /admin/statistics/csv                          statistics.read
GET    /admin/system                                  system.read
POST   /admin/system/examine                          system.read
GET    /admin/staff                                   staff.read
GET    /admin/staff/invite                            staff.write !
POST   /admin/staff/invite                            staff.write !
POST   /admin/staff/withdraw                          staff.write
GET    /admin/staff/program                           staff.write !
POST   /admin/staff/program                           staff.write !
GET    /admin/staff/:holder                           staff.read
POST   /admin/staff/:holder/grant                     staff.write !
POST   /admin/staff/:holder/revoke                    staff.write !
POST   /admin/staff/:holder/reset                     staff.write !
`

/** Paths below /admin that are no page of the console. */
const besides: readonly string[] = [
  'GET /admin/signed-in',
  // Whoever was invited has no role yet: her link is what lets her in.
  'GET /admin/invitation/:token',
  'POST /admin/invitation/:token/join',
  'POST /admin/invitation/:token/member',
  'GET /admin/invited',
  'GET /admin/accept/:id',
  'POST /admin/accept/:id/app',
  'POST /admin/accept/:id/passkey',
  'POST /admin/accept/:id/other',
  'POST /admin/accept/:id/finish',
]

/** Forms with a file of any length. */
const longFiles = new Set(['/admin/imports'])

/** The API's operations. */
const api = `
GET    /clients                                       clients.read
GET    /clients/{id}                                  clients.read
POST   /clients                                       clients.write
PATCH  /clients/{id}                                  clients.write
POST   /client-checks                                 clients.write
POST   /clients/{id}/secrets                          clients.write !
DELETE /clients/{id}/secrets/former                   clients.write !
POST   /clients/{id}/disable                          clients.write !
POST   /clients/{id}/enable                           clients.write
DELETE /clients/{id}                                  clients.write !
GET    /clients/{id}/versions                         clients.read
POST   /clients/{id}/versions/{version}/undo          clients.write
POST   /clients/{id}/owners                           clients.write
DELETE /clients/{id}/owners/{accountId}               clients.write
PUT    /clients/{id}/logo                             clients.write
DELETE /clients/{id}/logo                             clients.write
GET    /client-files                                  clients.read
POST   /client-files                                  clients.write !
GET    /requests                                      requests.decide
GET    /requests/{id}                                 requests.decide
POST   /requests/{id}/approval                        requests.decide !
POST   /requests/{id}/refusal                         requests.decide
GET    /registration/tokens                           registration.write
POST   /registration/tokens                           registration.write !
DELETE /registration/tokens/{id}                      registration.write
GET    /people                                        people.read
GET    /people/{sub}                                  people.read
GET    /people/{sub}/sign-ins                         people.read
POST   /people                                        people.write
PATCH  /people/{sub}                                  people.write
POST   /people/{sub}/suspend                          people.write !
POST   /people/{sub}/reactivate                       people.write
POST   /people/{sub}/close                            people.write !
POST   /people/{sub}/unlock                           people.write
POST   /people/{sub}/end-sessions                     people.write
POST   /people/{sub}/send-reset                       people.write
POST   /people/{sub}/identities/{identity}/unlink     people.write !
POST   /people/{sub}/identities/{identity}/accept     people.write !
POST   /people/{sub}/merge                            people.write !
POST   /people/{sub}/merges/{merge}/undo              people.write !
POST   /people/{sub}/unmask                           people.unmask !
GET    /imports                                       people.import
GET    /imports/{id}                                  people.import
GET    /imports/{id}/notes                            people.import
GET    /imports/{id}/reasons                          people.import
POST   /imports/{id}/start                            people.import !
POST   /imports/{id}/stop                             people.import
POST   /imports/{id}/resume                           people.import !
DELETE /imports/{id}                                  people.import
GET    /upstreams                                     upstreams.read
GET    /upstreams/{id}                                upstreams.read
GET    /upstreams/{id}/events                         upstreams.read
POST   /upstreams/{id}/probe                          upstreams.write
POST   /upstreams/{id}/switch-off                     upstreams.write !
POST   /upstreams/{id}/switch-on                      upstreams.write !
POST   /upstreams/{id}/notices                        upstreams.write
DELETE /upstreams/{id}/notices/{notice}               upstreams.write
GET    /keys                                          keys.read
POST   /keys/rotations                                keys.write !
DELETE /keys/{kid}                                    keys.write !
GET    /messages                                      outbox.read
GET    /messages/counts                               outbox.read
GET    /messages/{id}                                 outbox.read
POST   /messages/{id}/retry                           outbox.write
POST   /messages/retry                                outbox.write
DELETE /messages/{id}                                 outbox.write !
GET    /audit/events                                  audit.read
GET    /audit/events/{chain}/{seq}                    audit.read
GET    /audit/verification                            audit.read
POST   /audit/verification                            audit.read
GET    /statistics/sign-ins                           statistics.read
GET    /system                                        system.read
POST   /system/examinations                           system.read
GET    /staff                                         staff.read
GET    /staff/{holder}                                staff.read
POST   /staff/{holder}/roles                          staff.write !
DELETE /staff/{holder}/roles                          staff.write !
DELETE /staff/{holder}/factors                        staff.write !
GET    /staff-invitations                             staff.read
POST   /staff-invitations                             staff.write !
DELETE /staff-invitations/{id}                        staff.write
POST   /imports                                       people.import
POST   /people/export                                 people.export !
`

const read = (table: string): Map<string, string> =>
  new Map(
    table
      .split('\n')
      .filter((line) => line.trim())
      .map((line) => {
        const [method = '', path = '', ...needs] = line.trim().split(/\s+/)
        return [`${method} ${path}`, needs.join(' ')]
      }),
  )
const needOf = (needs: string) => ({
  permission: needs.replace(' !', '') as Permission,
  dangerous: needs.endsWith(' !'),
})
const said = ({ permission, dangerous }: { permission: string; dangerous?: boolean }) =>
  dangerous ? `${permission} !` : permission

// Hundreds of small requests, of which none may change anything.
const limits = { clients: { requests_per_second: 1_000 } }
let world: World
test.before(async () => {
  world = await openSharedWorld({ limits })
})

test.serial('the permissions are those of this table', (t) => {
  t.deepEqual(Object.keys(permissions).sort(), Object.keys(may).sort())
})

test.serial('no route and no operation stands outside of this table', (t) => {
  const { house } = world
  const routes = adminRoutes(new Router<State>(), house)
  const ofConsole = routes.map((one) => [`${one.method} ${one.path}`, said(one)] as const)
  const lines = (table: Iterable<readonly [string, string]>) =>
    [...table].map((one) => one.join(' '))
  same(t, lines(ofConsole), lines(read(console_)))

  const ofApi = everyOperation.map((one) => [`${one.method} ${one.path}`, said(one)] as const)
  same(t, lines(ofApi), lines(read(api)))
  t.is(new Set(everyOperation.map(({ id }) => id)).size, everyOperation.length)

  const pathsOf = (router: Router<State>) =>
    router.stack.flatMap(({ path, methods }) =>
      methods.filter((one) => one !== 'HEAD').map((method) => `${method} ${path}`),
    )
  const admin = pathsOf(openRouter(house)).filter((one) => /^\w+ \/?(admin|api|:|\()/.test(one))
  same(t, admin, [...ofConsole.map(([one]) => one), ...besides])
  const router = new Router<State>()
  apiRoutes(router, house, operations, streams)
  const expected = everyOperation.map(
    ({ method, path }) => `${method} /api/v1${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
  )
  same(t, pathsOf(router), ['GET /api/v1/openapi.json', ...expected])
})

/** What is there and what is written down, in any order; each once. */
function same(t: ExecutionContext, there: readonly string[], written: readonly string[]) {
  t.deepEqual(
    { unwritten: there.filter((one) => !written.includes(one)), twice: twice(there) },
    { unwritten: [], twice: [] },
  )
  t.deepEqual(
    written.filter((one) => !there.includes(one)),
    [],
    'written, and not there',
  )
}

const twice = (list: readonly string[]) => list.filter((one, i) => list.indexOf(one) !== i)

/** Everything that is not as it should be, at once. */
function collect() {
  const wrong: string[] = []
  return {
    wrong,
    expect(what: string, got: unknown, wanted: unknown) {
      if (got !== wanted) wrong.push(`${what}: ${got}, not ${wanted}`)
    },
  }
}

/** An address of the route, of something that does not exist. */
const addressOf = (path: string) => path.replaceAll(/:\w+/g, 'nothing-there')

type Visitor = {
  ask(method: string, path: string, more?: Record<string, string>): Promise<Page>
}

/** A visitor whose forms are in order: what refuses her is who she is. */
async function openVisitor(world: World, browser: Browser, sub: string): Promise<Visitor> {
  const { issuer, house } = world
  await browser.open(`${issuer}/`)
  const cookies = await browser.jar.getCookies(issuer)
  const device = sha256(cookies.find(({ key }) => key === house.cookies.device)?.value ?? '')
  const marks = {
    form_token: formToken(house.keys.form, device),
    staff: hmac(house.keys.form, JSON.stringify(['staff', device, sub])),
  }
  return {
    ask: (method, path, { site, ...fields }: Record<string, string> = {}) =>
      browser.request(`${issuer}${path}`, {
        method,
        headers: site ? { 'sec-fetch-site': site } : {},
        ...(method === 'POST' ? { body: form(path, { ...marks, ...fields }) } : {}),
      }),
  }
}

function form(path: string, fields: Record<string, string>): URLSearchParams | FormData {
  if (!longFiles.has(path)) return new URLSearchParams(fields)
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) data.set(name, value)
  return data
}

const toSignIn = ({ status, headers }: Page) => {
  const to = headers.get('location') ?? ''
  if (status !== 303 || !to.startsWith('/auth?client_id=citygate-console&')) return undefined
  return new URLSearchParams(to.slice(6)).get('prompt') ?? 'none'
}

test.serial('every page of the console is there for the roles of the table', async (t) => {
  const stranger = await openVisitor(world, openBrowser(), '')
  const member = await openMember(world, { account: 'member@mail.edu.tw' })
  const without = await openVisitor(world, member.browser, member.sub)
  const half = await openStaff(world)
  await withOneFactor(world, half)
  const halfWay = await openVisitor(world, half.browser, half.sub)
  // Their proof is old: no dangerous form gets as far as to do something.
  const visitors = await Promise.all(
    everybody.map(async (name) => {
      const staff = await openStaff(world, [holders[name]])
      await staff.open('/admin')
      await staff.ageBy(20 * 60 + 5)
      return [name, await openVisitor(world, staff.browser, staff.sub)] as const
    }),
  )
  const { wrong, expect } = collect()
  for (const [route, needs] of read(console_)) {
    const [method = '', pattern = ''] = route.split(' ')
    const path = addressOf(pattern)
    const { permission, dangerous } = needOf(needs)
    expect(`anonymous: ${route}`, toSignIn(await stranger.ask(method, path)), 'none')
    expect(`no role: ${route}`, (await without.ask(method, path)).status, 403)
    expect(`one factor: ${route}`, toSignIn(await halfWay.ask(method, path)), 'none')
    for (const [name, visitor] of visitors) {
      const page = await visitor.ask(method, path)
      const prompt = toSignIn(page)
      const got =
        page.status === 403
          ? 'forbidden'
          : prompt
            ? `sent to ${prompt}`
            : page.status >= 500
              ? `broken ${page.status}`
              : 'in'
      const allowed = may[permission].includes(name)
      const wanted = allowed ? (dangerous ? 'sent to second_factor' : 'in') : 'forbidden'
      expect(`${name}: ${route}`, got, wanted)
    }
  }
  t.deepEqual(wrong, [])
})

/** As if she had signed in with her password only. */
async function withOneFactor({ house }: World, { sub }: Staff) {
  const { payloads } = house.store
  for (const { id, payload } of await payloads.sessionsOf(sub, 0)) {
    const row = { id, model: 'Session', uid: String(payload.uid), accountId: sub }
    const expiresAt = Math.floor(Date.now() / 1000) + 1800
    const changed = { ...payload, acr: house.config.site.acr.password }
    await payloads.save([{ ...row, payload: changed, expiresAt }])
  }
}

test.serial('no form of the console is taken from elsewhere', async (t) => {
  const owner = await openStaff(world)
  const visitor = await openVisitor(world, owner.browser, owner.sub)
  const forms = [...read(console_).keys()].filter((one) => one.startsWith('POST '))
  const { wrong, expect } = collect()
  for (const route of forms) {
    const path = addressOf(route.slice(5))
    const refusals = [
      [403, { form_token: 'wrong' }],
      [403, { site: 'cross-site' }],
      [409, { staff: 'of another' }],
    ] as const
    for (const [status, more] of refusals) {
      const page = await visitor.ask('POST', path, more)
      expect(`${route} ${JSON.stringify(more)}`, page.status, status)
    }
  }
  t.deepEqual(wrong, [])
})

/** A call no operation takes: whoever passed the gate hears that the field is unknown, and nothing is done. */
const knock = (world: World, token: string | undefined, operation: Operation) =>
  send(apiOf(world), token, operation, '{"no_such_field":"1"}')

test.serial('every operation of the API is there for the roles of the table', async (t) => {
  const every = Object.keys(permissions) as Permission[]
  const robots = await Promise.all(
    everybody.map(async (name) => {
      const robot = await openRobot(world, { permissions: every, grants: [holders[name]] })
      return [name, robot.token] as const
    }),
  )
  const { token: noRole } = await openRobot(world, { permissions: every, grants: [] })
  // For each permission a robot that lacks its scope only.
  const lacking = new Map<Permission, string>()
  const grants = [holders.owner]
  for (const one of every) {
    const others = every.filter((other) => other !== one)
    lacking.set(one, (await openRobot(world, { permissions: others, grants })).token)
  }
  const app = await world.buildApp({ scopes: ['openid', ...every.map((one) => `admin:${one}`)] })
  const owner = await openStaff(world)
  const scope = every.map((one) => `admin:${one}`).join(' ')
  const stale = await tokenOf(world, owner.browser, app, scope)
  await owner.ageBy(15 * 60 + 5)
  const half = await openStaff(world)
  const oneFactor = await tokenOf(world, half.browser, app, scope)
  await withOneFactor(world, half)

  const table = read(api)
  const { wrong, expect } = collect()
  for (const operation of everyOperation) {
    const route = `${operation.method} ${operation.path}`
    const { permission, dangerous } = needOf(table.get(route) ?? '')
    expect(`anonymous: ${route}`, (await knock(world, undefined, operation)).status, 401)
    expect(`no role: ${route}`, (await knock(world, noRole, operation)).status, 403)
    expect(
      `no scope: ${route}`,
      (await knock(world, lacking.get(permission), operation)).status,
      403,
    )
    expect(`one factor: ${route}`, (await knock(world, oneFactor, operation)).status, 401)
    const old = await knock(world, stale, operation)
    expect(`stale proof: ${route}`, old.status, dangerous ? 401 : 422)
    for (const [name, token] of robots) {
      const { status } = await knock(world, token, operation)
      expect(`${name}: ${route}`, status, may[permission]?.includes(name) ? 422 : 403)
    }
  }
  t.deepEqual(wrong, [])
})
