/** Whatever anybody wrote, wherever it is shown to staff, it is text: every page of the console is opened upon it. */
import { randomUUID } from 'node:crypto'
import Router from '@koa/router'
import test, { type ExecutionContext } from 'ava'
import { receiveImport } from '#admin/imports/receive.ts'
import { type Operation, perform } from '#admin/operation.ts'
import { type By, operatorBy } from '#admin/staff.ts'
import type { State } from '#http/context.ts'
import { adminRoutes } from '#http/routes/admin.ts'
import { everyOperation } from '../helpers/api.ts'
import type { Page } from '../helpers/browser.ts'
import { makeLocalAccount } from '../helpers/local-account.ts'
import { buildIdentity } from '../helpers/people.ts'
import { sampleOf } from '../helpers/sample-input.ts'
import { openStaff } from '../helpers/staff.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const bad = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}<%= 7*7 %>'

/** Does it as an operator would, and gives back what came of it. */
async function act(world: World, id: string, input: object): Promise<Record<string, string>> {
  const operation = everyOperation.find((one) => one.id === id) as Operation
  const by: By = {
    ...operatorBy('operator:test'),
    where: { address: '127.0.0.1', ref: bad.slice(0, 60) },
  }
  const outcome = await perform(world.house, by, operation, { ...sampleOf(operation), ...input })
  if (outcome.kind !== 'done') throw new Error(`${id}: ${JSON.stringify(outcome)}`)
  return outcome.value as Record<string, string>
}

/** Puts it wherever somebody else's words are kept. What stands in each kind of address is given back. */
async function poison(world: World): Promise<Record<string, string>> {
  const { house } = world
  const { store } = house
  const purposes = { profile: { 'zh-TW': bad, en: bad } }
  const app = await act(world, 'clients.create', {
    kind: 'web',
    name: bad,
    nameEn: bad,
    purposes,
    redirectUris: [`https://app.example/?a='onmouseover='alert(2)`],
  })
  await act(world, 'clients.update', { id: app.id, version: app.version, name: `${bad} 2` })
  await act(world, 'registration.tokens.create', { label: bad, kinds: ['native'] })
  await act(world, 'upstreams.switchOff', { id: 'ntpc', reason: bad })
  const text = { 'zh-TW': bad, en: bad }
  const minute = (days: number) =>
    `${new Date(house.now() + days * 86_400_000).toISOString().slice(0, 16)}Z`
  const [from, until] = [minute(0), minute(1)]
  await act(world, 'upstreams.notices.add', { id: 'ntpc', text, from, until })

  const { password } = await world.buildPerson({ account: 'plain@mail.edu.tw' })
  const sub = await makeLocalAccount(house, { account: 'poisoned', name: bad, password })
  const account = await store.accounts.find(sub)
  const said = { value: bad, by: 'ntpc', at: 1 }
  const profile = { ...account?.profile, nickname: said, title: said, email: said, gender: said }
  await store.accounts.setProfile(sub, profile, 1)
  const { raw: _, ...identity } = buildIdentity({ subject: bad, openid2Ids: [bad] })
  const link = { id: randomUUID(), accountId: sub, createdAt: 1, readAt: 1, unread: [bad] }
  const { connector, issuer, subject, openid2Ids } = identity
  const raw = { [bad]: bad }
  await store.identities.link({ ...link, connector, issuer, subject, openid2Ids, raw })
  const school = { schoolCode: '014569', schoolName: bad, role: 'teacher', titles: [bad] }
  const affiliation = { ...school, classes: [{ name: bad }], readAt: 1 }
  await store.transaction((tables) =>
    tables.affiliations.replace(link.id, [{ ...affiliation, identityId: link.id, accountId: sub }]),
  )
  await act(world, 'people.suspend', { sub, reason: bad })

  const request = randomUUID()
  const settings = { kind: 'web', name: bad, redirectUris: ['https://wanted.example/back'] }
  const wanted = { settings, change: false }
  const asked = { id: request, accountId: sub, wanted, purpose: bad, createdAt: 1 }
  await store.clientRequests.make({ ...asked, state: 'waiting' })

  const csv = `account,name,kind\n${bad.replaceAll(/[",]/g, '')},"${bad.replaceAll('"', '""')}",${bad.replaceAll(/[",]/g, '')}\n`
  const received = await receiveImport(
    house,
    operatorBy('operator:test'),
    (async function* () {
      yield Buffer.from(csv)
    })(),
    { file: bad },
  )
  if (received.kind !== 'done') throw new Error(JSON.stringify(received))

  const robot = await world.buildApp({ type: 'machine', name: bad })
  const row = { holder: `client:${robot.clientId}`, role: 'auditor', reach: '' }
  await store.staffRoles.grant({ ...row, grantedAt: 1, grantedBy: bad })
  return {
    clients: app.id ?? '',
    people: sub,
    upstreams: 'ntpc',
    requests: request,
    imports: received.value.id,
    staff: row.holder,
  }
}

/** Where nothing stays that could be looked at. */
const passing = new Set(['/admin/clients/try', '/admin/outbox/:id', '/admin/upstreams/:id/test'])

/** The address of a route, of something that is there. */
function addressOf(path: string, ids: Record<string, string>, events: string): string {
  const [, , section = ''] = path.split('/')
  if (path === '/admin/audit/:chain/:seq') return `/admin/audit/${events}`
  return path.replaceAll(/:\w+/g, () => encodeURIComponent(ids[section] ?? 'none'))
}

function isHarmless(t: ExecutionContext, page: Page, what: string) {
  const { document, html, headers } = page
  if (!headers.get('content-type')?.startsWith('text/html')) {
    t.regex(headers.get('content-type') ?? '', /^(text\/csv|application\/(json|yaml))/, what)
    return
  }
  const policy = headers.get('content-security-policy') ?? ''
  t.true(policy.includes("script-src 'self'") && policy.includes("default-src 'none'"), what)
  t.notRegex(html, /<script>|<img src=x|\{\{49|alert\(1\)<\/script>/, what)
  for (const script of document.querySelectorAll('script')) {
    t.regex(script.attributes.src ?? '', /^\/assets\//, what)
    t.is(script.text.trim(), '', what)
  }
  for (const element of document.querySelectorAll('*')) {
    const events = Object.keys(element.attributes).filter((name) => /^on/i.test(name))
    t.deepEqual(events, [], `${what} ${element.tagName}`)
    const { href = '', src = '', action = '' } = element.attributes
    for (const to of [href, src, action]) t.notRegex(to, /^\s*(javascript|data:text)/i, what)
  }
}

test('no page of the console runs what somebody wrote', async (t) => {
  const world = await buildWorld(t, { registration: { dynamic: true } })
  const ids = await poison(world)
  const owner = await openStaff(world)
  const routes = adminRoutes(new Router<State>(), world.house)
  const audit = await owner.open('/admin/audit')
  const event = audit.document
    .querySelectorAll('a')
    .map(({ attributes }) => /^\/admin\/audit\/([\w-]+\/\d+)/.exec(attributes.href ?? '')?.[1])
    .find(Boolean)
  let shown = 0
  for (const { method, path } of routes) {
    if (method !== 'GET') continue
    const at = addressOf(path, ids, event ?? 'none/1')
    const page = await owner.open(at)
    t.true(page.status === 200 || passing.has(path), `${at}: ${page.status}`)
    isHarmless(t, page, at)
    if (page.html.includes('&lt;script&gt;alert(1)')) shown++
    // What stands in the address comes back as text, too.
    const query = `q=${encodeURIComponent(bad)}&cursor=${encodeURIComponent(bad)}&done=${encodeURIComponent(bad)}`
    isHarmless(t, await owner.open(`${at}?${query}`), `${at}?q`)
  }
  // It was there: on fewer pages the test would have looked at nothing.
  t.true(shown >= 12, `it was shown on ${shown} pages`)
})
