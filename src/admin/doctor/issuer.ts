/** Do people reach us at the issuer's address, and does what stands before us pass everything on? */
import { cookieNames } from '#oidc/provider.ts'
import { type Clock, codeOf, type Finding, fail, ok, warn } from './finding.ts'
import { said, type Trouble, trouble } from './sayings.ts'

export type IssuerPorts = {
  issuer: string
  production: boolean
  /** Whether X-Forwarded-For of some proxy counts. */
  trustsProxy: boolean
  /** As a browser on this machine would: our own address may lie inside our network. */
  fetch: typeof fetch
  now: () => number
}

const patience = 5_000

const check = said('check.issuer')

export async function checkIssuer(ports: IssuerPorts): Promise<[Finding[], Clock[]]> {
  const { issuer, fetch, now } = ports
  const asked = now()
  const get = (path: string) =>
    fetch(`${issuer}${path}`, { redirect: 'manual', signal: AbortSignal.timeout(patience) })
  try {
    const answer = await get('/.well-known/openid-configuration')
    const date = Date.parse(answer.headers.get('date') ?? '')
    const clocks: Clock[] = Number.isNaN(date)
      ? []
      : [{ whose: 'issuer', ahead: date - (asked + now()) / 2 }]
    const document = await readDocument(answer)
    const wrong = 'says' in document ? document : checkDocument(document.values, issuer)
    if (wrong) return [[fail(check, wrong)], clocks]
    const page = await get('/')
    await page.body?.cancel()
    return [[ok(check, said('issuer.ours', { issuer })), ...checkPage(page, ports)], clocks]
  } catch (error) {
    return [[fail(check, unreachable(issuer, error))], []]
  }
}

async function readDocument(
  answer: Response,
): Promise<Trouble | { values: Record<string, unknown> }> {
  const { status } = answer
  if (status !== 200) {
    await answer.body?.cancel()
    return status === 421 ? trouble('issuer.renamed') : trouble('issuer.status', { status })
  }
  try {
    return { values: (await answer.json()) as Record<string, unknown> }
  } catch {
    return trouble('issuer.other')
  }
}

function checkDocument(values: Record<string, unknown>, issuer: string): Trouble | undefined {
  if (values.issuer !== issuer)
    return trouble('issuer.differs', { theirs: String(values.issuer), issuer })
  const stray = Object.entries(values).find(
    ([name, value]) =>
      /_(endpoint|uri)$/.test(name) && typeof value === 'string' && !value.startsWith(`${issuer}/`),
  )
  if (!stray) return undefined
  const [name, address] = stray
  return trouble('issuer.rewritten', { name, address: String(address) })
}

function checkPage(page: Response, { issuer, production, trustsProxy }: IssuerPorts): Finding[] {
  const secure = issuer.startsWith('https:')
  const findings = [checkCookie(page, issuer, secure)]
  const https = said('check.https')
  if (secure && !page.headers.get('strict-transport-security'))
    findings.push(warn(https, trouble('https.no-hsts')))
  if (!secure && production) findings.push(fail(https, trouble('https.plain')))
  if (secure && !trustsProxy)
    findings.push(warn(said('check.addresses'), trouble('addresses.no-proxy')))
  return findings
}

function checkCookie(page: Response, issuer: string, secure: boolean): Finding {
  const cookies = said('check.cookies')
  const name = cookieNames(issuer).device
  const cookie = page.headers.getSetCookie().find((one) => one.startsWith(`${name}=`))
  if (!cookie) return fail(cookies, trouble('cookies.none', { status: page.status }))
  const wanted = ['path=/', 'httponly', 'samesite=lax', ...(secure ? ['secure'] : [])]
  const parts = cookie.toLowerCase().split(/;\s*/)
  const missing = wanted.filter((part) => !parts.includes(part)).join(', ')
  return missing
    ? fail(cookies, trouble('cookies.changed', { missing }))
    : ok(cookies, said('cookies.arrive', { name }))
}

const known = [
  [/^ECONNREFUSED$/, 'issuer.nobody'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'issuer.unknown'],
  [/^(TIMEOUT|ETIMEDOUT|UND_ERR_.*TIMEOUT)$/, 'issuer.slow'],
  [/^CERT_HAS_EXPIRED$/, 'issuer.expired'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'issuer.name'],
  [/^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)$/, 'issuer.authority'],
  [/^(EPROTO|ERR_SSL.*)$/, 'issuer.no-tls'],
] as const

function unreachable(issuer: string, error: unknown): Trouble {
  const code = codeOf(error)
  const [, what] = known.find(([codes]) => codes.test(code)) ?? []
  if (what) return trouble(what, { issuer })
  return trouble('issuer.unreachable', { issuer, why: code || String(error) })
}
