/** The whole program as a process of its own, killed in the middle of a sign-in. */
import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import { startProgram } from '../helpers/program.ts'

test('kill -9 between county and callback: after a restart the demo app signs the teacher in', async (t) => {
  const [PORT, DEMO_PORT, SANDBOX_PORT] = await Promise.all([freePort(), freePort(), freePort()])
  const env = {
    PORT: String(PORT),
    DEMO_PORT: String(DEMO_PORT),
    SANDBOX_PORT: String(SANDBOX_PORT),
    DATA_DIR: temporaryFolder(t),
  }
  const demo = `http://localhost:${DEMO_PORT}`
  const program = await startProgram(t, env)
  for (const address of [PORT, DEMO_PORT, SANDBOX_PORT])
    t.true(program.output().includes(String(address)))

  const browser = openBrowser()
  const page = await browser.open(`${demo}/login`)
  const atCounty = await browser.submit(page, 'county-form', { connector: 'ntpc' })
  const sent = await browser.request(atCounty.url.href, {
    method: 'POST',
    body: new URLSearchParams({ account: 'ntpctest', password: 'ntpctest' }),
  })
  const resumed = await browser.request(new URL(sent.headers.get('location') ?? '', sent.url).href)
  const callback = resumed.headers.get('location') ?? ''
  t.true(callback.includes('/upstream/ntpc/callback'), callback)

  await program.end('SIGKILL')
  const again = await startProgram(t, env)
  const back = await browser.open(callback)
  t.is(back.url.href, `${demo}/`)
  const session = JSON.parse((await browser.open(`${demo}/session.json`)).html)
  t.like(session, { id_token_verified: true, userinfo: { name: '林雅雯' } })

  t.is((await again.end()).exit, 0, 'SIGTERM ends it in order')
})

test('a port that is taken is said so, with exit code 69', async (t) => {
  const [PORT, DEMO_PORT, SANDBOX_PORT] = await Promise.all([freePort(), freePort(), freePort()])
  const env = {
    PORT: String(PORT),
    DEMO_PORT: String(DEMO_PORT),
    SANDBOX_PORT: String(SANDBOX_PORT),
  }
  await startProgram(t, { ...env, DATA_DIR: temporaryFolder(t) })
  const error = await t.throwsAsync(startProgram(t, { ...env, DATA_DIR: temporaryFolder(t) }))
  t.regex(error?.message ?? '', /did not start, exit 69/)
  t.regex(error?.message ?? '', /port \d+ on .* is taken by another program; set PORT/)
})
