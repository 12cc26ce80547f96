/** What staff must not get at across counties and owners, and what nobody may slip into a call; over every operation. */
import test from 'ava'
import { perform } from '#admin/operation.ts'
import { operations } from '#admin/operations.ts'
import { type By, type Grant, permissions, reachOf } from '#admin/staff.ts'
import { type JsonSchema, shapeOf } from '#http/api/shape.ts'
import { apiOf, call, everyOperation, openRobot, send } from '../helpers/api.ts'
import { makeLocalAccount } from '../helpers/local-account.ts'
import { buildIdentity } from '../helpers/people.ts'
import { sampleOf } from '../helpers/sample-input.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import type { World } from '../helpers/world.ts'

const mine = 'ntpc'
const foreign = 'kh'
/** What is in everything foreign: whoever reads it learned of it. */
const mark = '外縣祕密'

let world: World
let there: Awaited<ReturnType<typeof buildForeign>>
test.before(async () => {
  const limits = { clients: { requests_per_second: 1_000 } }
  world = await openSharedWorld({ limits })
  there = await buildForeign(world)
  // It looks at how upstreams fare every few seconds, and has statements of its own.
  await world.house.upstreamHealth.close()
})

/** Somebody of another county, and an app of another owner. */
async function buildForeign({ house, buildApp }: World) {
  const { store } = house
  const person = await somebody(`${mark}陳`, 'foreign', foreign)
  const app = await buildApp({
    name: `${mark}平台`,
    redirectUris: ['https://foreign.example/back'],
  })
  const owner = await somebody('應用管理', 'app-owner', mine)
  const own = await buildApp({ name: '自家平台', redirectUris: ['https://own.example/back'] })
  await store.clientOwners.add({ clientId: own.clientId, accountId: owner, createdAt: 1 })
  return { person, app: app.clientId, owner, own: own.clientId }

  async function somebody(name: string, account: string, county: string): Promise<string> {
    const password = 'a long enough password'
    const accountId = await makeLocalAccount(house, { account, name, password })
    const { connector, issuer, subject, raw, openid2Ids } = buildIdentity({
      connector: county,
      issuer: `https://${county}.example`,
      subject: `${account}-${mark}`,
    })
    const row = { id: `identity-${account}`, accountId, createdAt: 1, readAt: 1 }
    await store.identities.link({ ...row, connector, issuer, subject, openid2Ids, raw })
    return accountId
  }
}

const narrow = (): { who: string; actor: string; grant: Grant }[] => [
  { who: 'support', actor: 'somebody', grant: { role: 'support', reach: `county:${mine}` } },
  { who: 'reviewer', actor: 'somebody', grant: { role: 'reviewer', reach: `county:${mine}` } },
  { who: 'auditor', actor: 'somebody', grant: { role: 'auditor', reach: `county:${mine}` } },
  { who: 'client-admin', actor: there.owner, grant: { role: 'client-admin', reach: 'own' } },
]

const by = (actor: string, grant: Grant): By => ({
  actor,
  grants: [grant],
  fresh: true,
  where: {},
  language: 'en',
})

/** Ids of foreign things that stand in a path, by what the path begins with; and of what there is not. */
const foreignIds = (): Record<string, { real: string; none: string }> => ({
  people: { real: there.person, none: '00000000-0000-4000-8000-000000000000' },
  clients: { real: there.app, none: 'no-such-app-0123456789' },
  upstreams: { real: foreign, none: 'nowhere' },
})

/** Whoever reaches some of it only, asks for what stands beyond. */
const narrowed = () =>
  narrow().flatMap((one) =>
    operations
      .filter(({ permission }) => reachOf(by(one.actor, one.grant), permission))
      .map((operation) => ({ ...one, operation })),
  )

async function ask(one: ReturnType<typeof narrowed>[number], input: object) {
  const { store } = world.house
  const before = store.statements()
  const outcome = await perform(world.house, by(one.actor, one.grant), one.operation, input)
  return { outcome, statements: store.statements() - before }
}

test.serial('an id beyond somebody’s reach is one that does not exist', async (t) => {
  const held = narrowed().filter(({ operation }) => operation.path.includes('{'))
  t.true(held.length > 20)
  for (const one of held) {
    const { operation, who } = one
    const [, subject = ''] = operation.path.split('/')
    const ids = foreignIds()[subject]
    if (!ids) {
      t.fail(`${operation.id}: which of ${subject} are foreign to ${who}?`)
      continue
    }
    const { path } = shapeOf(operation)
    const [first = '', ...others] = path
    const rest = {
      ...sampleOf(operation),
      ...Object.fromEntries(others.map((name) => [name, '1'])),
    }
    const inputs = [ids.real, ids.none].map((id) => ({ ...rest, [first]: id }))
    // Only what is in order gets as far as to be looked for.
    for (const input of inputs) {
      const parsed = operation.input.safeParse(input)
      t.true(parsed.success, `${operation.id} ${JSON.stringify(parsed.error?.issues)}`)
    }
    const [real, none] = [await ask(one, inputs[0] ?? {}), await ask(one, inputs[1] ?? {})]
    t.deepEqual(none.outcome, { kind: 'unknown' }, `${who} ${operation.id}: what there is not`)
    t.deepEqual(real.outcome, none.outcome, `${who} ${operation.id}: what is not hers`)
    const more = Math.abs(real.statements - none.statements)
    t.true(
      more <= 1,
      `${who} ${operation.id}: ${real.statements} and ${none.statements} statements`,
    )
  }
})

test.serial('what is within her reach she is shown', async (t) => {
  const within: Record<string, string> = {
    clients: there.own,
    people: there.owner,
    upstreams: mine,
  }
  for (const one of narrowed()) {
    const { operation, who } = one
    const { path, method } = operation
    if (method !== 'GET' || !path.includes('{')) continue
    const [first = ''] = shapeOf(operation).path
    const id = within[path.split('/')[1] ?? '']
    const { outcome } = await ask(one, { ...sampleOf(operation), [first]: id })
    t.is(outcome.kind, 'done', `${who} ${operation.id}`)
  }
})

test.serial('no list tells of what is beyond somebody’s reach', async (t) => {
  const lists = narrowed().filter(
    ({ operation }) => operation.method === 'GET' && !operation.path.includes('{'),
  )
  const all = by('operator:test', { role: 'owner', reach: '' })
  for (const one of lists) {
    const { operation, who } = one
    const { fields } = shapeOf(operation)
    const inputs: Record<string, unknown>[] = [{}, sampleOf(operation)]
    for (const [name, text] of [
      ['q', mark],
      ['county', foreign],
      ['connector', foreign],
      ['client', there.app],
      ['clientId', there.app],
    ] as const) {
      if (name in fields) inputs.push({ ...sampleOf(operation), [name]: text })
    }
    if ('cursor' in fields) {
      // A place in the owner's list is no way into it.
      const page = await perform(world.house, all, operation, {
        ...sampleOf(operation),
        limit: 1,
      })
      const { next } = page.kind === 'done' ? (page.value as { next?: string }) : {}
      if (next) inputs.push({ ...sampleOf(operation), cursor: next })
      for (const cursor of ['x', 'bnVsbA', Buffer.from(`["' OR 1=1 --"]`).toString('base64url')]) {
        inputs.push({ ...sampleOf(operation), cursor })
      }
    }
    for (const input of inputs) {
      const { outcome } = await ask(one, input)
      const text = JSON.stringify(outcome)
      for (const secret of [mark, there.person, there.app]) {
        t.false(text.includes(secret), `${who} ${operation.id} ${JSON.stringify(input)}: ${text}`)
      }
    }
  }
})

test.serial('an app that acts as staff is out of reach of who gives no roles', async (t) => {
  const robot = await openRobot(world, {
    permissions: ['staff.write'],
    grants: [{ role: 'owner', reach: '' }],
  })
  const { clientId } = robot.app
  const { store } = world.house
  const before = await store.clients.find(clientId)
  const admin = by('somebody', { role: 'client-admin', reach: '' })
  const name = String(before?.name)
  for (const operation of operations) {
    if (operation.permission !== 'clients.write') continue
    const scopes = ['admin:staff.write']
    const wanted = { name, version: before?.version, redirectUris: ['https://evil.example/back'] }
    const inputs = operation.path.startsWith('/clients/{id}')
      ? [
          { ...sampleOf(operation), id: clientId },
          { ...sampleOf(operation), ...wanted, id: clientId },
        ]
      : [{ ...sampleOf(operation), kind: 'machine', name, scopes }]
    for (const input of inputs.filter((one) => operation.input.safeParse(one).success)) {
      const outcome = await perform(world.house, admin, operation, input)
      t.not(outcome.kind, 'done', `${operation.id} ${JSON.stringify(input)}`)
    }
  }
  t.deepEqual(await store.clients.find(clientId), before)
})

/** Objects in a schema that would take a field nobody named. */
function openObjects(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  if (Array.isArray(schema)) return schema.flatMap((one, i) => openObjects(one, `${path}[${i}]`))
  const one = schema as JsonSchema
  const isOpen = one.properties !== undefined && one.additionalProperties !== false
  return [
    ...(isOpen ? [path || '(top)'] : []),
    ...Object.entries(one).flatMap(([name, part]) => openObjects(part, `${path}/${name}`)),
  ]
}

test.serial('no operation takes a field it does not name', async (t) => {
  const { token } = await openRobot(world, {
    permissions: Object.keys(permissions) as (keyof typeof permissions)[],
    grants: [{ role: 'owner', reach: '' }],
  })
  for (const operation of everyOperation) {
    t.deepEqual(openObjects(shapeOf(operation).input), [], operation.id)
    const { fields } = shapeOf(operation)
    const names = ['role', 'isAdmin', 'status', 'actor', 'constructor', 'toString'].filter(
      (name) => !Object.hasOwn(fields, name),
    )
    const more = Object.fromEntries(names.map((name) => [name, 'owner']))
    const answer = await send(apiOf(world), token, operation, JSON.stringify(more))
    t.is(answer.status, 422, operation.id)
    const said: { field: string; code: string }[] = answer.body.problems
    const refused = said.filter(({ code }) => code === 'unknown-field').map(({ field }) => field)
    t.deepEqual(refused.toSorted(), names.toSorted(), operation.id)
    const proto = await send(apiOf(world), token, operation, '{"__proto__":{"role":"owner"}}')
    t.true([400, 422].includes(proto.status), `${operation.id} __proto__: ${proto.status}`)
  }
  t.is(({} as Record<string, unknown>).role, undefined)
})

test.serial('what a call says never becomes a line or an escape of the log', async (t) => {
  const { token } = await openRobot(world, {
    permissions: ['clients.read', 'clients.write', 'people.read'],
    grants: [{ role: 'owner', reach: '' }],
  })
  const nasty = 'a\r\n{"level":50,"msg":"forged"}\u001b[31m\u202egnp\u0000'
  const base = apiOf(world)
  await call(base, token, 'POST', '/clients', { name: nasty, kind: 'web', [nasty]: 1 })
  await call(base, token, 'GET', `/clients/${encodeURIComponent(nasty)}`)
  await call(base, token, 'GET', `/people?q=${encodeURIComponent(nasty)}`)
  await call(base, token, 'GET', `/${encodeURIComponent(nasty)}`, undefined, {
    'user-agent': 'x \u00e9[31m forged',
  })
  const lines = world.log.flatMap((text) => text.trimEnd().split('\n'))
  t.true(lines.length > 4)
  for (const line of lines) {
    const said = JSON.parse(line)
    t.not(said.msg, 'forged')
    t.notRegex(line, /[\p{Cc}\u202e]/u)
  }
})
