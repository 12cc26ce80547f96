/** The unit: read by systemd itself, and no more exposed than it must be. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { temporaryFolder } from '../helpers/database.ts'
import { ensurePackages, peerPackages } from '../helpers/debian.ts'
import { read, readUnit, root } from './shapes.ts'

const path = 'deploy/systemd/citygate.service'

test.before('Debian has systemd', async (t) => {
  t.timeout(300_000)
  await ensurePackages(peerPackages.systemd)
})

const analyze = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  return { status, said: `${stdout}${stderr}`.trim() }
}

test('systemd understands every directive', (t) => {
  const file = join(temporaryFolder(t), 'citygate.service')
  // Verified are also the programs it starts, and this machine may have its Node elsewhere.
  t.true(read(path).includes('ExecStart=/usr/bin/node '))
  writeFileSync(file, read(path).replace('/usr/bin/node', process.execPath))
  t.deepEqual(analyze('verify', '--man=no', file), { status: 0, said: '' })
})

test('systemd finds its exposure low: below 1.5 of 10', (t) => {
  const { status, said } = analyze('security', '--offline=yes', '--threshold=15', join(root, path))
  t.is(status, 0, said)
})

test('the program starts from where the operator puts it, and stays down when misconfigured', (t) => {
  const unit = new Map(readUnit(path).map(({ key, value }) => [key, value]))
  t.is(unit.get('ExecStart'), '/usr/bin/node bin/citygate.js serve')
  t.is(unit.get('User'), 'citygate')
  t.is(unit.get('KillSignal'), 'SIGTERM')
  t.is(unit.get('RestartPreventExitStatus'), '64 78')
  t.false(unit.has('MemoryDenyWriteExecute'), 'V8 would not start')
})

test('the command line gets user, settings and key as the service does', (t) => {
  const script = 'deploy/systemd/citygate'
  t.is(spawnSync('sh', ['-n', join(root, script)]).status, 0)
  const unit = new Set(readUnit(path).map(({ key, value }) => `${key}=${value}`))
  const given = [...read(script).matchAll(/--property=(\S+)/g)].map(([, property = '']) => property)
  t.true(given.includes('LoadCredential=kek:/etc/citygate/kek'))
  t.deepEqual(
    given.filter((property) => !unit.has(property)),
    [],
  )
  for (const property of ['User', 'EnvironmentFile', 'Environment=DATA_DIR'])
    t.true(
      given.some((one) => one.startsWith(property)),
      property,
    )
})
