import test from 'ava'
import { signInFederated } from '#accounts/federated.ts'
import { runCli } from '../helpers/cli.ts'
import { buildIdentity } from '../helpers/people.ts'
import { buildWorld } from '../helpers/world.ts'

const where = { clientId: 'app', address: '127.0.0.1', ref: 'R' }

test('staff see what could not be read, let somebody in again, or take a login away', async (t) => {
  const { dataDir, house } = await buildWorld(t)
  const { store, now } = house
  const env = { DATA_DIR: dataDir }
  const cli = (...args: string[]) => runCli(['identity', ...args], { env })
  const said = { unread: ['eduinfo'], fingerprint: 'kept-as-a-hash' }
  await signInFederated(store, buildIdentity(said), now, where)
  const known = await store.identities.find('https://ntpc.sso.edu.tw', 'teacher1')
  const { id = '', accountId = '' } = known?.identity ?? {}

  const list = cli('list', '--unread')
  t.regex(list.out, new RegExp(`^${id}  ntpc +${accountId}  [\\d-]+T[\\d:]+Z  eduinfo\\n$`))
  const [row] = JSON.parse(cli('list', '--account', accountId, '--json').out)
  t.like(row, { id, account: accountId, connector: 'ntpc', has_fingerprint: true })
  t.notRegex(JSON.stringify(row), /kept-as-a-hash|teacher1/)
  t.is(cli('list').exit, 64)

  t.regex(cli('accept', id).out, /^accepted/)
  t.is((await store.identities.get(id))?.fingerprint, undefined)
  t.regex(cli('unlink', id).out, /unlinked .*\n.*no other way in/)
  t.is(cli('unlink', id).exit, 66)
  const events = await store.auditReads.list({ limit: 10, target: accountId })
  const decided = events.filter(({ actor }) => actor.startsWith('operator:'))
  t.deepEqual(decided.map(({ action }) => action).sort(), ['identity.accept', 'identity.unlink'])
})
