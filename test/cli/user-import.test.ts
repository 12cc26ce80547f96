/** People by the thousand at the command line, beside a running server. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { runCli } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { buildWorld } from '../helpers/world.ts'

test('a file is checked, imported but for what is refused, and everybody is exported', async (t) => {
  const world = await buildWorld(t)
  const { database } = world.house.config
  const env: Record<string, string> = {
    DATA_DIR: world.dataDir,
    ...(database.engine === 'postgres' ? { DATABASE_URL: database.url } : {}),
  }
  const folder = temporaryFolder(t)
  const [file, report] = [join(folder, 'people.csv'), join(folder, 'report.csv')]
  writeFileSync(file, 'account,name,email,email_verified\nwang,=王,wang@x.tw,yes\nwang,王,,\n')

  const dry = runCli(['user', 'import', file, '--dry-run'], { env })
  t.is(dry.exit, 65, dry.err)
  t.regex(dry.out, /state: checked\n.*total: 2\n.*created: 1\n/)
  t.regex(dry.err, /row 3: account stands in an earlier row of this file, too \(row 2\)/)
  t.regex(dry.err, /nothing was imported/)
  t.is(await world.house.store.identifiers.find('username', 'wang'), undefined)

  const ran = runCli(['user', 'import', file, '--wait', '--json', '--report', report], { env })
  t.is(ran.exit, 65)
  t.like(JSON.parse(ran.out), { state: 'done', created: 1, refused: 1 })
  t.truthy(await world.house.store.identifiers.find('username', 'wang'))
  t.is(readFileSync(report, 'utf8').trim().split('\r\n').length, 3)
  const again = runCli(['user', 'import', '-', '--wait', '--refuse'], {
    env,
    input: 'account,name\nwang,王\n',
  })
  t.is(again.exit, 65)
  t.regex(again.err, /row 2: account is an account already/)

  const exported = runCli(['user', 'export', '--status', 'active'], { env })
  t.is(exported.exit, 0, exported.err)
  t.regex(exported.out, /"wang","'=王","wang@x\.tw","yes"/)

  const nonsense = runCli(['user', 'import', '-'], { env, input: 'a,b\n1,2\n' })
  t.is(nonsense.exit, 65)
  t.regex(nonsense.err, /file: the heading names a column we do not know: a \(row 1\)/)
})
