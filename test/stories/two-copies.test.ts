import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { freePort } from '../helpers/free-port.ts'
import { buildWorld } from '../helpers/world.ts'

test('two copies on one database, each on ports of its own, both sign people in', async (t) => {
  const first = await buildWorld(t, { sandbox: true })
  const ports = [await freePort(), await freePort(), await freePort()] as [number, number, number]
  const second = await buildWorld(t, { sandbox: true, dataDir: first.dataDir, ports })
  const browser = openBrowser()
  for (const world of [first, second, first]) {
    const atCounty = await browser.open(`${world.demo}/login?upstream=ntpc&prompt=login`)
    const back = await browser.submit(atCounty, 'county-login', {
      account: 'ntpctest',
      password: 'ntpctest',
    })
    t.is(back.url.href, `${world.demo}/`)
    const session = JSON.parse((await browser.open(`${world.demo}/session.json`)).html)
    t.is(session.userinfo.name, '林雅雯')
  }
})
