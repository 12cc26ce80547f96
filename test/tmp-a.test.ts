import test from 'ava'
import { openBrowser } from './helpers/browser.ts'
import { buildWorld } from './helpers/world.ts'

test('x', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const browser = openBrowser()
  const page = await browser.open(`${world.issuer}/account`)
  const { account, password } = person
  const back = await browser.submit(page, 'local-form', { account, password })
  console.log(back.status, back.trail, back.html.slice(0, 3000))
  console.log(world.log.slice(-5).join(''))
  t.pass()
})
