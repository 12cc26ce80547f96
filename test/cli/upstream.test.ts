/** Staff at the command line: how counties fare, announcements, and a probe by hand. */
import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { writeConfig } from '../helpers/program.ts'
import { buildWorld } from '../helpers/world.ts'

const root = join(import.meta.dirname, '..', '..')

/** Its own process, on the world's database and without its sandbox. */
const openCli =
  (env: NodeJS.ProcessEnv) =>
  async (...args: string[]) => {
    const child = spawn(process.execPath, ['bin/citygate.js', 'upstream', ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, SANDBOX: 'off', ...env },
    })
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    return { exit: await exit, out, err }
  }

test('staff announce maintenance beside a running server, which tells people; list and probe say how a county fares', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const { database } = world.house.config
  // A county inside our network, which nobody may call.
  const rules = writeConfig(t, '')
  const file = join(rules, 'connectors', 'ntpc.yaml')
  const county = readFileSync(file, 'utf8').replace(/issuer: https:.*/, 'issuer: https://127.0.0.1')
  writeFileSync(file, county)
  appendFileSync(join(rules, 'connectors', 'tn.yaml'), '\ncloses: 2020-01-01\n')
  const cli = openCli({
    DATA_DIR: world.dataDir,
    CITYGATE_CONFIG: rules,
    NTPC_CLIENT_ID: 'citygate',
    NTPC_CLIENT_SECRET: 'secret',
    ...(database.engine === 'postgres' ? { DATABASE_URL: database.url } : {}),
  })
  const words = ['--zh', '更新系統', '--en', 'We renew our system']
  const moment = (hours: number) =>
    new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16)
  const times = ['--from', `${moment(-1)}Z`, '--until', `${moment(2)}Z`]
  const wrong = await cli('announce', 'nowhere', ...words, ...times)
  t.is(wrong.exit, 66)
  t.regex(wrong.err, /there is no upstream nowhere/)
  const announced = await cli('announce', 'kh', ...words, ...times)
  t.is(announced.exit, 0, announced.err)
  const [id = ''] = announced.out.split(' ')
  t.regex((await cli('notices')).out, new RegExp(`^${id}  kh  .*更新系統  We renew our system\\n$`))

  await world.house.upstreamHealth.look()
  const page = await openBrowser().open(`${world.issuer}/status?lang=en`)
  t.regex(page.document.querySelector('#upstream-kh')?.text ?? '', /We renew our system/)

  for (let i = 0; i < 3; i++)
    world.house.upstreamHealth.hear('ntpc', { kind: 'failed', failure: 'slow' })
  await world.house.upstreamHealth.look()
  const list = await cli('list')
  t.regex(list.out, /^ntpc +新北市 {2}down {2}since [\d-]+T[\d:]+Z {2}slow$/m)
  t.regex(list.out, /^kh +高雄市 {2}not connected$/m)
  t.regex(list.out, /^tn +臺南市 {2}not connected: closed on 2020-01-01$/m)
  const shown = await cli('show', 'tn')
  t.notRegex(shown.out, /^off/m)
  t.regex(shown.out, /^protocol +openid2, read as tainan$/m)
  t.regex(shown.out, /^closes +2020-01-01$/m)
  t.regex(shown.out, /^to know +One title is sent of those somebody has\.$/m)

  t.is((await cli('withdraw', id)).exit, 0)
  t.is((await cli('withdraw', id)).exit, 66)

  const reason = ['--reason', '金鑰外洩']
  const off = await cli('off', 'ntpc', ...reason)
  t.is(off.exit, 0, off.err)
  t.is((await cli('off', 'ntpc', ...reason)).exit, 65, 'it is off')
  t.regex((await cli('list')).out, /^ntpc +新北市 {2}not connected: switched off since /m)
  t.regex((await cli('show', 'ntpc')).out, /^off +since \S+Z, by operator:\S+: 金鑰外洩$/m)
  await world.house.upstreamHealth.look()
  t.false(world.house.trips.connectors.has('ntpc'))
  t.is((await cli('on', 'ntpc')).exit, 0)
  const happened = await cli('events', 'ntpc')
  t.regex(
    happened.out,
    /^\S+Z {2}on {2}operator:\S+\n\S+Z {2}off {2}operator:\S+ {2}金鑰外洩\n\S+Z {2}down\n$/,
  )

  t.is((await cli('probe', 'nowhere')).exit, 66)
  const probed = await cli('probe', 'ntpc')
  t.is(probed.exit, 69)
  t.regex(probed.err, /^citygate: unreachable: ntpc: discovery: .* \(blocked\)\n$/)
  const events = await world.house.store.auditReads.list({ limit: 20 })
  const done = events.map(({ action }) => action).filter((action) => action.startsWith('upstream.'))
  t.deepEqual(done.sort(), [
    'upstream.announce',
    'upstream.state',
    'upstream.switch-off',
    'upstream.switch-on',
    'upstream.withdraw',
  ])
})
