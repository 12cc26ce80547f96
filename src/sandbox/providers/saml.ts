/** A pretend school as a SAML 2.0 identity provider: signed requests in, signed and encrypted answers out. */
import { hash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import Koa, { type Context } from 'koa'
import { instant } from '#federation/connectors/saml/instants.ts'
import { logoutRequest, logoutResponse } from '#federation/connectors/saml/messages.ts'
import { persistent } from '#federation/connectors/saml/name-id.ts'
import { openOwnKey } from '#federation/connectors/saml/own-key.ts'
import { type Arrived, readRedirect, redirectTo } from '#federation/connectors/saml/redirect.ts'
import { attribute, isNamed, only, parseXml, textOf } from '#federation/connectors/saml/xml.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import { countyIssuer, type SamlCounty } from '../counties.ts'
import type { CountyPorts } from '../county-ports.ts'
import { askToSignIn } from '../county-sign-in.ts'
import { readForm } from '../form.ts'
import { cookieKey, keptCertificate } from '../memory.ts'
import { ruleOf } from '../modes.ts'
import { showPage } from '../pages.ts'
import { findPerson } from '../people.ts'
import { identityProviderMetadata, newId, responseXml, type Said } from './saml/answers.ts'
import { attributesOf } from './saml/attributes.ts'
import { answerIn } from './saml/lies.ts'
import { postOn } from './saml/post-on.ts'
import { signRoot } from './saml/sealed-xml.ts'
import { openSchoolSessions } from './saml/sessions.ts'

/** Its key and certificate are made on the first call ever, and remembered. */
export async function openSamlProvider(
  county: SamlCounty,
  ports: CountyPorts,
): Promise<RequestListener> {
  const { id, routes } = county
  const address = (path: string) => countyIssuer(ports.sandboxPort, id) + path
  const entityId = address(routes.metadata)
  const own = ownAddresses(ports.citygate.replace(/\/$/, ''), id)
  const [school, citygate, cookies] = await Promise.all([
    keptCertificate(ports.memory, id, { commonName: county.label.en }),
    keptCertificate(ports.memory, 'service-provider', { commonName: 'Citygate in the sandbox' }),
    cookieKey(ports.memory, id),
  ])
  const { key } = openOwnKey({ privateKey: school.key, certificate: school.certificate })()
  const sessions = openSchoolSessions(id, ports.now)

  /** What Citygate signed and sent here; a message for the person where it did not. */
  async function read(ctx: Context, name: string) {
    let arrived: Arrived
    let root: Element
    try {
      arrived = readRedirect(ctx.search, [citygate.certificate])
      root = await parseXml(arrived.xml, 'message')
    } catch (error) {
      return complain(ctx, error instanceof Error ? error.message : 'unreadable')
    }
    const from = textOf(only(root, 'assertion', 'Issuer'))
    if (!isNamed(root, 'protocol', name) || from !== own.metadata)
      return complain(ctx, `not a ${name} of ${own.metadata}`)
    return { root, relayState: arrived.relayState, id: attribute(root, 'ID') ?? '' }
  }

  async function complain(ctx: Context, description: string): Promise<undefined> {
    const said = { error: 'invalid_request', error_description: description }
    await showPage(ctx, 'county-message', { county, kind: 'error', ...said }, 400)
  }

  async function signIn(ctx: Context) {
    const request = await read(ctx, 'AuthnRequest')
    if (!request) return
    const { root, relayState = '' } = request
    if (attribute(root, 'AssertionConsumerServiceURL') !== ports.citygateCallback(id))
      return complain(ctx, 'AssertionConsumerServiceURL is not registered')
    const envelope = {
      issuer: entityId,
      destination: ports.citygateCallback(id),
      inResponseTo: request.id,
      at: ports.now(),
    }
    const send = (xml: string) =>
      postOn(ctx, { county, action: envelope.destination, xml, relayState })
    const refuse = async (why: string) =>
      send(await signRoot(responseXml(envelope, ['Responder', why]), school))
    const mode = await ports.switches.get(id)
    if (ruleOf(mode).refuses) return refuse('RequestDenied')
    const known = attribute(root, 'ForceAuthn') === 'true' ? undefined : sessions.find(ctx)
    const session = known ?? (await askWho(ctx))
    if (session === 'cancelled') return refuse('AuthnFailed')
    const one = session && findPerson(id, session.account)
    if (!one) return
    const said: Said = {
      ...envelope,
      recipient: envelope.destination,
      audience: own.metadata,
      authenticatedAt: session.at,
      nameId: { value: nameOf(session.account), format: persistent },
      sessionIndex: session.index,
      attributes: attributesOf(one),
    }
    return send(await answerIn(mode, said, { school, citygate: citygate.certificate }))
  }

  async function askWho(ctx: Context) {
    const signedIn = await askToSignIn(ctx, county, undefined)
    switch (signedIn.kind) {
      case 'shown':
        return undefined
      case 'cancelled':
        return 'cancelled'
      case 'known':
        return sessions.begin(ctx, signedIn)
    }
  }

  /** The same at every sign-in, and nobody's at another service. */
  const nameOf = (account: string) => hash('sha256', `${id}|${own.metadata}|${account}`)

  async function signOut(ctx: Context) {
    if (ctx.query.SAMLRequest !== undefined) return answerSignOut(ctx)
    if (ctx.query.SAMLResponse !== undefined) {
      if (await read(ctx, 'LogoutResponse')) await showOut(ctx)
      return
    }
    if (ctx.method !== 'POST') {
      const form = '<form id="op.logoutForm" method="post"></form>'
      return showPage(ctx, 'county-sign-out', { county, form })
    }
    if ((await readForm(ctx.req)).get('logout') === 'yes') return beginSignOut(ctx)
    return redirect(ctx, '/')
  }

  const showOut = (ctx: Context) => showPage(ctx, 'county-message', { county, kind: 'out' })

  const envelopeTo = (destination: string) => ({
    id: newId(),
    at: instant(ports.now()),
    issuer: entityId,
    destination,
  })

  /** She signed out at Citygate, and wants to be signed out here. */
  async function answerSignOut(ctx: Context) {
    const request = await read(ctx, 'LogoutRequest')
    if (!request) return
    sessions.end(ctx)
    const xml = logoutResponse(envelopeTo(own.logout), request.id)
    const { relayState } = request
    redirect(ctx, redirectTo(own.logout, { kind: 'SAMLResponse', xml, relayState }, key))
  }

  /** She signs out here, and Citygate is told. */
  async function beginSignOut(ctx: Context) {
    const session = sessions.find(ctx)
    sessions.end(ctx)
    if (!session) return showOut(ctx)
    const nameId = { value: nameOf(session.account), format: persistent }
    const told = { nameId, sessionIndex: session.index }
    const xml = logoutRequest(envelopeTo(own.logout), told)
    redirect(ctx, redirectTo(own.logout, { kind: 'SAMLRequest', xml }, key))
  }

  const app = new Koa()
  app.keys = [cookies]
  app.on('error', (error) => ports.onError(error, id))
  app.use((ctx) => {
    switch (ctx.path) {
      case routes.metadata:
        ctx.type = 'application/samlmetadata+xml'
        ctx.body = identityProviderMetadata({
          entityId,
          signIn: address(routes.signIn),
          signOut: address(routes.signOut),
          certificate: school.certificate,
        })
        return
      case routes.signIn:
        return signIn(ctx)
      case routes.signOut:
        return signOut(ctx)
      default:
        return showPage(ctx, 'lost', {}, 404)
    }
  })
  return app.callback()
}

function redirect(ctx: Context, url: string) {
  ctx.redirect(url)
  ctx.status = 303
}
