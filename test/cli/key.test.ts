import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { temporaryFolder } from '../helpers/database.ts'

const root = join(import.meta.dirname, '..', '..')

function openCli(env: NodeJS.ProcessEnv) {
  return (args: string[], more: NodeJS.ProcessEnv = {}) => {
    const ran = spawnSync(process.execPath, ['bin/citygate.js', 'key', ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, SANDBOX: 'off', ...env, ...more },
    })
    return { exit: ran.status, out: ran.stdout, err: ran.stderr }
  }
}

type Key = { kid: string; alg?: string; purpose: string; state: string; signs_at: number }

test('keys are listed, rotated, replaced and revoked, and no secret is shown', (t) => {
  const cli = openCli({ DATA_DIR: temporaryFolder(t) })
  const list = (): Key[] => JSON.parse(cli(['list', '--json']).out)
  const rs256 = () => list().filter(({ alg }) => alg === 'RS256')
  const first = list()
  t.deepEqual(
    first.map(({ purpose, state }) => `${purpose} ${state}`),
    [
      'signing signing',
      'signing signing',
      'cookie signing',
      'audit permanent',
      'data permanent',
      'pairwise permanent',
    ],
  )
  const signing = String(first[0]?.kid)

  const rotated = cli(['rotate', '--alg', 'RS256'])
  t.is(rotated.exit, 0, rotated.err)
  t.regex(rotated.out, /^\S+ RS256 is published and signs from \d{4}-\d\d-\d\dT[\d:]+Z\n$/)
  t.regex(cli(['rotate', '--alg', 'RS256']).out, /waits already/)
  t.deepEqual(
    rs256().map(({ state }) => state),
    ['signing', 'next'],
  )

  t.is(cli(['revoke', signing]).exit, 65)
  t.regex(cli(['revoke', signing]).err, /signs now: let another take over first/)
  t.regex(cli(['rotate', '--now', '--alg', 'RS256']).out, /follow within 30 seconds/)
  t.is(cli(['revoke', signing]).exit, 0)
  t.deepEqual(
    rs256().map(({ state }) => state),
    ['signing'],
  )
  t.is(cli(['revoke', signing]).exit, 66)
  t.is(cli(['revoke', 'pairwise-1']).exit, 65)
  t.is(cli(['rotate', '--purpose', 'cookie', '--alg', 'RS256']).exit, 64)
  t.regex(cli(['rotate', '--purpose', 'cookie']).out, /^cookie-2 is published/)
  const shown = cli(['list']).out
  t.is(shown.split('\n').length, 8)
  t.false(/"d"|[\w-]{43}/.test(shown))
})

test('the key-encryption key is changed by a command; afterwards the old one is told in words', (t) => {
  const folder = temporaryFolder(t)
  const [old, fresh] = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64'))
  const file = join(folder, 'new-kek')
  writeFileSync(file, `${fresh}\n`)
  const cli = openCli({ DATA_DIR: folder })
  const before = cli(['list'], { CITYGATE_KEK: old })
  t.is(before.exit, 0, before.err)
  t.is(cli(['change-kek'], { CITYGATE_KEK: old }).exit, 64)
  t.is(cli(['change-kek'], { CITYGATE_KEK: old, CITYGATE_NEW_KEK: 'short' }).exit, 78)
  const changed = cli(['change-kek'], { CITYGATE_KEK: old, CITYGATE_NEW_KEK_FILE: file })
  t.is(changed.exit, 0, changed.err)
  t.regex(changed.out, /^6 keys are sealed under the new key-encryption key/)

  const refused = cli(['list'], { CITYGATE_KEK: old })
  t.is(refused.exit, 1)
  t.regex(refused.err, /^citygate: the key-encryption key does not open this database[^\n]+\n$/)
  t.is(cli(['list'], { CITYGATE_KEK_FILE: file }).out, before.out)
  const moving = { CITYGATE_KEK: old, CITYGATE_KEK_PREVIOUS_FILE: file }
  t.is(cli(['list'], moving).out, before.out)
})
