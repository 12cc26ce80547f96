/** Do people reach us at the issuer's address, and does what stands before us pass everything on? */
import { cookieNames } from '#oidc/provider.ts'
import { type Clock, codeOf, type Finding, fail, ok, warn } from './finding.ts'

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

export async function checkIssuer(ports: IssuerPorts): Promise<[Finding[], Clock[]]> {
  const { issuer, fetch, now } = ports
  const asked = now()
  const get = (path: string) =>
    fetch(`${issuer}${path}`, { redirect: 'manual', signal: AbortSignal.timeout(patience) })
  try {
    const answer = await get('/.well-known/openid-configuration')
    const date = Date.parse(answer.headers.get('date') ?? '')
    const clocks = Number.isNaN(date)
      ? []
      : [{ whose: 'the issuer', ahead: date - (asked + now()) / 2 }]
    const document = await readDocument(answer)
    if ('check' in document) return [[document], clocks]
    const wrong = checkDocument(document.values, issuer)
    if (wrong) return [[wrong], clocks]
    const page = await get('/')
    await page.body?.cancel()
    return [[ok('issuer', `${issuer} is us`), ...checkPage(page, ports)], clocks]
  } catch (error) {
    return [[unreachable(issuer, error)], []]
  }
}

async function readDocument(
  answer: Response,
): Promise<Finding | { values: Record<string, unknown> }> {
  if (answer.status === 421) {
    await answer.body?.cancel()
    const says = 'the proxy passes requests on under another name'
    return fail(
      'issuer',
      says,
      'let it pass the Host header on unchanged (nginx: proxy_set_header Host $host)',
    )
  }
  if (answer.status !== 200) {
    await answer.body?.cancel()
    const says = `the discovery document answers ${answer.status}`
    return fail(
      'issuer',
      says,
      'is the server running behind the proxy, and is ISSUER its address?',
    )
  }
  try {
    return { values: (await answer.json()) as Record<string, unknown> }
  } catch {
    const says = 'something else answers in place of the discovery document'
    return fail('issuer', says, 'let the proxy pass every path on, /.well-known/ too')
  }
}

function checkDocument(values: Record<string, unknown>, issuer: string): Finding | undefined {
  if (values.issuer !== issuer) {
    const says = `the server there calls itself ${String(values.issuer)}, we are ${issuer}`
    return fail(
      'issuer',
      says,
      'give ISSUER the same value for every process, with https and without a trailing slash',
    )
  }
  const stray = Object.entries(values).find(
    ([name, value]) =>
      /_(endpoint|uri)$/.test(name) && typeof value === 'string' && !value.startsWith(`${issuer}/`),
  )
  if (!stray) return undefined
  const says = `${stray[0]} leads elsewhere: ${String(stray[1])}`
  return fail(
    'issuer',
    says,
    'something rewrites our answers: let the proxy pass them on as they are',
  )
}

function checkPage(page: Response, { issuer, production, trustsProxy }: IssuerPorts): Finding[] {
  const secure = issuer.startsWith('https:')
  const name = cookieNames(issuer).device
  const cookie = page.headers.getSetCookie().find((one) => one.startsWith(`${name}=`))
  const wanted = ['path=/', 'httponly', 'samesite=lax', ...(secure ? ['secure'] : [])]
  const parts = (cookie ?? '').toLowerCase().split(/;\s*/)
  const missing = wanted.filter((part) => !parts.includes(part))
  const findings: Finding[] = []
  if (!cookie) {
    const says = `the home page (status ${page.status}) sets no cookie: nobody could sign in`
    findings.push(
      fail('cookies', says, 'let the proxy pass Set-Cookie on, and cache nothing but /assets/'),
    )
  } else if (missing.length > 0) {
    const says = `our cookie arrives without ${missing.join(', ')}`
    findings.push(
      fail(
        'cookies',
        says,
        'let the proxy leave Set-Cookie as it is (no proxy_cookie_path, proxy_cookie_flags)',
      ),
    )
  } else findings.push(ok('cookies', `${name} arrives as it was set`))
  if (secure && !page.headers.get('strict-transport-security')) {
    findings.push(
      warn('https', 'Strict-Transport-Security does not arrive', 'let the proxy keep this header'),
    )
  }
  if (!secure && production) {
    findings.push(fail('https', 'the issuer is plain http', 'set ISSUER to an https address'))
  }
  if (secure && !trustsProxy) {
    const says =
      'no proxy is trusted: everybody seems to come from its address, and waits when one of them guesses passwords'
    findings.push(
      warn('addresses', says, 'set TRUSTED_PROXIES to the address the proxy calls us from'),
    )
  }
  return findings
}

const howTo: [RegExp, string, string][] = [
  [/^ECONNREFUSED$/, 'nobody listens there', 'start the server, or the proxy before it'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'its name is unknown from here', 'mend ISSUER, or the name server'],
  [
    /^(TIMEOUT|ETIMEDOUT|UND_ERR_.*TIMEOUT)$/,
    'does not answer in time',
    'is a firewall between this machine and that address? Let it reach itself',
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    'its certificate has expired',
    'renew it, and see why that did not happen by itself',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is for another name',
    'get one for the host in ISSUER',
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)$/,
    'its certificate is not from an authority this machine knows, or the chain is incomplete',
    'send the whole chain (fullchain.pem); for an authority of your own set NODE_EXTRA_CA_CERTS',
  ],
  [
    /^(EPROTO|ERR_SSL.*)$/,
    'it does not speak TLS there',
    'is ISSUER https, and does the proxy listen with TLS on that port?',
  ],
]

function unreachable(issuer: string, error: unknown): Finding {
  const code = codeOf(error)
  const known = howTo.find(([codes]) => codes.test(code))
  if (known) return fail('issuer', `${issuer}: ${known[1]}`, known[2])
  const says = `${issuer}: could not be reached (${code || String(error)})`
  return fail('issuer', says, 'is the server running there?')
}
