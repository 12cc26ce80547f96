/** The workloads as a table: each is one complete flow, done over and over by sixteen at once. */
import {
  authorizePaths,
  clientCredentials,
  discover,
  Failure,
  introspect,
  type Paths,
  type Person,
  redeem,
  refresh,
  userinfo,
  walk,
} from './flows.ts'
import { type Browser, type Http, openBrowser, openHttp } from './http.ts'
import { resourceScope, resources, type Site } from './site.ts'

/** What one of the sixteen has at hand: nobody else uses it. */
export type Lane = {
  /** Signed in. */
  browser: Browser
  accessToken: string
  /** Of `offline_access`, renewed with each use. */
  refreshToken: string
}

/** A server with the load in front of it. */
export type Stage = { http: Http; site: Site; person: Person; paths: Paths }

export function openStage(site: Site, person: Person, connections: number): Stage {
  return { http: openHttp(site, connections), site, person, paths: authorizePaths(site, person) }
}

type Workload = (stage: Stage, lane: Lane) => Promise<unknown>

const jwt = (resource: string): Workload => {
  const more = { resource, scope: resourceScope }
  return ({ http, site }) => clientCredentials(http, site, more)
}

export const workloads = {
  async 'full sign-in'({ http, site, paths, person }) {
    const code = await walk(openBrowser(http), site, paths.signIn, person)
    await redeem(http, site, code)
  },
  async silent({ http, site, paths, person }, { browser }) {
    await redeem(http, site, await walk(browser, site, paths.silent, person))
  },
  async refresh({ http, site }, lane) {
    const tokens = await refresh(http, site, lane.refreshToken)
    lane.refreshToken = tokens.refresh_token ?? ''
  },
  'client cred.': ({ http, site }) => clientCredentials(http, site),
  'client cred. RS256 JWT': jwt(resources.RS256),
  'client cred. ES256 JWT': jwt(resources.ES256),
  userinfo: ({ http }, { accessToken }) => userinfo(http, accessToken),
  introspection: ({ http, site }, { accessToken }) => introspect(http, site, accessToken),
  discovery: ({ http, site }) => discover(http, site),
} satisfies Record<string, Workload>

export type WorkloadName = keyof typeof workloads
export const workloadNames = Object.keys(workloads) as WorkloadName[]

/** Signs the stage's person in, twice: for a session, and for a refresh token that outlives it. */
export async function prepareLane({ http, site, paths, person }: Stage): Promise<Lane> {
  const browser = openBrowser(http)
  const tokens = await redeem(http, site, await walk(browser, site, paths.signIn, person))
  const code = await walk(openBrowser(http), site, paths.offline, person)
  const offline = await redeem(http, site, code)
  if (!offline.refresh_token) throw new Failure('no refresh token')
  return { browser, accessToken: tokens.access_token, refreshToken: offline.refresh_token }
}
