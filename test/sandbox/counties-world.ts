/** The pretend counties alone, on ports of their own, with a memory a test can hand to the next process. */
import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'
import * as client from 'openid-client'
import { countyClient, countyIssuer } from '#sandbox/counties.ts'
import { openSandbox } from '#sandbox/sandbox.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { freePort } from '../helpers/free-port.ts'

/** What outlives a process: rows of the providers, and small strings. */
export type Kept = { rows: Map<string, AdapterPayload>; strings: Map<string, string> }

export const nothingKept = (): Kept => ({ rows: new Map(), strings: new Map() })

/** Nobody listens at the app's address: the browser stops there. */
const callback = (county: string) => `https://app.example/${county}/callback`

/** Half a second is late enough to see, and quick enough to wait for. */
const slowMs = 500

export type Counties = {
  url: string
  /** The demo app, whose Citygate is nowhere. */
  demo: string
  issuer(county: string): string
  /** A relying party at that county, with the authentication it wants. */
  app(county: string, auth?: 'basic' | 'post'): Promise<client.Configuration>
  switchTo(county: string, mode: string): Promise<Response>
  close(): Promise<void>
}

export async function openCounties(
  t: ExecutionContext,
  kept = nothingKept(),
  port?: number,
): Promise<Counties> {
  const [sandboxPort, demoPort] = await Promise.all([port ?? freePort(), freePort()])
  const demo = { clientId: 'demo', clientSecret: 'demo' }
  const sandbox = await openSandbox({
    issuer: 'http://localhost:1',
    sandboxPort,
    demoPort,
    hosts: ['127.0.0.1'],
    adapter: adapterOf(kept.rows),
    memory: {
      get: async (key) => kept.strings.get(key),
      set: async (key, value) => void kept.strings.set(key, value),
    },
    demoClients: { main: demo, partner: demo },
    citygateCallback: callback,
    slowMs,
  })
  t.teardown(() => sandbox.close())
  const issuerOf = (county: string) => countyIssuer(sandboxPort, county)
  return {
    url: sandbox.countiesUrl,
    demo: sandbox.demoUrl,
    issuer: issuerOf,
    async app(county, auth = county === 'kh' ? 'post' : 'basic') {
      const { clientId, clientSecret } = countyClient(county)
      return client.discovery(
        new URL(issuerOf(county)),
        clientId,
        undefined,
        auth === 'post'
          ? client.ClientSecretPost(clientSecret)
          : client.ClientSecretBasic(clientSecret),
        { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
      )
    },
    switchTo: (county, mode) =>
      fetch(`${sandbox.countiesUrl}/${county}/switch`, {
        method: 'POST',
        body: new URLSearchParams({ mode }),
        redirect: 'manual',
      }),
    close: () => sandbox.close(),
  }
}

/** Every row in one Map, so that a second process finds what the first one left. */
function adapterOf(rows: Kept['rows']): (county: string) => AdapterFactory {
  return (county) =>
    (model): Adapter => {
      const key = (id: string) => `${county}:${model}:${id}`
      const first = async (wanted: (row: AdapterPayload) => boolean) =>
        [...rows].find(([at, row]) => at.startsWith(key('')) && wanted(row))?.[1]
      return {
        find: async (id) => structuredClone(rows.get(key(id))),
        findByUid: (uid) => first((row) => row.uid === uid),
        findByUserCode: (code) => first((row) => row.userCode === code),
        upsert: async (id, payload) => void rows.set(key(id), structuredClone(payload)),
        destroy: async (id) => void rows.delete(key(id)),
        async consume(id) {
          Object.assign(rows.get(key(id)) ?? {}, { consumed: Math.floor(Date.now() / 1000) })
        },
        async revokeByGrantId(grantId) {
          for (const [at, row] of rows) if (row.grantId === grantId) rows.delete(at)
        },
      }
    }
}

/** One trip of one person to one county. */
export type Trip = {
  app: client.Configuration
  county: string
  state: string
  nonce: string
  url: string
}

export async function leave(
  counties: Counties,
  county: string,
  more: Record<string, string> = {},
): Promise<Trip> {
  const app = await counties.app(county)
  const [state, nonce] = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')]
  const parameters = { redirect_uri: callback(county), scope: 'openid', state, nonce, ...more }
  return { app, county, state, nonce, url: client.buildAuthorizationUrl(app, parameters).href }
}

/** Goes there and signs in with the password every pretend person has. */
export async function signIn(
  trip: Trip,
  account = `${trip.county}test`,
  browser: Browser = openBrowser(),
): Promise<Page> {
  const page = await browser.open(trip.url)
  return browser.submit(page, 'county-login', { account, password: account })
}

export function redeem(trip: Trip, back: Page, app = trip.app) {
  return client.authorizationCodeGrant(app, back.url, {
    expectedState: trip.state,
    expectedNonce: trip.nonce,
    idTokenExpected: true,
  })
}
