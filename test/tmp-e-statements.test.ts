import test from 'ava'
import { openBrowser } from './helpers/browser.ts'
import { arrivedAt } from './helpers/relying-party.ts'
import { buildWorld } from './helpers/world.ts'
test('x', async (t) => {
  const world = await buildWorld(t, { sandbox: true, env: { METRICS_PORT: '19464' }, limits: { sources: { departures_per_minute: 10_000, requests_per_minute: 100_000 } } })
  await world.house.upstreamHealth.close()
  const rp = await world.buildApp()
  const counts = async () => {
    const text = await (world.house.metrics as any).render?.() ?? ''
    return text
  }
  const seen: number[] = []
  for (let i = 0; i < 45; i++) {
    const before = world.house.store.statements()
    const browser = openBrowser()
    const page = await rp.begin(browser)
    const atCounty = await browser.submit(page, 'county-form', { connector: 'hlc' })
    const back = await browser.submit(atCounty, 'county-login', { account: 'hlctest', password: 'hlctest' })
    t.true(arrivedAt(rp, back))
    seen.push(world.house.store.statements() - before)
  }
  t.log(seen.join(' '))
})
