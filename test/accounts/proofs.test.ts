import test from 'ava'
import { openCounters } from '#accounts/counters.ts'
import { spendProof } from '#accounts/proofs.ts'
import { openStore } from '#store/store.ts'
import { buildStore, createDatabase } from '../helpers/database.ts'

const at = 1_700_000_000
const now = () => at * 1000
const key = Buffer.alloc(32, 1)

test('one proof of work is good for one form, however many processes are shown it at once', async (t) => {
  const where = await createDatabase(t)
  const stores = [openStore(where), openStore(where)]
  t.teardown(() => Promise.all(stores.map((store) => store.close())))
  await stores[0]?.migrate()
  const processes = stores.map((store) => ({ counters: openCounters({ store, now, key }), now }))
  const proof = { id: 'a', expiresAt: at + 3600 }
  const twenty = processes.flatMap((ports) => Array.from({ length: 10 }, () => ports))
  const spent = await Promise.all(twenty.map((ports) => spendProof(ports, proof)))
  t.is(spent.filter(Boolean).length, 1)
  for (const ports of processes) t.false(await spendProof(ports, proof))
})

test('it stays used until it has expired', async (t) => {
  const store = await buildStore(t)
  let time = at
  const clock = () => time * 1000
  const ports = { counters: openCounters({ store, now: clock, key }), now: clock }
  const proof = { id: 'a', expiresAt: at + 3600 }
  t.true(await spendProof(ports, proof))
  for (const later of [1, 1800, 3599, 3600]) {
    time = at + later
    t.false(await spendProof(ports, proof), `${later} seconds later`)
  }
})
