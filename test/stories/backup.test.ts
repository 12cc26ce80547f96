/** A database is backed up while people sign in, lost, and put back on another machine. */
import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openDatabase } from '#store/database.ts'
import { openBrowser } from '../helpers/browser.ts'
import {
  createPostgres,
  dropPostgres,
  type Engine,
  engines,
  temporaryFolder,
} from '../helpers/database.ts'
import { arrivedAt, openRelyingParty } from '../helpers/relying-party.ts'
import { signIn } from '../helpers/sign-in.ts'
import { buildWorld } from '../helpers/world.ts'

const root = join(import.meta.dirname, '..', '..')
const kek = Buffer.alloc(32, 5).toString('base64')

type Place = { DATA_DIR: string; DATABASE_URL: string; CITYGATE_KEK: string }

/** A machine with nothing on it. */
async function buildPlace(t: ExecutionContext, engine: Engine): Promise<Place> {
  const place = { DATA_DIR: temporaryFolder(t), DATABASE_URL: '', CITYGATE_KEK: kek }
  if (engine === 'sqlite') return place
  const where = await createPostgres()
  t.teardown(() => dropPostgres(where))
  return { ...place, DATABASE_URL: where.url }
}

const whereOf = ({ DATABASE_URL: url, DATA_DIR }: Place) =>
  url
    ? ({ engine: 'postgres', url } as const)
    : ({ engine: 'sqlite', file: join(DATA_DIR, 'citygate.sqlite3') } as const)

function cli(
  place: Place,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ exit: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['bin/citygate.js', ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, SANDBOX: 'off', ...place, ...env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (part) => {
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  return new Promise((resolve) => child.once('close', (exit) => resolve({ exit, out, err })))
}

async function change(place: Place, work: (knex: ReturnType<typeof openDatabase>) => unknown) {
  const knex = openDatabase(whereOf(place))
  try {
    return await work(knex)
  } finally {
    await knex.destroy()
  }
}

for (const engine of engines) {
  test(`${engine}: backed up under load, lost, restored elsewhere: people and apps go on, sessions and tokens do not`, async (t) => {
    const first = await buildPlace(t, engine)
    const world = await buildWorld(t, { dataDir: first.DATA_DIR, env: first, freshKeys: true })
    const rp = await world.buildApp()
    const { browser, back, person } = await signIn(world, rp, {
      scope: 'openid offline_access',
      prompt: 'consent',
    })
    const arrived = await browser.submit(back, 'consent-form', { decision: 'allow' })
    t.true(arrivedAt(rp, arrived), arrived.html)
    const { body: tokens } = await rp.redeem(arrived.url)
    t.truthy(tokens.refresh_token)
    await world.house.store.audit.record({
      at: 1,
      actor: 'system',
      action: 'test.mark',
      outcome: 'ok',
    })

    let running = true
    let answered = 0
    const load = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (running) {
          const again = await rp.begin(browser, {})
          const { status } = await rp.redeem(again.url)
          t.is(status, 200)
          answered++
        }
      }),
    )
    const file = join(temporaryFolder(t), 'citygate.backup')
    const before = answered
    const made = await cli(first, ['backup', file])
    t.is(made.exit, 0, made.err)
    t.true(answered > before, 'requests are answered meanwhile')
    running = false
    await load
    t.regex(made.out, /keys sealed, no sessions and no tokens/)
    t.is(statSync(file).mode & 0o777, 0o600)
    const text = readFileSync(file, 'latin1')
    t.false(text.includes(kek), 'the key-encryption key is not in it')
    const again = await cli(first, ['backup', file])
    t.is(again.exit, 65)
    t.regex(again.err, /is there already: name another file, or add --force/)
    t.is((await cli(first, ['backup', file, '--force'])).exit, 0)

    const running65 = await cli(first, ['restore', file, '--force'])
    t.is(running65.exit, 65, running65.err)
    t.regex(running65.err, /in use.*stop every Citygate/)
    const keys = await (await fetch(`${world.issuer}/jwks`)).json()
    await world.close()

    const second = await buildPlace(t, engine)
    const wrong = await cli(second, ['restore', file], {
      CITYGATE_KEK: Buffer.alloc(32, 6).toString('base64'),
    })
    t.is(wrong.exit, 65)
    t.regex(wrong.err, /does not open .*give the CITYGATE_KEK that was in use/)
    if (engine === 'sqlite') t.false(existsSync(join(second.DATA_DIR, 'citygate.sqlite3')))

    const restored = await cli(second, ['restore', file])
    t.is(restored.exit, 0, restored.err)
    const occupied = await cli(second, ['restore', file])
    t.is(occupied.exit, 65)
    t.regex(occupied.err, /holds apps, people or keys already.*--force/)
    t.is((await cli(second, ['restore', file, '--force'])).exit, 0)

    const after = await buildWorld(t, { dataDir: second.DATA_DIR, env: second, ports: world.ports })
    t.deepEqual(await (await fetch(`${after.issuer}/jwks`)).json(), keys)
    const old = openRelyingParty(
      after.issuer,
      { client_id: rp.clientId, client_secret: rp.clientSecret },
      rp.redirectUri,
    )
    t.is((await old.get('/me', tokens.access_token)).status, 401)
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
    t.like(await old.token(refresh), { status: 400, body: { error: 'invalid_grant' } })
    const silent = await old.begin(browser, { prompt: 'none' })
    t.is(silent.url.searchParams.get('error'), 'login_required')

    const newBrowser = openBrowser()
    const page = await old.begin(newBrowser)
    const { account, password } = person
    const there = await newBrowser.submit(page, 'local-form', { account, password })
    const { status, body } = await old.redeem(there.url)
    t.is(status, 200, 'her password and the app’s secret are what they were')
    t.is((await old.verify(body.id_token)).payload.sub, person.sub)
    const { out } = await cli(second, ['audit', 'verify'])
    t.regex(out, /^whole: \d+ events/)
  })

  test(`${engine}: a backup that is damaged, of a later release, of the other engine, or none at all, changes nothing`, async (t) => {
    const place = await buildPlace(t, engine)
    const added = await cli(place, ['user', 'add', '--account', 'wang', '--name', '王小明'])
    t.is(added.exit, 0, added.err)
    const folder = temporaryFolder(t)
    const file = join(folder, 'good')
    t.is((await cli(place, ['backup', file])).exit, 0)

    const damaged = join(folder, 'damaged')
    copyFileSync(file, damaged)
    const bytes = readFileSync(damaged)
    const half = Math.floor(bytes.length / 2)
    // Two whole pages at least: what is between the cells of one is nobody's.
    writeFileSync(damaged, bytes.fill(0x55, half, half + 12_000))
    const cut = join(folder, 'cut')
    writeFileSync(cut, readFileSync(file).subarray(0, half))
    const text = join(folder, 'text')
    writeFileSync(text, 'not a backup')
    const other = join(folder, 'other')
    writeFileSync(other, engine === 'sqlite' ? 'PGDMP\x01\x0e' : 'SQLite format 3\0')
    const later = join(folder, 'later')
    await change(place, (knex) =>
      knex('migration').insert({ name: '20990101000000_tomorrow', batch: 9 }),
    )
    t.is((await cli(place, ['backup', later])).exit, 0)
    await change(place, (knex) => knex('migration').where({ batch: 9 }).delete())

    for (const [bad, words] of [
      [damaged, /is damaged/],
      [cut, /is damaged/],
      [text, /is no backup that citygate wrote/],
      [other, /is a backup of \w+, and the data is kept in \w+ here: .*DATABASE_URL/],
      [later, /was made by a later release \(it has 20990101000000_tomorrow\)/],
      [join(folder, 'missing'), /cannot be read/],
    ] as const) {
      const refused = await cli(place, ['restore', bad, '--force'])
      t.is(refused.exit, 65, refused.err)
      t.regex(refused.err, words)
      t.is(refused.err.trim().split('\n').length, 1, 'one sentence')
    }
    t.is(await change(place, async (knex) => (await knex('account')).length), 1)
    t.is((await cli(place, ['restore', file, '--force'])).exit, 0)
  })

  test(`${engine}: a database of another program is never replaced`, async (t) => {
    const place = await buildPlace(t, engine)
    const source = await buildPlace(t, engine)
    await cli(source, ['migrate'])
    const file = join(temporaryFolder(t), 'good')
    t.is((await cli(source, ['backup', file])).exit, 0)
    await change(place, (knex) => knex.schema.createTable('theirs', (t) => t.string('id')))
    const refused = await cli(place, ['restore', file, '--force'])
    t.is(refused.exit, 65)
    t.regex(refused.err, /tables of another program/)
    t.true(await change(place, (knex) => knex.schema.hasTable('theirs')))
  })
}

test('PostgreSQL: without its client programs, or without a server, it is said what to do', async (t) => {
  const place = await buildPlace(t, 'postgres')
  const file = join(temporaryFolder(t), 'never')
  const down = { ...place, DATABASE_URL: 'postgres://citygate:secret@127.0.0.1:1/citygate' }
  const unreachable = await cli(down, ['backup', file])
  t.is(unreachable.exit, 69)
  t.regex(unreachable.err, /pg_dump: .*(refused|failed)/)
  t.false(unreachable.err.includes('secret'))
  t.false(existsSync(file))
})

test('the password of the database is never among a program’s arguments', async (t) => {
  const folder = temporaryFolder(t)
  const seen = join(folder, 'seen')
  const fake = join(folder, 'pg_dump')
  writeFileSync(fake, `#!/bin/sh\necho "$@" > ${seen}\nprintenv PGPASSWORD >> ${seen}\nexit 3\n`)
  execFileSync('chmod', ['+x', fake])
  for (const url of [
    'postgres://citygate:p%40ss@127.0.0.1:1/citygate',
    'postgres://citygate@127.0.0.1:1/citygate?password=p%40ss',
  ]) {
    const place = { DATA_DIR: folder, DATABASE_URL: url, CITYGATE_KEK: kek }
    await cli(place, ['backup', join(folder, 'never')], { PATH: `${folder}:${process.env.PATH}` })
    const [args, password] = readFileSync(seen, 'utf8').split('\n')
    t.regex(args ?? '', /127\.0\.0\.1/)
    t.notRegex(args ?? '', /ss@|p%40ss/)
    t.is(password, 'p@ss')
  }
})

test('PostgreSQL: a server that goes by another application name is seen by a restore, too', async (t) => {
  const place = await buildPlace(t, 'postgres')
  const file = join(temporaryFolder(t), 'good')
  t.is((await cli(place, ['migrate'])).exit, 0)
  t.is((await cli(place, ['backup', file])).exit, 0)
  const named = new URL(place.DATABASE_URL)
  named.searchParams.set('application_name', 'county-id')
  await change({ ...place, DATABASE_URL: named.href }, async (knex) => {
    await knex.raw('SELECT 1')
    const refused = await cli(place, ['restore', file])
    t.is(refused.exit, 65, refused.out)
    t.regex(refused.err, /the database is in use/)
  })
})
