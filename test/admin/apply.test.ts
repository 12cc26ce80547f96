/** Apps as code: a file in, the same file out, and nothing by halves. */
import test from 'ava'
import { parse, stringify } from 'yaml'
import { perform } from '#admin/operation.ts'
import { applyClients, exportClients } from '#admin/operations/client-files.ts'
import { createClient } from '#admin/operations/clients.ts'
import { type By, operatorBy } from '#admin/staff.ts'
import { sha256 } from '#lib/crypto.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const by = operatorBy('operator:test')
let world: World
test.before(async () => {
  world = await openSharedWorld()
})

const file = (clients: object[]) => stringify({ clients })
const apply = (yaml: string, more: object = {}, who: By = by) =>
  perform(world.house, who, applyClients, { yaml, ...more })
const exported = async (...ids: string[]) => {
  const outcome = await perform(world.house, by, exportClients, { ids: ids.join(',') })
  if (outcome.kind !== 'done') throw new Error(outcome.kind)
  return outcome.value.yaml
}
const done = <T>(outcome: { kind: string; value?: T }): T => {
  if (outcome.kind !== 'done' || outcome.value === undefined) {
    throw new Error(JSON.stringify(outcome))
  }
  return outcome.value
}
const course = {
  id: 'course-platform',
  kind: 'web',
  name: '課程平台',
  redirectUris: ['https://course.example/callback'],
  scopes: ['openid', 'profile', 'eduinfo'],
  purposes: { eduinfo: { 'zh-TW': '讓老師看見自己的班級', en: 'To show teachers their classes' } },
}

test('a file makes apps, tells each secret once, and applied again it changes nothing', async (t) => {
  const yaml = file([course, { id: 'reports', kind: 'machine', name: '報表' }])
  const dry = done(await apply(yaml, { dryRun: true }))
  t.deepEqual(
    dry.items.map(({ id, what, secret }) => [id, what, secret]),
    [
      ['course-platform', 'create', undefined],
      ['reports', 'create', undefined],
    ],
  )
  t.is(await world.house.store.clients.find('reports'), undefined, 'a dry run writes nothing')

  const made = done(await apply(yaml, { digest: dry.digest }))
  const row = await world.house.store.clients.find('course-platform')
  t.is(row?.secretHash, sha256(made.items[0]?.secret ?? ''))
  t.like((await world.house.store.clientVersions.list('course-platform', 9, 9))[0], {
    because: 'apply',
    changedBy: 'operator:test',
  })

  const again = done(await apply(yaml))
  t.deepEqual(
    again.items.map(({ what }) => what),
    ['same', 'same'],
  )
  t.is((await world.house.store.clients.find('course-platform'))?.version, 1)

  const text = await exported('course-platform', 'reports')
  t.false(text.includes(made.items[0]?.secret ?? '-'))
  t.false(/secret/i.test(text))
  t.deepEqual(
    done(await apply(text)).items.map(({ what }) => what),
    ['same', 'same'],
  )
  t.like(parse(text).clients[0], course)
})

test('whatever id an app was given here, a file may name it', async (t) => {
  const { clients } = world.house.store
  const ids = ['_'.repeat(22), '9-z_A0123456789abcdefgh']
  for (const id of ids) {
    const metadata = { client_name: '平台', grant_types: ['client_credentials'] }
    await clients.create({ id, metadata, createdAt: 1, updatedAt: 1 })
  }
  t.like(await apply(await exported(...ids), { dryRun: true }), { kind: 'done' })
})

test('what a file leaves out has its default, and each difference is said', async (t) => {
  const full = { id: 'differs', kind: 'web', name: '差異', redirectUris: ['https://a.example/'] }
  done(await apply(file([{ ...full, pairwise: true, contacts: ['a@example.tw'] }])))
  const changed = done(
    await apply(file([{ ...full, redirectUris: ['https://a.example/', 'https://b.example/'] }])),
  )
  t.deepEqual(changed.items[0], {
    id: 'differs',
    name: '差異',
    what: 'change',
    differences: [
      {
        field: 'redirectUris',
        from: 'https://a.example/',
        to: 'https://a.example/\nhttps://b.example/',
      },
      { field: 'contacts', from: 'a@example.tw', to: '' },
      { field: 'pairwise', from: 'true', to: 'false' },
    ],
  })
  t.is((await world.house.store.clients.find('differs'))?.metadata.subject_type, 'public')
})

test('every slip is named with its line and key, and nothing is written', async (t) => {
  const yaml = [
    'clients:',
    '  - id: first',
    '    kind: web',
    '    name: 一',
    '    redirectUris: [https://first.example/]',
    '  - id: second',
    '    kind: web',
    '    name: 二',
    '    redirectUris:',
    '      - http://second.example/cb',
    '    secret: s3cret',
    '  - id: first',
    '    kind: boat',
    '    name: 三',
  ].join('\n')
  const outcome = await apply(yaml)
  t.is(outcome.kind, 'rejected')
  const problems = outcome.kind === 'rejected' ? outcome.problems : []
  t.deepEqual(
    problems.map(({ field, params }) => [params?.line, field]),
    [
      [11, 'clients.1.secret'],
      [13, 'clients.2.kind'],
    ],
  )
  const mended = await apply(yaml.replace('    secret: s3cret\n', '').replace('boat', 'spa'))
  t.deepEqual(
    mended.kind === 'rejected' && mended.problems.map(({ field, params }) => [params?.line, field]),
    [
      [10, 'clients.1.redirectUris.0'],
      [11, 'clients.2.id'],
      [11, 'clients.2.redirectUris'],
    ],
  )
  t.is(await world.house.store.clients.find('first'), undefined)
  for (const [what, text] of Object.entries({
    'not YAML': 'clients: [',
    'a bomb of aliases': `a: &a [x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((c, i) => `${c}: &${c} [${Array(8).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
      .join('\n')}\nclients: *i`,
    'nesting without end': `clients: ${'['.repeat(20_000)}`,
    'a key twice': 'clients: []\nclients: []',
    'keys without end': Array.from({ length: 60_000 }, (_, i) => `k${i}:`).join('\n'),
    'our own console': file([{ id: 'citygate-console', kind: 'web', name: 'x' }]),
    'a path for an id': file([{ ...course, id: '../x' }]),
  })) {
    t.is((await apply(text)).kind, 'rejected', what)
  }
  // Keys that are compared with all others, and slips that draw their line, take the square of their number.
  for (const text of [
    Array.from({ length: 20_000 }, (_, i) => `k${i}:`).join('\n'),
    `clients: [${'!a!b c,'.repeat(12_000)}]`,
  ]) {
    const long = await apply(text)
    t.is(long.kind === 'rejected' && long.problems.length < 200, true)
  }
})

test('what was shown is what is applied, or nothing is', async (t) => {
  const one = { ...course, id: 'shown' }
  const shown = done(await apply(file([one]), { dryRun: true }))
  const other = await apply(file([{ ...one, name: '另一個' }]), { digest: shown.digest })
  t.is(other.kind, 'conflict')
  done(await apply(file([one])))
  const change = file([{ ...one, name: '改名' }])
  const seen = done(await apply(change, { dryRun: true }))
  done(await apply(file([{ ...one, name: '別人先改了' }])))
  t.is((await apply(change, { digest: seen.digest })).kind, 'conflict')
})

test('one that cannot be done takes the others back with it', async (t) => {
  const kind = await apply(
    file([
      { ...course, id: 'half' },
      { id: 'reports2', kind: 'machine', name: 'r' },
    ]),
  )
  t.is(kind.kind, 'done')
  const before = await world.house.store.clients.find('half')
  const outcome = await apply(
    file([
      { ...course, id: 'half', name: '改了' },
      { id: 'reports2', kind: 'web', name: 'r', redirectUris: ['https://r.example/'] },
    ]),
  )
  t.is(outcome.kind, 'rejected')
  t.deepEqual(await world.house.store.clients.find('half'), before)
})

test('of two files that meet one is applied whole and the other one not at all', async (t) => {
  const apps = ['one', 'two', 'three'].map((id) => ({ ...course, id: `meet-${id}` }))
  done(await apply(file(apps)))
  const outcomes = await Promise.all(
    ['甲', '乙', '丙'].map((name) => apply(file(apps.map((one) => ({ ...one, name }))))),
  )
  t.true(outcomes.some(({ kind }) => kind === 'done'))
  t.true(outcomes.every(({ kind }) => kind === 'done' || kind === 'conflict'))
  const rows = await Promise.all(apps.map(({ id }) => world.house.store.clients.find(id)))
  t.is(new Set(rows.map((row) => row?.name)).size, 1)
})

test('two files that name the same apps the other way round do not wait for each other for ever', async (t) => {
  const apps = Array.from({ length: 20 }, (_, i) => ({ ...course, id: `round-${i + 10}` }))
  done(await apply(file(apps)))
  const named = (name: string) => apps.map((one) => ({ ...one, name }))
  const [one, other] = await Promise.all([
    apply(file(named('甲'))),
    apply(file(named('乙').reverse())),
  ])
  t.deepEqual([one.kind, other.kind].sort(), ['conflict', 'done'])
  const backwards = done(await apply(file(named('丙').reverse()), { dryRun: true }))
  t.is(backwards.items[0]?.id, 'round-29', 'as the file has them')
})

test('only those who answer for all apps apply a file, and export what is theirs', async (t) => {
  const { sub } = await world.buildPerson({ account: 'narrow@mail.edu.tw' })
  const narrow: By = { ...by, actor: sub, grants: [{ role: 'client-admin', reach: 'own' }] }
  t.deepEqual(await apply(file([course]), {}, narrow), { kind: 'refused', why: 'apply.narrowed' })
  t.is((await apply(file([course]), {}, { ...narrow, fresh: false })).kind, 'not-fresh')
  const mine = done(
    await perform(world.house, narrow, createClient, {
      kind: 'machine',
      name: '我的',
    }),
  )
  const hers = done(await perform(world.house, narrow, exportClients, {}))
  t.is(hers.count, 1)
  t.is(parse(hers.yaml).clients[0].id, mine.id)
  const other = await perform(world.house, narrow, exportClients, { ids: 'citygate' })
  t.is(other.kind, 'unknown')
})

test('pruning removes what the file does not name, but not what registered itself', async (t) => {
  const own = await buildWorld(t)
  const { house } = own
  const { id: gone } = done(
    await perform(house, by, createClient, { kind: 'machine', name: '舊的' }),
  )
  await house.store.clients.create({
    id: 'itself',
    metadata: { client_name: 'itself' },
    origin: 'dynamic',
    createdAt: 1,
    updatedAt: 1,
  })
  const input = { yaml: file([course]), prune: true }
  const outcome = done(await perform(house, by, applyClients, input))
  t.deepEqual(
    outcome.items.map(({ id, what }) => [id, what]),
    [
      ['course-platform', 'create'],
      [gone, 'remove'],
    ],
  )
  t.deepEqual((await house.store.clients.list()).map(({ id }) => id).sort(), [
    'course-platform',
    'itself',
  ])
})
