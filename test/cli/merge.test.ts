import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { joinAccounts } from '#account/merge.ts'
import { findProposal, proveByPassword } from '#account/merge-proof.ts'
import { numberKeyOf } from '#accounts/personal-numbers.ts'
import { openMember } from '../helpers/account.ts'
import { takeLetters } from '../helpers/letters.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const root = join(import.meta.dirname, '..', '..')

function openCli({ house: { config }, dataDir }: World) {
  const { database } = config
  const env = {
    PATH: process.env.PATH,
    SANDBOX: 'off',
    DATA_DIR: dataDir,
    ...(database.engine === 'postgres' ? { DATABASE_URL: database.url } : {}),
  }
  return async (...args: string[]) => {
    const command = ['bin/citygate.js', 'merge', ...args]
    const child = spawn(process.execPath, command, { cwd: root, env })
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    return { exit: await exit, out, err }
  }
}

/** Hers, with another one joined to it. */
async function buildJoined(world: World) {
  const { store, now, keys, passwords, limits, writeLetter } = world.house
  const other = await world.buildPerson({ account: 'chen@mail.edu.tw' })
  const her = await world.buildPerson()
  const acting = {
    accountId: her.sub,
    sessionUid: 's',
    device: 'd',
    at: Math.floor(now() / 1000),
    language: 'zh-TW',
    where: {},
  }
  const ports = {
    now,
    passwords,
    writeLetter,
    dataKey: keys.data,
    numberKey: numberKeyOf(keys.data),
    limits: limits.signIn,
    from: () => ({ source: '192.0.2.7', sourceFailures: 20 }),
  }
  await proveByPassword(store, acting, other, ports)
  const merge = (await findProposal(store, acting, ports))?.id ?? ''
  await joinAccounts(store, acting, merge, ports)
  return { her, other, merge }
}

test('staff see which accounts were joined, are told what stands in the way of parting them, and part them', async (t) => {
  const world = await buildWorld(t)
  const cli = openCli(world)
  const { her, other, merge } = await buildJoined(world)
  await openMember(world, { account: 'lin@mail.edu.tw' })
  await takeLetters(world)
  const { store } = world.house

  const list = await cli('list', '--account', other.sub)
  t.is(list.exit, 0, list.err)
  t.regex(
    list.out,
    new RegExp(`^${merge}  [\\dT:Z-]+  kept ${her.sub}  merged ${other.sub}  joined\\n$`),
  )
  t.is((await cli('list', '--account', 'nobody', '--json')).out, '[]\n')
  t.is((await cli('undo', merge)).exit, 64, 'a reason is wanted')
  t.is((await cli('undo', merge, '--reason', ' ')).exit, 64)
  const unknown = await cli('undo', 'no-such', '--reason', 'x')
  t.is(unknown.exit, 66)
  t.is(unknown.err, 'citygate: there is no merge no-such: see citygate merge list\n')

  // The name the other account came with is a third one's by now.
  const third = await store.identifiers.find('email', 'lin@mail.edu.tw')
  const moved = await store.accountMoves.move(her.sub, third?.accountId ?? '')
  t.true(moved.length > 0)
  const conflicts = await cli('undo', merge, '--reason', 'wrong person')
  t.is(conflicts.exit, 65)
  t.regex(
    conflicts.err,
    /nothing was changed.*\n {2}identifier email chen@mail\.edu\.tw belongs to a third account now\n/,
  )
  t.is((await store.accounts.find(other.sub))?.status, 'suspended')
  for (const row of moved) await store.accountMoves.moveBack(row, her.sub, third?.accountId ?? '')

  const undone = await cli('undo', merge, '--reason', 'wrong person')
  t.is(undone.exit, 0, undone.err)
  t.regex(
    undone.out,
    new RegExp(`^undone: ${other.sub} is an account of its own again, beside ${her.sub}\\n`),
  )
  t.is((await store.accounts.find(other.sub))?.status, 'active')
  t.deepEqual((await takeLetters(world)).map(({ to }) => to).sort(), [
    'chen@mail.edu.tw',
    'wang@mail.edu.tw',
  ])
  const again = await cli('undo', merge, '--reason', 'wrong person', '--force')
  t.is(again.exit, 65)
  t.regex(again.err, /not undone: it was undone already, at 20/)
  t.regex((await cli('list')).out, /undone 20/)
  const [event] = await store.auditReads.list({ limit: 1, action: 'account.merge-undo' })
  t.regex(event?.actor ?? '', /^operator:/)
  t.is(event?.details.reason, 'wrong person')
})
