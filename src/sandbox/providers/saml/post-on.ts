/** The page that brings a response on: a form the browser sends by itself, or a press of its button does. */
import { hash } from 'node:crypto'
import type { Context } from 'koa'
import type { SamlCounty } from '../../counties.ts'
import { pagePolicy, showPage } from '../../pages.ts'

const script = 'document.forms[0].submit()'
const policy = `${pagePolicy}; script-src 'sha256-${hash('sha256', script, 'base64')}'`

export type Sent = {
  county: SamlCounty
  action: string
  xml: string
  relayState: string
}

export async function postOn(ctx: Context, { county, action, xml, relayState }: Sent) {
  const fields = { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: relayState }
  await showPage(ctx, 'county-post', { county, action, fields, script })
  ctx.set('Content-Security-Policy', policy)
}
