/** While a running system is changed, the last release and this program share one database: both must go on. */
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openKeyEncryption } from '#oidc/key-encryption.ts'
import { rotateDueKeys } from '#oidc/key-rotation.ts'
import { keyRules } from '#oidc/key-schedule.ts'
import { openKeys } from '#oidc/keys.ts'
import { openDatabase } from '#store/database.ts'
import { migrationNames } from '#store/migrations/index.ts'
import { openStore, type Where } from '#store/store.ts'
import { openBrowser } from '../helpers/browser.ts'
import { createDatabase, type Engine, engines, temporaryFolder } from '../helpers/database.ts'
import {
  left,
  loadRelease,
  openLine,
  refusedOf,
  released,
  schema,
  statementsOf,
} from '../helpers/release.ts'
import { arrivedAt, openRelyingParty } from '../helpers/relying-party.ts'
import { hindrances, readShape } from '../helpers/schema-shape.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** The release's database, as it left it just now. */
async function leftDatabase(t: ExecutionContext, engine: Engine, ago = 0): Promise<Where> {
  const where = await createDatabase(t, engine)
  await loadRelease(where, ago)
  return where
}

async function migrated(t: ExecutionContext, where: Where) {
  const store = openStore(where)
  t.teardown(() => store.close())
  await store.migrate()
  return store
}

/** This program where the release was. Another test run may be there just now. */
async function takeOver(t: ExecutionContext, engine: Engine): Promise<World> {
  const dataDir = temporaryFolder(t)
  const env: NodeJS.ProcessEnv = { CITYGATE_KEK: left.kek, DATABASE_URL: undefined }
  if (engine === 'sqlite') {
    await loadRelease({ engine, file: join(dataDir, 'citygate.sqlite3') })
  } else {
    const where = await leftDatabase(t, engine)
    if (where.engine === 'postgres') env.DATABASE_URL = where.url
  }
  for (let tries = 1; ; tries++) {
    try {
      return await buildWorld(t, { sandbox: true, dataDir, ports: left.ports, env })
    } catch (error) {
      if (tries === 60 || !/is taken by another/.test(String(error))) throw error
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
}

/** A browser that comes back with the cookies the release gave it. */
async function returning(world: World, cookies: string[]) {
  const browser = openBrowser()
  for (const cookie of cookies) await browser.jar.setCookie(`${cookie}; Path=/`, world.issuer)
  return browser
}

for (const engine of engines) {
  // One after the other: both are where the release was.
  test.serial(`${engine}: people and apps of the last release notice nothing`, async (t) => {
    const world = await takeOver(t, engine)
    const changed = world.log.some((line) => line.includes('schema is up to date'))
    t.is(changed, migrationNames.length > released.length)
    const { client, person, teacher } = left
    const registration = { client_id: client.id, client_secret: client.secret }
    const rp = openRelyingParty(world.issuer, registration, client.redirectUri)
    const scope = 'openid profile eduinfo'
    const who = async (back: { url: URL; html: string }) => {
      const { status, body } = await rp.redeem(back.url)
      t.is(status, 200, `${JSON.stringify(body)} ${back.html}`)
      return { ...(await rp.verify(body.id_token)).payload, token: body.access_token }
    }

    const jwks = (await (await fetch(`${world.issuer}/jwks`)).json()) as { keys: { kid: string }[] }
    t.deepEqual(jwks.keys.map(({ kid }) => kid).sort(), left.kids)

    const hers = await returning(world, person.cookies)
    const silent = await rp.begin(hers, { prompt: 'none', scope: 'openid profile' })
    t.is((await who(silent)).sub, person.sub, 'her session is one, and her consent is')
    const elsewhere = openBrowser()
    const page = await rp.begin(elsewhere, { scope: 'openid profile' })
    const { account, password } = person
    const back = await elsewhere.submit(page, 'local-form', { account, password })
    t.true(arrivedAt(rp, back), back.html)
    t.is((await who(back)).sub, person.sub, 'her password is hers')

    const login = { account: teacher.account, password: teacher.account }
    for (const visit of ['the first', 'one that brings nothing new']) {
      const browser = openBrowser()
      const atCounty = await rp.begin(browser, { upstream: 'ntpc', scope })
      const { sub, token } = await who(await browser.submit(atCounty, 'county-login', login))
      t.is(sub, teacher.sub, visit)
      t.is((await rp.get('/eduinfo/v1', token)).body.schoolid, '014598')
    }

    const refresh = (refresh_token: string) =>
      rp.token({ grant_type: 'refresh_token', refresh_token })
    for (const { sub, refreshToken } of [person, teacher]) {
      const { status, body } = await refresh(refreshToken)
      t.is(status, 200, JSON.stringify(body))
      t.is((await rp.verify(body.id_token)).payload.sub, sub)
    }
    t.is((await refresh(person.refreshToken)).body.error, 'invalid_grant', 'once')
    const wrong = { authorization: `Basic ${btoa(`${client.id}:${person.password}`)}` }
    t.is((await rp.token({ grant_type: 'refresh_token' }, wrong)).status, 401)

    const theirs = await returning(world, teacher.cookies)
    const leaving = await theirs.open(`${world.issuer}/session/end`)
    await theirs.submit(leaving, 'sign-out-form', { logout: 'yes' })
    const gone = await rp.begin(theirs, { prompt: 'none', scope })
    t.is(gone.url.searchParams.get('error'), 'login_required', 'a session of then ends now')
  })

  test(`${engine}: all the last release says to its database is still understood`, async (t) => {
    const where = await leftDatabase(t, engine)
    t.deepEqual(await refusedOf(where), [], 'before')
    await migrated(t, where)
    t.true(statementsOf(engine).length > 40)
    t.deepEqual(await refusedOf(where), [])
  })

  test(`${engine}: each migration since the last release adds and takes nothing away`, async (t) => {
    const where = await leftDatabase(t, engine)
    const before = await readShape(where)
    const knex = openDatabase(where)
    t.teardown(() => knex.destroy())
    t.deepEqual(migrationNames.slice(0, released.length), released)
    for (const name of migrationNames.slice(released.length)) {
      await knex.migrate.up()
      t.deepEqual(hindrances(before, await readShape(where)), [], name)
    }
  })

  test(`${engine}: a program goes back to work on the schema of its successor`, async (t) => {
    const where = await leftDatabase(t, engine)
    const store = await migrated(t, where)
    const knex = openDatabase(where)
    t.teardown(() => knex.destroy())
    await knex.schema.createTable('tomorrow', (table) => table.string('id'))
    const name = '29991231000000_tomorrow'
    await knex('migration').insert({ name, batch: 99, migration_time: new Date() })
    t.deepEqual(await store.migrate(), [])
    t.deepEqual(await store.pendingMigrations(), [])
  })
}

const contractions: { sql: string; says: string; only?: Engine }[] = [
  { sql: 'ALTER TABLE identity DROP COLUMN raw', says: 'identity.raw is gone' },
  {
    sql: 'ALTER TABLE consent RENAME COLUMN granted TO allowed',
    says: 'consent.granted is gone',
  },
  { sql: 'ALTER TABLE upstream_trip RENAME TO trip', says: 'upstream_trip is gone' },
  {
    sql: "CREATE UNIQUE INDEX one ON account (kind) WHERE kind = 'person'",
    says: 'account has a new rule: ',
  },
  {
    sql: "ALTER TABLE client ADD COLUMN owner text NOT NULL DEFAULT ''; ALTER TABLE client ALTER owner DROP DEFAULT",
    says: 'client.owner is new and may not be left out',
    only: 'postgres',
  },
  {
    sql: 'ALTER TABLE oidc_payload ALTER uid SET NOT NULL',
    says: 'oidc_payload.uid may not be empty any more',
    only: 'postgres',
  },
  {
    sql: 'ALTER TABLE identifier ALTER value TYPE varchar(5)',
    says: 'identifier.value was character varying(255) and is character varying(5)',
    only: 'postgres',
  },
  {
    sql: "CREATE TRIGGER no BEFORE INSERT ON affiliation BEGIN SELECT RAISE(ABORT, 'no'); END",
    says: 'affiliation has a new rule: ',
    only: 'sqlite',
  },
]

for (const engine of engines) {
  test(`${engine}: a change that would stop the last release is named`, async (t) => {
    for (const { sql, says } of contractions.filter(({ only }) => !only || only === engine)) {
      const where = await leftDatabase(t, engine)
      const before = await readShape(where)
      const line = await openLine(where)
      await line.send('DELETE FROM account')
      await line.send('DELETE FROM oidc_payload')
      await line.send('DELETE FROM identifier')
      for (const one of sql.includes('TRIGGER') ? [sql] : sql.split('; ')) await line.send(one)
      await line.close()
      const found = hindrances(before, await readShape(where))
      t.true(found[0]?.startsWith(says), `${sql}: ${found}`)
      t.true((await refusedOf(where)).length > 0, sql)
    }
  })
}

test('a released migration is as it was released', async (t) => {
  const [then, now] = await Promise.all([createDatabase(t, 'sqlite'), createDatabase(t, 'sqlite')])
  const knex = openDatabase(now)
  t.teardown(() => knex.destroy())
  for (const _ of released) await knex.migrate.up()
  const told = async (where: Where) => {
    const line = await openLine(where)
    const rows = await line.send(
      'SELECT name, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY 1',
    )
    await line.close()
    return rows
  }
  await loadRelease(then)
  t.regex(schema, /create table/i)
  t.deepEqual(await told(now), await told(then))
})

test('what the last release found by an index is found by one', async (t) => {
  const where = await leftDatabase(t, 'sqlite')
  const scans = async () => {
    const line = await openLine(where)
    const found: string[] = []
    for (const { sql, bindings } of statementsOf('sqlite')) {
      const plan = await line.send(`EXPLAIN QUERY PLAN ${sql}`, bindings)
      const whole = plan.filter(({ detail }) => /^SCAN (?!CONSTANT)/.test(String(detail)))
      found.push(...whole.map(({ detail }) => `${detail}: ${sql}`))
    }
    await line.close()
    return found
  }
  const before = await scans()
  await migrated(t, where)
  t.deepEqual(
    (await scans()).filter((scan) => !before.includes(scan)),
    [],
  )
})

test('keys the last release used for too long sign on until everybody knows their successors', async (t) => {
  const days = 200 * 24 * 60 * 60
  const where = await leftDatabase(t, 'sqlite', days)
  const store = await migrated(t, where)
  const kek = openKeyEncryption(Buffer.from(left.kek, 'base64'))
  const { house } = await buildWorld(t)
  const rules = keyRules(house.config.site)
  store.beginAudit((await openKeys(store, kek, Date.now, rules)).audit)
  const { made } = await rotateDueKeys(store, kek, Date.now, rules)
  t.is(made.length, 3)
  const { signing, cookie } = await openKeys(store, kek, Date.now, rules)
  t.true(left.kids.includes(String(signing[0]?.kid)), 'a process of the release knows this one')
  t.is(cookie.length, 2)
  const after = await openKeys(store, kek, () => Date.now() + 2 * 24 * 60 * 60 * 1000, rules)
  t.false(left.kids.includes(String(after.signing[0]?.kid)))
})
