/** All pretend counties on one port: an index with their switches, and each provider below its path. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import Koa, { type Context } from 'koa'
import { once } from '#lib/once.ts'
import {
  type County,
  counties,
  countyIssuer,
  protocols,
  type Upstream,
  upstreams,
} from './counties.ts'
import type { CountyPorts } from './county-ports.ts'
import { readForm } from './form.ts'
import { type MailboxPorts, mailboxApp } from './mailbox-app.ts'
import { fits, isMode, type ModeRule, modes, ruleOf } from './modes.ts'
import { showLooks, showPage } from './pages.ts'
import { fullName, people } from './people.ts'
import { openProvider } from './providers.ts'

/** What the counties' port needs beyond its counties. */
export type CountiesPorts = CountyPorts &
  MailboxPorts & {
    demoUrl: string
    directoryUrl: string | undefined
    /** How late a slow county answers, in milliseconds. */
    slowMs: number
  }

/** The listener of the counties' port. */
export function countiesApp(ports: CountiesPorts): RequestListener {
  const front = frontDesk(ports)
  const mounts = new Map(counties.map((county) => [county.id, mount(county, ports)]))
  return (req, res) => {
    const { path } = addressOf(req, ports)
    const [, first = '', second] = path.split('/')
    const county = second === 'switch' ? undefined : mounts.get(first)
    if (!county) return front(req, res)
    county(req, res).catch((error: unknown) => {
      ports.onError(error, first)
      if (!res.headersSent) res.writeHead(500)
      res.end()
    })
  }
}

function frontDesk(ports: CountiesPorts): RequestListener {
  const app = new Koa()
  app.on('error', (error) => ports.onError(error, 'index'))
  app.use(mailboxApp(ports))
  app.use(async (ctx) => {
    const upstream = upstreams.find(({ id }) => ctx.path === `/${id}/switch`)
    if (ctx.method === 'POST' && upstream) return throwSwitch(ctx, upstream, ports)
    if (/^\/sandbox\.(css|svg)$/.test(ctx.path)) return showLooks(ctx, 'sandbox')
    if (ctx.path === '/') return showIndex(ctx, ports)
    return showPage(ctx, 'lost', {}, 404)
  })
  return app.callback()
}

async function showIndex(ctx: Context, ports: CountiesPorts) {
  const rows = await Promise.all(
    upstreams.map(async (upstream) => ({
      upstream,
      address: addressTo(upstream, ports),
      mode: await ports.switches.get(upstream.id),
      modes: modesOf(upstream),
      people: (people[upstream.id] ?? []).map((one) => ({ ...one, name: fullName(one) })),
    })),
  )
  await showPage(ctx, 'index', {
    rows,
    protocols,
    demoUrl: ports.demoUrl,
    citygate: ports.citygate,
  })
}

/** What a newcomer may look at: what the provider publishes of itself. */
function addressTo(upstream: Upstream, { sandboxPort, directoryUrl }: CountiesPorts) {
  if (upstream.protocol === 'ldap') return { text: directoryUrl }
  const text = countyIssuer(sandboxPort, upstream.id)
  switch (upstream.protocol) {
    case 'oidc':
      return { text, url: `${text}/.well-known/openid-configuration` }
    case 'openid2':
      return { text, url: `${text}${upstream.routes.identifier}` }
    case 'saml':
      return { text, url: `${text}${upstream.routes.metadata}` }
    case 'oauth2':
      return { text }
  }
}

const modesOf = (upstream: Upstream) =>
  Object.fromEntries(Object.entries(modes).filter(([mode]) => isMode(mode) && fits(mode, upstream)))

async function throwSwitch(ctx: Context, upstream: Upstream, ports: CountiesPorts) {
  const mode = (await readForm(ctx.req)).get('mode')
  if (!isMode(mode) || !fits(mode, upstream)) {
    ctx.status = 400
    ctx.body = `mode must be one of ${Object.keys(modesOf(upstream)).join(', ')}\n`
    return
  }
  await ports.switches.set(upstream.id, mode)
  ctx.redirect(`/#${upstream.id}`)
  ctx.status = 303
}

/** Lends one county its share of the port. Its provider is built when first asked for: a cold start stays quick. */
function mount(county: County, ports: CountiesPorts) {
  const listener = once(() => openProvider(county, ports))
  return async (req: IncomingMessage, res: ServerResponse) => {
    const { path, query } = addressOf(req, ports)
    const below = path.slice(county.id.length + 1) || '/'
    const rule = ruleOf(await ports.switches.get(county.id))
    if (strikes(rule, county, below) && (await misbehave(rule, ports, res)) === 'answered') return
    // The library builds its URLs from the Host header: only the configured issuer may name us.
    req.headers.host = `localhost:${ports.sandboxPort}`
    Object.assign(req, { originalUrl: path + query })
    req.url = below + query
    ;(await listener())(req, res)
  }
}

function addressOf(req: IncomingMessage, ports: CountiesPorts): { path: string; query: string } {
  const url = URL.parse(req.url ?? '/', `http://localhost:${ports.sandboxPort}`)
  return { path: url?.pathname ?? '/', query: url?.search ?? '' }
}

function strikes(rule: ModeRule, county: County, path: string): boolean {
  return (
    rule.at === 'everywhere' ||
    (rule.at === 'token' && 'token' in county.routes && path === county.routes.token)
  )
}

async function misbehave(
  rule: ModeRule,
  ports: CountiesPorts,
  res: ServerResponse,
): Promise<'answered' | 'goes on'> {
  switch (rule.network) {
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, ports.slowMs).unref())
      return res.destroyed ? 'answered' : 'goes on'
    case 'down':
      res.destroy()
      return 'answered'
    case 'garbage':
      res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      res.end('<!doctype html><title>系統維護中</title><h1>系統維護中，請稍後再試</h1>')
      return 'answered'
    case undefined:
      return 'goes on'
  }
}
