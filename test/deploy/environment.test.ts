/** What the files below deploy/ tell the program is what the program reads. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '#config/load.ts'
import { environment } from '#config/schema.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { buildWorld } from '../helpers/world.ts'
import { root, shapes } from './shapes.ts'

/** Read by Node and by OpenTelemetry's own code. */
const ofOthers = /^(NODE_OPTIONS|NODE_COMPILE_CACHE|OTEL_[A-Z_]+)$/

/** What the connectors of every site name. */
const credentials = readdirSync(join(root, 'config'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.yaml'))
  .flatMap((path) => [
    ...readFileSync(join(root, 'config', path), 'utf8').matchAll(/_env: ([A-Z0-9_]+)/g),
  ])
  .map(([, name = '']) => name)

const known = new Set([...Object.keys(environment.shape), ...credentials])

for (const { name, named } of shapes())
  test(`${name} names only variables that the program reads`, (t) => {
    t.true(named.length > 0)
    t.deepEqual(
      named.filter((one) => !known.has(one) && !ofOthers.test(one)),
      [],
    )
  })

for (const { name, set, offered } of shapes())
  test(`${name} is a valid configuration for production, also with all it offers`, (t) => {
    const folder = temporaryFolder(t)
    const kek = join(folder, 'kek')
    writeFileSync(kek, randomBytes(32).toString('base64'))
    // The image alone leaves out what no default can know.
    const issuer = name === 'the image' ? { ISSUER: 'https://id.example.gov.tw' } : {}
    const all = { ...set, ...issuer, CITYGATE_KEK_FILE: kek }
    const config = loadConfig(all, root)
    t.notThrows(() => loadConfig({ ...all, ...offered }, root))
    t.true(config.production)
    t.is(config.sandbox, undefined)
    t.is(config.issuer, 'https://id.example.gov.tw')
    t.is(config.port, 3000, 'the port that probes, proxies and services name')
  })

test('every health address that deploy/ names answers, and by any name', async (t) => {
  const files = readdirSync(join(root, 'deploy'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ya?ml|conf|service|md)$/.test(path))
    .map((path) => join(root, 'deploy', path))
  const named = new Set(
    [...files, join(root, 'Dockerfile')].flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\/health\/[a-z]+/g)].map(([path]) => path),
    ),
  )
  t.deepEqual([...named].sort(), ['/health/live', '/health/ready'])
  const world = await buildWorld(t)
  // Orchestrators ask by address: the host is not the issuer's.
  const origin = `http://127.0.0.1:${world.ports[0]}`
  for (const path of named) t.is((await fetch(`${origin}${path}`)).status, 200, path)
})
