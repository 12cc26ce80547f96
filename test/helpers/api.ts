/** Programs and people at our API. */
import type { Operation } from '#admin/operation.ts'
import { operations } from '#admin/operations.ts'
import { type Grant, type Permission, scopeOf } from '#admin/staff.ts'
import { streams } from '#admin/streams.ts'
import type { Browser } from './browser.ts'
import { arrivedAt, type RelyingParty } from './relying-party.ts'
import type { World } from './world.ts'

export type Called = {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what an answer holds, and fails where it does not.
  body: any
}

/** One call, as a program makes it. */
export async function call(
  base: string,
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Called> {
  const response = await fetch(`${base}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : {
          body:
            typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
        }),
  } as RequestInit)
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith('{') ? JSON.parse(text) : text,
  }
}

export const apiOf = (world: World): string => `${world.issuer}/api/v1`

export const scopesOf = (permissions: readonly Permission[]): string =>
  permissions.map(scopeOf).join(' ')

/** A program with roles of its own and a token by its client credentials. */
export async function openRobot(
  world: World,
  { permissions, grants }: { permissions: readonly Permission[]; grants: readonly Grant[] },
) {
  const scopes = permissions.map(scopeOf)
  const app = await world.buildApp({ type: 'machine', name: '機器人', scopes })
  const holder = `client:${app.clientId}`
  for (const { role, reach } of grants) {
    const row = { holder, role, reach, grantedAt: 1, grantedBy: 'operator:test' }
    await world.house.store.staffRoles.grant(row)
  }
  const { body } = await app.token({
    grant_type: 'client_credentials',
    scope: scopes.join(' '),
    resource: apiOf(world),
  })
  const token = body.access_token
  return {
    app,
    holder,
    token,
    call: (method: string, path: string, more?: unknown) =>
      call(apiOf(world), token, method, path, more),
  }
}

/** A token of somebody signed in in this browser, by the authorization code, at an app that may ask for it. */
export async function tokenOf(
  world: World,
  browser: Browser,
  app: RelyingParty,
  scope: string,
): Promise<string> {
  const resource = apiOf(world)
  const page = await app.begin(browser, { scope, resource, nonce: null })
  if (!arrivedAt(app, page)) throw new Error(`stopped at ${page.url}`)
  const { body } = await app.redeem(page.url, { resource })
  if (!body.access_token) throw new Error(JSON.stringify(body))
  return body.access_token
}

/** Every operation, those whose body or answer is a CSV too. */
export const everyOperation: readonly Operation[] = [
  ...operations,
  ...streams.map(({ operation }) => operation),
]

const takesCsv = new Set(
  streams.flatMap(({ kind, operation }) => (kind === 'takes' ? [operation] : [])),
)

/** Sends an operation fields, where it has them; what stands in its path is nowhere to be found. */
export function send(
  base: string,
  token: string | undefined,
  operation: Operation,
  json: string,
): Promise<Called> {
  const { method } = operation
  const path = operation.path.replaceAll(/\{\w+\}/g, 'nothing-there')
  const query = () => `${path}?${new URLSearchParams(JSON.parse(json))}`
  if (takesCsv.has(operation)) {
    return call(base, token, method, query(), 'account', { 'content-type': 'text/csv' })
  }
  return method === 'GET' || method === 'DELETE'
    ? call(base, token, method, query())
    : call(base, token, method, path, json)
}
