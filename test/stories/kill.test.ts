/** The whole program as a process of its own, killed in the middle of a sign-in. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/world.ts'

const root = join(import.meta.dirname, '..', '..')

async function start(
  t: ExecutionContext,
  env: NodeJS.ProcessEnv,
): Promise<{ child: ChildProcess; output: string }> {
  const child = spawn(process.execPath, ['bin/citygate.js', 'serve'], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      if (output.includes('the password is')) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('close', (code) => reject(new Error(`did not start, exit ${code}: ${output}`)))
  })
  return { child, output }
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))

test('kill -9 between county and callback: after a restart the demo app signs the teacher in', async (t) => {
  const [PORT, DEMO_PORT, SANDBOX_PORT] = await Promise.all([freePort(), freePort(), freePort()])
  const env = {
    PORT: String(PORT),
    DEMO_PORT: String(DEMO_PORT),
    SANDBOX_PORT: String(SANDBOX_PORT),
    DATA_DIR: temporaryFolder(t),
  }
  const demo = `http://localhost:${DEMO_PORT}`
  const { child, output } = await start(t, env)
  for (const address of [PORT, DEMO_PORT, SANDBOX_PORT]) t.true(output.includes(String(address)))

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

  const gone = ended(child)
  child.kill('SIGKILL')
  await gone
  const again = await start(t, env)
  const back = await browser.open(callback)
  t.is(back.url.href, `${demo}/`)
  const session = JSON.parse((await browser.open(`${demo}/session.json`)).html)
  t.like(session, { id_token_verified: true, userinfo: { name: '林雅雯' } })

  const stopped = ended(again.child)
  again.child.kill('SIGTERM')
  t.is(await stopped, 0, 'SIGTERM ends it in order')
})

test('a port that is taken is said so, with exit code 69', async (t) => {
  const [PORT, DEMO_PORT, SANDBOX_PORT] = await Promise.all([freePort(), freePort(), freePort()])
  const env = {
    PORT: String(PORT),
    DEMO_PORT: String(DEMO_PORT),
    SANDBOX_PORT: String(SANDBOX_PORT),
  }
  await start(t, { ...env, DATA_DIR: temporaryFolder(t) })
  const error = await t.throwsAsync(start(t, { ...env, DATA_DIR: temporaryFolder(t) }))
  t.regex(error?.message ?? '', /did not start, exit 69/)
  t.regex(error?.message ?? '', /port \d+ on .* is taken by another program; set PORT/)
})
