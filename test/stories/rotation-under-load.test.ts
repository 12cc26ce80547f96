/** Two processes on one database, asked for tokens all the while their signing key is replaced. */
import { spawn, spawnSync } from 'node:child_process'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, jwtVerify } from 'jose'
import { temporaryFolder } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/free-port.ts'
import { later, startProgram, until, writeConfig } from '../helpers/program.ts'

const root = join(import.meta.dirname, '..', '..')
const api = 'https://api.cloud.edu.tw/learning'
const ahead = 6

/** Educloud's rules, with days turned into seconds. */
const quickKeys = `\nkeys:\n  publish_ahead_seconds: ${ahead}\n  jwks_max_age_seconds: 2\n  follow_seconds: 1\n`

/** Asks one of the processes behind the one address apps know. */
function openCopies(issuer: string, ports: number[]) {
  return async (port: number, path: string, form?: { body: string; authorization: string }) => {
    const { authorization, body } = form ?? {}
    const sent = request({
      // A kept connection would have been closed at its other end while a command runs and we hear nothing.
      agent: false,
      host: '127.0.0.1',
      port,
      path,
      method: form ? 'POST' : 'GET',
      headers: {
        host: new URL(issuer).host,
        ...(authorization && { authorization }),
        ...(body && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
    })
    const answered = new Promise<{ status: number; cache: string; body: string }>(
      (resolve, reject) => {
        sent.once('error', reject)
        sent.once('response', async (response) => {
          const cache = String(response.headers['cache-control'])
          resolve({ status: response.statusCode ?? 0, cache, body: await text(response) })
        })
      },
    )
    if (!ports.includes(port)) throw new Error('nobody listens there')
    sent.end(body)
    return answered
  }
}

test('while a signing key is replaced under load, stock clients that keep our keys as long as they may verify every token', async (t) => {
  const ports = [await freePort(), await freePort()] as const
  const [first, second] = ports
  const issuer = `http://localhost:${first}`
  const env = {
    PATH: process.env.PATH,
    ISSUER: issuer,
    HOST: '127.0.0.1',
    SANDBOX: 'off',
    LOG_LEVEL: 'error',
    DATA_DIR: temporaryFolder(t),
    CITYGATE_CONFIG: writeConfig(t, quickKeys),
  }
  const cli = (...args: string[]) => {
    const ran = spawnSync(process.execPath, ['bin/citygate.js', ...args], {
      cwd: root,
      env,
      encoding: 'utf8',
    })
    t.is(ran.status, 0, ran.stderr)
    return ran.stdout
  }
  await startProgram(t, { ...env, PORT: String(first) })
  await startProgram(t, { ...env, PORT: String(second) })
  const machine = JSON.parse(cli('client', 'add', '--name', '機器', '--type', 'machine', '--json'))
  const ask = openCopies(issuer, [...ports])
  const secret = Buffer.from(`${machine.client_id}:${machine.client_secret}`).toString('base64')

  async function takeToken(port: number): Promise<string> {
    const parameters = {
      grant_type: 'client_credentials',
      resource: api,
      scope: 'learning:read',
    }
    const body = new URLSearchParams(parameters).toString()
    const answer = await ask(port, '/token', { body, authorization: `Basic ${secret}` })
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`)
    return JSON.parse(answer.body).access_token
  }

  /** Reads the keys of now one process, now the other, and keeps them as long as the answer allows, not a moment less. */
  let turn = 0
  const openKeySet = (cacheMaxAge: number) =>
    createRemoteJWKSet(new URL(`${issuer}/jwks`), {
      cacheMaxAge,
      // It never asks again for a key it does not know: every such token is a failure.
      cooldownDuration: Infinity,
      [customFetch]: async () => {
        const { status, body } = await ask(turn++ % 2 ? first : second, '/jwks')
        return new Response(body, { status })
      },
    })
  const [, maxAge] = /^public, max-age=(\d+)$/.exec((await ask(first, '/jwks')).cache) ?? []
  t.is(maxAge, '2')
  // Several, each of which read our keys at another moment of the two seconds.
  const keySets = Array.from({ length: 5 }, () => openKeySet(Number(maxAge) * 1000))
  for (const keySet of keySets) {
    await keySet.reload()
    await later(400)
  }
  const seen: { port: number; kid: string; at: number }[] = []
  const failures: string[] = []
  let running = true

  async function load(port: number): Promise<void> {
    while (running) {
      try {
        const token = await takeToken(port)
        const kid = String(decodeProtectedHeader(token).kid)
        seen.push({ port, kid, at: Date.now() })
        for (const keySet of keySets) await jwtVerify(token, keySet, { issuer, audience: api })
      } catch (error) {
        failures.push(String(error))
      }
      await later(90)
    }
  }
  const kids = () => new Set(seen.map(({ kid }) => kid))
  const loads = [first, second, first, second].map(load)
  await later(1_000)
  const [old] = kids()
  const rotatedAt = Date.now()
  const rotating = spawn(process.execPath, ['bin/citygate.js', 'key', 'rotate', '--alg', 'RS256'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await text(rotating.stdout)
  const [, fresh = '', from = ''] =
    /^(\S+) RS256 is published and signs from (\S+)/.exec(said) ?? []
  t.truthy(fresh, said)
  const everywhere = () =>
    ports.every((port) => seen.some((one) => one.port === port && one.kid === fresh))
  t.true(await until(everywhere), 'both processes follow')
  await later(2_500)
  t.true(await until(() => seen.length >= 300), `${seen.length} tokens`)
  running = false
  await Promise.all(loads)

  t.deepEqual(failures, [])
  t.deepEqual([...kids()], [old, fresh])
  const begun = Math.min(...seen.filter(({ kid }) => kid === fresh).map(({ at }) => at))
  // Times are in whole seconds.
  const announced = Date.parse(from) - rotatedAt
  t.true(announced > (ahead - 1) * 1000, `announced ${announced} ms before`)
  t.true(begun >= Date.parse(from), `signed ${begun - rotatedAt} ms after`)

  // The measure works: unannounced, the same client meets a key it does not know; and a revoked key is gone.
  const patient = openKeySet(Infinity)
  await patient.reload()
  const [, replaced = ''] =
    /^(\S+) RS256 signs/.exec(cli('key', 'rotate', '--alg', 'RS256', '--now')) ?? []
  const kidOf = (token: string) => decodeProtectedHeader(token).kid
  const unannounced = await eventually(
    () => takeToken(second),
    (token) => kidOf(token) === replaced,
  )
  t.is(kidOf(unannounced), replaced)
  await t.throwsAsync(jwtVerify(unannounced, patient), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
  t.regex(cli('key', 'revoke', fresh), /^revoked/)
  for (const port of ports) {
    const published = async (): Promise<string[]> =>
      JSON.parse((await ask(port, '/jwks')).body)
        .keys.filter(({ alg }: { alg: string }) => alg === 'RS256')
        .map(({ kid }: { kid: string }) => kid)
    t.deepEqual(await eventually(published, (all) => !all.includes(fresh)), [replaced, old])
  }
  t.log(`${seen.length} tokens, first with the new key ${begun - rotatedAt} ms after the command`)
})
