/** What the sandbox makes of a deployment's upstreams, and of itself at each start. */
import test from 'ava'
import { loadConfig } from '#config/load.ts'
import { connectAll } from '#sandbox/connections.ts'
import { countyIssuer, upstreams } from '#sandbox/counties.ts'
import { fits, isMode, modes } from '#sandbox/modes.ts'
import { people } from '#sandbox/people.ts'
import { prepareSandbox } from '#sandbox/wiring.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { openCounties } from './counties-world.ts'

const made = {
  sandboxPort: 3002,
  serviceProvider: { key: 'our key', certificate: 'our certificate' },
  directory: { url: 'ldaps://localhost:40636', ca: 'its certificate' },
}

const isAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^(https?|ldaps):/.test(value)

test('what the sandbox has is connected to it, what an operator connected is left alone, the rest is only listed', (t) => {
  const { connectors } = loadConfig({ NTPC_CLIENT_ID: 'real', NTPC_CLIENT_SECRET: 'real' })
  const connected = connectAll(connectors, made)
  const byId = new Map(connected.map((one) => [one.id, one]))
  t.deepEqual(
    byId.get('ntpc'),
    connectors.find(({ id }) => id === 'ntpc'),
  )
  for (const { id, protocol } of upstreams.filter((one) => one.id !== 'ntpc')) {
    const one = byId.get(id)
    t.is(one?.type, protocol)
    t.true(one?.insecure, id)
    t.truthy(one?.credentials, id)
    const addresses = Object.values(one?.settings ?? {}).filter(isAddress)
    t.true(addresses.length > 0, id)
    for (const address of addresses) t.is(new URL(address).hostname, 'localhost', id)
  }
  const { settings, credentials } = byId.get('tp') ?? {}
  t.like(settings, {
    issuer: countyIssuer(3002, 'tp'),
    token_endpoint: 'http://localhost:3002/tp/oauth/token',
    calls: [{ url: 'http://localhost:3002/tp/api/user' }],
  })
  t.truthy(credentials?.clientSecret)
  const open = connected.filter((one) => one.credentials).map(({ id }) => id)
  t.deepEqual(open.sort(), upstreams.map(({ id }) => id).sort())
})

test('those that are in the sandbox only stand behind all others, and say what they are', (t) => {
  const { connectors } = loadConfig({})
  const connected = connectAll(connectors, made)
  t.deepEqual(
    connected.slice(connectors.length).map(({ id }) => id),
    ['saml-school', 'directory'],
  )
  t.deepEqual(
    connected.map(({ order }) => order),
    connected.map(({ order }) => order).sort((a, b) => a - b),
  )
  for (const { label } of connected.slice(connectors.length)) {
    t.regex(label['zh-TW'], /沙盒/)
    t.regex(label.en, /sandbox/)
  }
})

test('an upstream that speaks another protocol than the sandbox’s of that name stays as it is', (t) => {
  const { connectors } = loadConfig({})
  const other = connectors.flatMap((one) =>
    one.type === 'oidc' && !one.credentials && one.id === 'kl' ? [{ ...one, id: 'tn' }] : [],
  )
  t.is(other.length, 1)
  t.deepEqual(connectAll(other, made)[0], other[0])
})

test('every upstream has people who tell what they are by their accounts', (t) => {
  for (const { id } of upstreams) {
    const accounts = (people[id] ?? []).map(({ account }) => account)
    for (const word of ['test', 'pupil', 'na'])
      t.is(accounts.filter((account) => account.endsWith(word)).length, 1, `${id} ${word}`)
  }
  const all = Object.values(people).flatMap((list) => list.map(({ account }) => account))
  t.is(new Set(all).size, all.length)
})

test('a county is offered the faults of its protocol and refuses those of another', async (t) => {
  const counties = await openCounties(t)
  const index = await (await fetch(counties.url)).text()
  for (const upstream of upstreams) {
    const card = index.split(`id="${upstream.id}-mode"`)[1]?.split('</select>')[0] ?? ''
    const offered = [...card.matchAll(/option value="([\w-]+)"/g)].map(([, mode]) => mode)
    t.deepEqual(
      offered,
      Object.keys(modes).filter((mode) => isMode(mode) && fits(mode, upstream)),
    )
    t.true(offered.includes('down'))
  }
  t.is((await counties.switchTo('tn', 'wrong-audience')).status, 400)
  t.is((await counties.switchTo('saml-school', 'wrong-audience')).status, 303)
})

test('certificates are made once: a restart, and a second process beside the first, have the same', async (t) => {
  const dataDir = temporaryFolder(t)
  const config = loadConfig({ DATA_DIR: dataDir })
  const open = async () => {
    const sandbox = await prepareSandbox(config, { demoPort: 3001, sandboxPort: 3002 })
    t.teardown(sandbox.close)
    const { connectors } = sandbox.appPorts
    return ['saml-school', 'directory'].map(
      (one) => connectors.find(({ id }) => id === one)?.credentials,
    )
  }
  const [first, second] = [await open(), await open()]
  t.deepEqual(first, second)
  t.regex(String(first[0]?.privateKey), /^-----BEGIN PRIVATE KEY-----/)
  t.regex(String(first[1]?.ca), /^-----BEGIN CERTIFICATE-----/)
})
