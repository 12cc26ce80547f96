import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openDatabase } from '#store/database.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { buildWorld } from '../helpers/world.ts'

const root = join(import.meta.dirname, '..', '..')

test('events are listed by who, what, to whom and when; a broken trail exits 65 and is named', async (t) => {
  const world = await buildWorld(t)
  const { database } = world.house.config
  const env = {
    PATH: process.env.PATH,
    SANDBOX: 'off',
    DATA_DIR: world.dataDir,
    ...(database.engine === 'postgres' ? { DATABASE_URL: database.url } : {}),
  }
  const cli = (...args: string[]) => {
    const ran = spawnSync(process.execPath, ['bin/citygate.js', 'audit', ...args], {
      cwd: root,
      encoding: 'utf8',
      env,
    })
    return { exit: ran.status, out: ran.stdout, err: ran.stderr }
  }
  const { store } = world.house
  const base = Date.parse('2026-11-21T08:00:00Z') / 1000
  for (let i = 0; i < 6; i++) {
    await store.audit.record({
      at: base + i * 3600,
      actor: i % 2 ? 'operator:lin' : 'account-1',
      action: i % 2 ? 'key.rotate' : 'session.sign-in',
      target: i % 2 ? `key:${i}` : 'account-1',
      outcome: 'ok',
      details: { i },
    })
  }

  const all = cli('list')
  t.is(all.exit, 0, all.err)
  t.regex(
    all.out,
    /^2026-11-21T13:00:00Z {2}key\.rotate {2}ok {2}operator:lin {2}key:5 {2}- {2}- {2}\{"i":5\}\n/,
  )
  const json = (...args: string[]) => JSON.parse(cli('list', '--json', ...args).out)
  t.is(json('--actor', 'operator:lin').length, 3)
  t.is(json('--target', 'key:3').length, 1)
  t.is(json('--action', 'session.sign-in', '--since', '2026-11-21T09:00:00Z').length, 2)
  t.is(json('--action', 'key.rotate', '--until', '2026-11-21T18:30:00+08:00').length, 1)
  t.is(json('--limit', '2').length, 2)
  t.is(cli('list', '--since', 'yesterday').exit, 64)
  t.is(cli('list', '--limit', '0').exit, 64)

  const anchor = join(temporaryFolder(t), 'heads.json')
  const whole = cli('verify', '--anchor', anchor)
  t.is(whole.exit, 0, whole.err)
  t.regex(whole.out, /^whole: \d+ events/)
  const [, chain = '', seq = ''] = /^head (\S+) (\d+) \S{43}$/m.exec(whole.out) ?? []
  t.true(Number(seq) >= 7)
  t.is(statSync(anchor).mode & 0o777, 0o600)
  t.is(cli('verify', '--anchor', anchor).exit, 0)

  const kept = readFileSync(anchor, 'utf8')
  const knex = openDatabase(database)
  t.teardown(() => knex.destroy())
  if (database.engine === 'postgres')
    await knex.raw('DROP TRIGGER audit_event_guard ON audit_event')
  else for (const one of ['update', 'delete']) await knex.raw(`DROP TRIGGER audit_event_no_${one}`)
  await knex('audit_event').where({ chain, seq }).delete()
  t.is(cli('verify').exit, 0, 'the last event is missed by nobody here')
  const cut = cli('verify', '--anchor', anchor)
  t.is(cut.exit, 65)
  t.regex(
    cut.out,
    new RegExp(`^chain ${chain} {2}${seq} {2}cut: .*the anchor saw its event ${seq}`),
  )
  t.regex(cut.err, /the audit trail is broken/)
  t.is(readFileSync(anchor, 'utf8'), kept, 'a broken trail moves no anchor')

  await knex('audit_event').where({ chain, seq: 3 }).update({ outcome: 'refused' })
  const changed = cli('verify', '--json')
  t.is(changed.exit, 65)
  t.like(JSON.parse(changed.out), { faults: [{ chain, seq: 3, kind: 'changed' }] })

  writeFileSync(anchor, 'no anchor')
  t.is(cli('verify', '--anchor', anchor).exit, 65)
})
