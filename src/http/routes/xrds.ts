/** What an OpenID 2.0 provider reads of us before it sends anybody back (OpenID Authentication 2.0 §13). */
import type Router from '@koa/router'
import type { ConnectorConfig } from '#config/connector.ts'
import { dayOf } from '#federation/days.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import type { Context, Next, State } from '../context.ts'
import type { House } from '../house.ts'

const type = 'application/xrds+xml'
const path = '/xrds'

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** The addresses people come back to from such providers; each stands by its own. */
function documentOf(issuer: string, connectors: ConnectorConfig[]): string {
  const uris = connectors.map(
    ({ id }) => `      <URI>${escaped(ownAddresses(issuer, id).callback)}</URI>\n`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>
<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)">
  <XRD>
    <Service priority="0">
      <Type>http://specs.openid.net/auth/2.0/return_to</Type>
${uris.join('')}    </Service>
  </XRD>
</xrds:XRDS>
`
}

/**
 * The realm is our home page: it says where the document is, and is it for who asks for nothing else. Providers follow
 * no redirect there.
 */
export function xrdsRoutes(router: Router<State>, { config, now }: House): void {
  const known = config.connectors.filter((one) => one.type === 'openid2' && one.credentials)
  if (known.length === 0) return
  const answer = (ctx: Context) => {
    // Those whose day is yet to come as well, and those switched off: staff test them.
    const listed = known.filter((one) => dayOf(one, now()) !== 'over')
    ctx.type = type
    ctx.body = documentOf(config.issuer, listed)
  }

  router.get('xrds', path, answer)

  router.get('home of the realm', '/', (ctx: Context, next: Next) => {
    ctx.set('X-XRDS-Location', `${config.issuer}${path}`)
    ctx.vary('Accept')
    if (!ctx.get('accept').includes(type)) return next()
    answer(ctx)
  })
}
