/** A pretend county with OpenID 2.0: it says where its endpoint is, shares secrets, asks who is there and signs it. */
import type { RequestListener } from 'node:http'
import Koa, { type Context } from 'koa'
import { writeKeyValue } from '#federation/connectors/openid2/key-value.ts'
import { openid2, serviceTypes } from '#federation/connectors/openid2/namespaces.ts'
import { countyIssuer, type OpenId2County } from '../counties.ts'
import type { CountyPorts } from '../county-ports.ts'
import { askToSignIn } from '../county-sign-in.ts'
import { readForm } from '../form.ts'
import { ruleOf } from '../modes.ts'
import { showPage } from '../pages.ts'
import { findPerson } from '../people.ts'
import { assertionOf } from './openid2/assertion.ts'
import { type Fields, openSecrets } from './openid2/secrets.ts'

/** It keeps nobody signed in: there is no address to sign out at. */
export async function openOpenId2Provider(
  county: OpenId2County,
  ports: CountyPorts,
): Promise<RequestListener> {
  const { routes, id } = county
  const issuer = countyIssuer(ports.sandboxPort, id)
  const endpoint = `${issuer}${routes.endpoint}`
  const secrets = openSecrets(ports.now)

  async function signIn(ctx: Context, request: URLSearchParams) {
    const returnTo = URL.parse(request.get('openid.return_to') ?? '')
    if (!returnTo || returnTo.origin + returnTo.pathname !== ports.citygateCallback(id)) {
      const said = { kind: 'error', error: 'return_to is not in the realm' }
      return showPage(ctx, 'county-message', { county, ...said }, 400)
    }
    const back = (answer: Fields) => {
      for (const [name, value] of Object.entries(answer)) {
        returnTo.searchParams.set(`openid.${name}`, value)
      }
      ctx.redirect(returnTo.href)
      ctx.status = 303
    }
    const mode = await ports.switches.get(id)
    if (ruleOf(mode).refuses) return back({ ns: openid2, mode: 'cancel' })
    const signedIn = await askToSignIn(ctx, county, undefined)
    switch (signedIn.kind) {
      case 'shown':
        return
      case 'cancelled':
        return back({ ns: openid2, mode: 'cancel' })
      case 'known': {
        const { account } = signedIn
        const one = findPerson(id, account)
        if (!one) throw new Error(`${account} is known and is nobody`)
        const claimedId = `${issuer}${routes.person}${account}`
        const asked = { request, endpoint, claimedId, one, now: ports.now(), mode }
        return back(assertionOf(asked, secrets))
      }
    }
  }

  /** Direct communication (§5.1): we are asked by a machine. */
  async function answer(ctx: Context) {
    const asked = await readForm(ctx.req)
    const say = (fields: Fields, status = 200) => {
      ctx.status = status
      ctx.type = 'text/plain'
      ctx.body = writeKeyValue(Object.entries(fields))
    }
    const mode = asked.get('openid.mode')
    const made = mode === 'associate' ? secrets.associate(asked) : undefined
    if (made) return say(made)
    if (mode === 'check_authentication') return say(secrets.check(asked))
    const no = { ns: openid2, error: 'nothing it does' }
    return say(mode === 'associate' ? { ...no, error_code: 'unsupported-type' } : no, 400)
  }

  const app = new Koa()
  app.on('error', (error) => ports.onError(error, id))
  app.use(async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const request = new URLSearchParams(ctx.querystring)
    if (ctx.path === routes.identifier) return showXrds(ctx, serviceTypes.server, endpoint)
    if (ctx.path.startsWith(routes.person)) return showXrds(ctx, serviceTypes.signon, endpoint)
    if (ctx.path !== routes.endpoint) return showPage(ctx, 'lost', {}, 404)
    // Her own form comes to the address with the request in it.
    if (request.get('openid.mode') === 'checkid_setup') return signIn(ctx, request)
    return answer(ctx)
  })
  return app.callback()
}

function showXrds(ctx: Context, type: string, endpoint: string) {
  ctx.type = 'application/xrds+xml'
  ctx.body = `<?xml version="1.0" encoding="UTF-8"?>
<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)">
  <XRD><Service priority="0"><Type>${type}</Type><URI>${endpoint}</URI></Service></XRD>
</xrds:XRDS>
`
}
