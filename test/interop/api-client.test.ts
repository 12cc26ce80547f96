/** A program somebody else wrote: a client made from our OpenAPI document, with a token from openid-client. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileErrors, validate } from '@readme/openapi-parser'
import test, { type ExecutionContext } from 'ava'
import * as openid from 'openid-client'
import { apiOf, call, everyOperation, openRobot } from '../helpers/api.ts'
import { runCli } from '../helpers/cli.ts'
import { buildWorld, type World } from '../helpers/world.ts'

type Reply = { status: number; data: Record<string, unknown> }
type Generated = Record<string, (...given: unknown[]) => Promise<Reply>> & {
  defaults: { headers: Record<string, string> }
}

/** TypeScript as oazapfts writes it, run as it is. */
async function generate(t: ExecutionContext, document: unknown): Promise<Generated> {
  const { generateSource } = await import('oazapfts')
  const folder = mkdtempSync(join(tmpdir(), 'citygate-generated-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'openapi.json')
  writeFileSync(file, JSON.stringify(document))
  const source = await generateSource(file, { futureStripLegacyMethods: true })
  const client = join(folder, 'client.ts')
  // It lies outside of our folder: its imports are told where they are.
  const placed = source.replaceAll(/"(@oazapfts\/runtime[^"]*)"/g, (_, name) =>
    JSON.stringify(import.meta.resolve(name)),
  )
  writeFileSync(client, placed)
  return import(pathToFileURL(client).href)
}

async function tokenFor(t: ExecutionContext, world: World, scope: string): Promise<string> {
  const { app } = await openRobot(world, {
    permissions: ['clients.read', 'clients.write', 'people.read'],
    grants: [{ role: 'owner', reach: '' }],
  })
  const config = await openid.discovery(
    new URL(world.issuer),
    app.clientId,
    app.clientSecret,
    undefined,
    { execute: [openid.allowInsecureRequests] },
  )
  const tokens = await openid.clientCredentialsGrant(config, { scope, resource: apiOf(world) })
  t.is(tokens.expires_in, 600)
  return tokens.access_token
}

test('a client made from the OpenAPI document lists, makes and changes apps, and lists people', async (t) => {
  const world = await buildWorld(t)
  const { body: document } = await call(apiOf(world), undefined, 'GET', '/openapi.json')
  const api = await generate(t, document)
  const token = await tokenFor(t, world, 'admin:clients.read admin:clients.write admin:people.read')
  api.defaults.headers.authorization = `Bearer ${token}`
  const ask = (name: string, ...given: unknown[]) => {
    const made = api[name]
    if (!made) throw new Error(`the client has no ${name}`)
    return made(...given)
  }

  const settings = { name: '課程平台', kind: 'web', redirectUris: ['https://app.example/back'] }
  const made = await ask('clientsCreate', settings)
  t.is(made.status, 201)
  const { id, version } = made.data as { id: string; version: number }
  const listed = await ask('clientsList', { q: '課程', limit: 5 })
  t.is(listed.status, 200)
  t.like(listed.data, { items: [{ id, name: '課程平台' }] })
  const changed = await ask('clientsUpdate', id, { version, name: '學習平台' })
  t.is(changed.status, 200)
  t.is((await ask('clientsGet', id)).data.name, '學習平台')
  t.is((await ask('clientsUpdate', id, { version, name: '又一個' })).status, 409)
  const refused = await ask('clientsCreate', {
    ...settings,
    redirectUris: ['http://app.example/*'],
  })
  t.is(refused.status, 422)

  await world.buildPerson({ name: '林小華' })
  const people = await ask('peopleList', { q: '林小華' })
  t.is(people.status, 200)
  t.like(people.data, { items: [{ name: '林小華' }] })
})

test('the OpenAPI document is valid, names every operation, and the command line prints the same', async (t) => {
  const world = await buildWorld(t)
  const { body: document } = await call(apiOf(world), undefined, 'GET', '/openapi.json')
  const result = await validate(structuredClone(document))
  t.true(result.valid, result.valid ? '' : compileErrors(result))
  t.deepEqual(result.warnings, [])

  const described = Object.values(document.paths).flatMap((path) =>
    Object.values(path as Record<string, { operationId: string }>).map((one) => one.operationId),
  )
  t.deepEqual(described.toSorted(), everyOperation.map(({ id }) => id).toSorted())
  const { flows } = document.components.securitySchemes.oauth2
  for (const path of Object.values(document.paths)) {
    for (const one of Object.values(path as Record<string, { security: [{ oauth2: string[] }] }>)) {
      const [{ oauth2 }] = one.security
      t.true(oauth2.every((scope) => scope in flows.clientCredentials.scopes))
    }
  }
  t.notRegex(JSON.stringify(document), /#\/\$defs\//)

  const { exit, out } = runCli(['api', 'openapi'], {
    env: { PORT: String(world.ports[0]), DATA_DIR: world.dataDir },
  })
  t.is(exit, 0)
  t.deepEqual(JSON.parse(out), document)
})
