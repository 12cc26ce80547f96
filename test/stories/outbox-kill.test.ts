/** The whole program as a process of its own, killed after it promised to tell an app of a logout. */
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { allowingCallsTo } from '../helpers/allowing-calls.ts'
import { openBrowser } from '../helpers/browser.ts'
import { createDatabase, temporaryFolder } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/free-port.ts'
import { startProgram } from '../helpers/program.ts'
import { arrivedAt, openRelyingParty } from '../helpers/relying-party.ts'

const root = join(import.meta.dirname, '..', '..')

/** An app that takes logout tokens and does not answer until it is mended. */
async function openApp(t: ExecutionContext) {
  const tokens: string[] = []
  const state = { hangs: true }
  const server = createServer(async (request, response) => {
    tokens.push(new URLSearchParams(await text(request)).get('logout_token') ?? '')
    if (!state.hangs) response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { tokens, state, uri: `http://localhost:${port}/logout` }
}

test('kill -9 after a logout was acknowledged, while the app hangs: after a restart the app hears it, under the same jti', async (t) => {
  const app = await openApp(t)
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const database = await createDatabase(t)
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    SANDBOX: 'off',
    LOG_LEVEL: 'error',
    DATA_DIR: temporaryFolder(t),
    ...(database.engine === 'postgres' ? { DATABASE_URL: database.url } : {}),
    ...allowingCallsTo(t, new URL(app.uri).origin),
  }
  const cli = (args: string[], input?: string) => {
    const ran = spawnSync(process.execPath, ['bin/citygate.js', ...args], {
      cwd: root,
      env,
      encoding: 'utf8',
      ...(input === undefined ? {} : { input }),
    })
    t.is(ran.status, 0, ran.stderr)
    return ran.stdout
  }
  const outbox = () => JSON.parse(cli(['outbox', 'list', '--json']))

  const program = await startProgram(t, env)
  const person = { account: 'wang@mail.edu.tw', password: 'a long enough password' }
  cli(
    ['user', 'add', '--account', person.account, '--name', '王小明', '--password-stdin'],
    person.password,
  )
  const redirectUri = 'https://app.example/callback'
  const app1 = ['--name', '課程平台', '--type', 'web', '--redirect-uri', redirectUri]
  const logoutUri = ['--backchannel-logout-uri', app.uri, '--first-party', '--json']
  const registration = JSON.parse(cli(['client', 'add', ...app1, ...logoutUri]))
  const rp = openRelyingParty(issuer, registration, redirectUri)
  const browser = openBrowser()
  const back = await browser.submit(await rp.begin(browser), 'local-form', person)
  t.true(arrivedAt(rp, back), back.html)
  const { body } = await rp.redeem(back.url)
  const { payload: idToken } = await rp.verify(body.id_token)

  const page = await browser.open(`${issuer}/session/end`)
  const out = await browser.submit(page, 'sign-out-form', { logout: 'yes' })
  t.is(out.status, 200)
  await eventually(
    async () => app.tokens,
    (tokens) => tokens.length > 0,
  )
  t.is(app.tokens.length, 1)
  await program.end('SIGKILL')
  const [waiting] = outbox()
  t.like(waiting, {
    kind: 'backchannel-logout',
    target: rp.clientId,
    state: 'waiting',
    attempts: 1,
  })

  app.state.hangs = false
  const again = await startProgram(t, env)
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`))
  await eventually(
    async () => app.tokens,
    (tokens) => tokens.length > 1,
    90_000,
  )
  const [before, after] = await Promise.all(
    app.tokens.map((token) => jwtVerify(token, keys, { issuer, audience: rp.clientId })),
  )
  t.is(after?.payload.jti, waiting.id)
  t.is(before?.payload.jti, waiting.id)
  t.is(after?.payload.sub, idToken.sub)
  t.true(
    Number(after?.payload.iat) > Number(before?.payload.iat),
    'made anew, so that it is not stale',
  )
  t.is(after?.protectedHeader.typ, 'logout+jwt')
  t.deepEqual(
    await eventually(
      async () => outbox(),
      (rows) => rows.length === 0,
    ),
    [],
  )

  t.is((await again.end()).exit, 0, 'SIGTERM ends it in order')
})
