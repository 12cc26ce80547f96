/** An OpenID Provider nobody here wrote, in C, stands in for a county. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import test from 'ava'
import { type ConnectorFile, connectorFile } from '#config/connector.ts'
import { UpstreamError } from '#errors.ts'
import { openOidcConnector } from '#federation/connectors/oidc.ts'
import { moeEduinfo } from '#federation/profiles/moe-eduinfo.ts'
import { lendFederation } from '../federation/lend.ts'
import { ensurePackages, peerPackages, unpackPackage } from '../helpers/debian.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/free-port.ts'

const callback = 'https://id.example/upstream/county/callback'
const person = { username: 'wang', name: '王小明', email: 'wang@county.example' }
const password = 'wang-password'
let base = ''
let folder = ''
let program: ChildProcess | undefined

/** A browser of its admin's, or of somebody's: it keeps cookies and speaks to its API as its pages do. */
function openVisitor() {
  const cookies = new Map<string, string>()
  return async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(path.startsWith('http') ? path : `${base}/api${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(body ? { 'content-type': 'application/json' } : {}),
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    return answer
  }
}

test.before('glewlwyd runs, with one client and one teacher', async (t) => {
  await ensurePackages(peerPackages.glewlwyd)
  folder = mkdtempSync(join(tmpdir(), 'glewlwyd-'))
  await unpackPackage('glewlwyd', folder)
  const docs = join(folder, 'usr/share/doc/glewlwyd')
  const read = (name: string) => gunzipSync(readFileSync(join(docs, name))).toString()
  const database = join(folder, 'glewlwyd.db')
  spawnSync('sqlite3', [database], { input: read('database/init.sqlite3.sql.gz') })
  const port = await freePort()
  base = `http://localhost:${port}`
  const settings = read('glewlwyd.conf.sample.gz')
    .replace(/^port=.*/m, `port=${port}\nbind_address="127.0.0.1"`)
    .replace(/^external_url=.*/m, `external_url="${base}"`)
    .replace(/^cookie_secure=1/m, 'cookie_secure=0')
    .replace('/var/cache/glewlwyd/glewlwyd.db', database)
    .replaceAll('"/usr/lib/glewlwyd', `"${join(folder, 'usr/lib/glewlwyd')}`)
  mkdirSync(join(folder, 'usr/lib/glewlwyd/user_middleware'), { recursive: true })
  writeFileSync(join(folder, 'glewlwyd.conf'), settings)
  program = spawn(
    join(folder, 'usr/bin/glewlwyd'),
    [`--config-file=${join(folder, 'glewlwyd.conf')}`],
    { stdio: 'ignore' },
  )
  await eventually(
    () => fetch(`${base}/config`).catch(() => undefined),
    (answer) => answer !== undefined,
  )

  const admin = openVisitor()
  await admin('POST', '/auth/', { username: 'admin', password: 'password' })
  const pem = { type: 'pkcs8', format: 'pem' } as const
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: pem,
    publicKeyEncoding: { ...pem, type: 'spki' },
  })
  const on = (...names: string[]) => Object.fromEntries(names.map((name) => [name, true]))
  const made = [
    await admin('POST', '/mod/plugin/', {
      module: 'oidc',
      name: 'oidc',
      enabled: true,
      parameters: {
        iss: `${base}/api/oidc`,
        'jwt-type': 'rsa',
        'jwt-key-size': '256',
        key: privateKey,
        cert: publicKey,
        'access-token-duration': 3600,
        'refresh-token-duration': 3600,
        'code-duration': 60,
        'subject-type': 'public',
        'name-claim': 'on-demand',
        'name-claim-scope': ['openid'],
        'email-claim': 'on-demand',
        'email-claim-scope': ['openid'],
        'session-cookie-name': 'GLEWLWYD2_OIDC_SID',
        'session-cookie-expiration': 3600,
        scope: [],
        'additional-parameters': [],
        ...on('auth-type-code-enabled', 'auth-type-id-token-enabled', 'jwks-show', 'pkce-allowed'),
        ...on('session-management-allowed', 'allow-non-oidc'),
      },
    }),
    await admin('POST', '/client/', {
      client_id: 'citygate',
      client_secret: '4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a',
      confidential: true,
      enabled: true,
      redirect_uri: [callback],
      authorization_type: ['code'],
      token_endpoint_auth_method: ['client_secret_basic'],
      scope: [],
    }),
    await admin('POST', '/user/', { ...person, password, enabled: true, scope: ['openid'] }),
  ]
  t.deepEqual(
    made.map(({ status }) => status),
    [200, 200, 200],
  )
})

test.after.always(() => {
  program?.kill('SIGKILL')
  if (folder) rmSync(folder, { recursive: true })
})

function openCounty(more: Record<string, unknown> = {}) {
  const file = connectorFile.parse({
    id: 'county',
    type: 'oidc',
    label: { 'zh-TW': '某縣', en: 'Some County' },
    order: 1,
    profile: 'moe-eduinfo',
    settings: {
      issuer: 'https://county.example',
      client_id_env: 'ID',
      client_secret_env: 'SECRET',
      scopes: ['openid'],
    },
  }) as Extract<ConnectorFile, { type: 'oidc' }>
  const credentials = { clientId: 'citygate', clientSecret: '4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a' }
  const settings = { ...file.settings, issuer: `${base}/api/oidc`, ...more }
  const opening = { ...file, settings, credentials, insecure: true }
  return openOidcConnector(opening, moeEduinfo, lendFederation({ fetch }))
}

/** Leaves, signs in there and comes back with what the browser brings. */
async function travel(connector: ReturnType<typeof openCounty>) {
  const trip = {
    callbackUrl: callback,
    passwordUrl: '',
    state: 'st1',
    fresh: false,
    locales: ['zh-TW'],
  }
  const { url, memo } = await connector.begin(trip)
  const visitor = openVisitor()
  await visitor('POST', '/auth/', { username: person.username, password })
  await visitor('PUT', '/auth/grant/citygate', { scope: 'openid' })
  const back = await visitor('GET', `${url}&g_continue`)
  return { memo, url: new URL(back.headers.get('location') ?? '') }
}

test.serial('a teacher signs in at glewlwyd', async (t) => {
  const connector = openCounty()
  await connector.probe()
  const { memo, url } = await travel(connector)
  const identity = await connector.complete({ url, state: 'st1' }, memo)
  t.like(identity, {
    issuer: `${base}/api/oidc`,
    profile: { name: person.name, email: person.email },
    affiliations: [],
    openid2Ids: [],
  })
  t.regex(identity.subject, /./)
  const again = await travel(connector)
  const twice = await connector.complete({ url: again.url, state: 'st1' }, again.memo)
  t.is(twice.subject, identity.subject)
})

test.serial('a code of glewlwyd’s is good once, and for the trip it was asked on', async (t) => {
  const connector = openCounty()
  const [first, second] = [await travel(connector), await travel(connector)]
  const swapped = connector.complete({ url: first.url, state: 'st1' }, second.memo)
  await t.throwsAsync(swapped, { instanceOf: UpstreamError })
  await connector.complete({ url: second.url, state: 'st1' }, second.memo)
  const replayed = connector.complete({ url: second.url, state: 'st1' }, second.memo)
  await t.throwsAsync(replayed, { instanceOf: UpstreamError })
})

test.serial('who has another secret, or expects another issuer, is not served', async (t) => {
  const stranger = openCounty({ issuer: `${base}/api/oidc/` })
  await t.throwsAsync(stranger.probe(), { instanceOf: UpstreamError })
})
