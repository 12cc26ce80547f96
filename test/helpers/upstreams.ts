/** A canned upstream in place of a county's, or of none. */
import type { Connector, UpstreamIdentity } from '#federation/connector.ts'
import type { Browser, Page } from './browser.ts'
import { buildIdentity } from './people.ts'
import type { World } from './world.ts'

/** People are sent there, tests are run there, and what it says of sign-outs is heard. */
export function connectUpstream({ house }: Pick<World, 'house'>, connector: Connector): void {
  for (const map of Object.values(house.upstreams))
    (map as Map<string, Connector>).set(connector.id, connector)
}

/** Connects a county that vouches for whatever a test says, without asking anybody, as a county with a session does. */
export function connectVouching(
  world: Pick<World, 'house'>,
  id: string,
  said: () => Partial<UpstreamIdentity>,
): void {
  const connector: Connector = {
    id,
    origins: [`https://${id}.example`],
    servers: [],
    probe: async () => {},
    begin: async ({ callbackUrl, state }) => ({
      url: `${callbackUrl}?state=${state}&code=x`,
      memo: {},
    }),
    complete: async () =>
      buildIdentity({ connector: id, issuer: `https://${id}.example`, ...said() }),
  }
  connectUpstream(world, connector)
}

/** Signs in at a county's page and stops before our callback is opened; its address. */
export async function stopBeforeCallback(browser: Browser, atCounty: Page): Promise<string> {
  const account = `${atCounty.url.pathname.split('/')[1]}test`
  let next = await browser.request(atCounty.url.href, {
    method: 'POST',
    body: new URLSearchParams({ account, password: account }),
  })
  for (;;) {
    const location = next.headers.get('location')
    if (!location) throw new Error(`${next.status} on the way back: ${next.html}`)
    const { pathname, href } = new URL(location, next.url)
    if (pathname.startsWith('/upstream/')) return href
    next = await browser.request(href)
  }
}
