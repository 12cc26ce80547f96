/** What is masked is not read by trying: whole telephone numbers and addresses are counted, and written down. */
import test from 'ava'
import { perform } from '#admin/operation.ts'
import { listPeople } from '#admin/operations/people.ts'
import { text } from '../helpers/account.ts'
import { acting } from '../helpers/acting.ts'
import { openRobot } from '../helpers/api.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { openStaff } from '../helpers/staff.ts'
import type { World } from '../helpers/world.ts'

const most = 3
let world: World
test.before(async () => {
  const sign_in = { failures_per_account_per_hour: most }
  world = await openSharedWorld({ limits: { sign_in } })
})

let count = 0
async function arrive(recovery: string) {
  const account = `known${++count}@mail.edu.tw`
  const { sub } = await world.buildPerson({ account })
  await world.house.store.recoveryAddresses.put({ accountId: sub, value: recovery, createdAt: 1 })
  return { account, sub }
}

const lookedUp = () => world.house.store.auditReads.list({ action: 'account.look-up', limit: 50 })

test.serial(
  'a look-up by what is masked is written down, found or not, without what was typed',
  async (t) => {
    const { house } = world
    const by = { ...acting([{ role: 'support', reach: '' }]), actor: 'careful' }
    const { sub, account } = await arrive('home@mail.example')
    const find = async (q: string) => {
      const outcome = await perform(house, by, listPeople, { q })
      return outcome.kind === 'done' ? outcome.value.items.map((one) => one.sub) : outcome.kind
    }
    for (let i = 0; i < 2 * most; i++) t.deepEqual(await find(account), [sub], 'it is shown anyway')
    t.deepEqual(await lookedUp(), [])
    t.deepEqual(await find('HOME@mail.example'), [sub])
    t.deepEqual(await find('0912 345 678'), [])
    t.deepEqual(await find('other@mail.example'), [])
    const events = await lookedUp()
    t.deepEqual(
      events.map(({ actor, target, details }) => [actor, target, details.kind, details.found]),
      [
        ['careful', '', 'address', 0],
        ['careful', '', 'phone', 0],
        ['careful', sub, 'address', 1],
      ],
    )
    t.is(new Set(events.map(({ details }) => details.mark)).size, 3)
    t.notRegex(JSON.stringify(events), /home@|other@|0912|345/)
  },
)

test.serial(
  'who tries many waits, at the console and at the API; names she finds all the time',
  async (t) => {
    const staff = await openStaff(world, [{ role: 'support', reach: '' }])
    await arrive('real@mail.example')
    const look = (q: string) => staff.open(`/admin/people?${new URLSearchParams({ q })}`)
    for (let i = 0; i < most; i++) t.is((await look(`guess${i}@mail.example`)).status, 200)
    const before = (await lookedUp()).length
    const held = await look('real@mail.example')
    t.is(held.status, 429)
    t.regex(held.headers.get('retry-after') ?? '', /^\d+$/)
    t.regex(text(held, 'main'), /請於 60 分鐘後再試/)
    await look('real@mail.example')
    const after = await lookedUp()
    t.is(after.length, before + 1, 'that she was held is written down once')
    t.is(after[0]?.outcome, 'refused')
    t.is((await look('小明')).status, 200)

    const robot = await openRobot(world, {
      permissions: ['people.read'],
      grants: [{ role: 'support', reach: '' }],
    })
    const ask = (q: string) => robot.call('GET', `/people?${new URLSearchParams({ q })}`)
    for (let i = 0; i < most; i++) t.is((await ask(`guess${i}@mail.example`)).status, 200)
    const answer = await ask('real@mail.example')
    t.is(answer.status, 429)
    t.true(Number(answer.headers.get('retry-after')) > 3_000)
    t.like(answer.body, { type: 'urn:citygate:problem:too-many', code: 'people-look-ups' })
    t.is((await ask('小明')).status, 200)
  },
)
