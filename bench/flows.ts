/** What an app and its people's browsers do, request by request. Every answer is checked: a failure throws. */
import { createHash, randomBytes } from 'node:crypto'
import type { Answer, Browser, Http } from './http.ts'
import { type App, county, redirectUri, type Site } from './site.ts'

export type Tokens = { access_token: string; id_token?: string; refresh_token?: string }

const verifier = randomBytes(32).toString('base64url')
const challenge = createHash('sha256').update(verifier).digest('base64url')

/** How somebody signs in at our page: at the county, which sends her straight back, or with a password. */
export type Person = 'from the county' | { account: string; password: string }

const authorizePath = (site: Site, more: Record<string, string>) =>
  `/auth?${new URLSearchParams({
    client_id: site.app.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile',
    state: 'state',
    nonce: 'nonce',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  })}`

export type Paths = Record<'signIn' | 'offline' | 'silent', string>

/** The requests that begin each flow, made once. */
export function authorizePaths(site: Site, person: Person): Paths {
  const way: Record<string, string> = person === 'from the county' ? { upstream: county } : {}
  return {
    signIn: authorizePath(site, way),
    // OpenID Connect Core §11: a refresh token that outlives the session only with consent.
    offline: authorizePath(site, {
      ...way,
      prompt: 'consent',
      scope: 'openid profile offline_access',
    }),
    silent: authorizePath(site, { prompt: 'none' }),
  }
}

export class Failure extends Error {}

function expect(answer: Answer, status: number, what: string) {
  if (answer.status === status) return
  throw new Failure(`${what}: ${answer.status} ${answer.location ?? gist(answer.body)}`)
}

/** What an answer says, in a line: of a page its title, and the reference that finds it in the log. */
function gist(body: string): string {
  const title = /<title>([^<]*)/.exec(body)?.[1]
  if (title === undefined) return body.slice(0, 200)
  return `“${title}” ${/id="problem-ref">([^<]*)/.exec(body)?.[1] ?? ''}`
}

/** Follows redirects from `path` to the app's callback, and fills the forms on the way. Gives the code. */
export async function walk(browser: Browser, site: Site, path: string, person: Person) {
  let answer = await browser.get(path)
  for (let steps = 0; steps < 12; steps++) {
    if (answer.status === 200) answer = await fill(browser, answer.body, person)
    expect(answer, 303, path.split('?')[0] ?? path)
    const location = answer.location ?? ''
    if (location.startsWith(redirectUri)) return codeFrom(location)
    answer = await browser.get(toPath(site, location))
  }
  throw new Failure(`${path}: more redirects than any sign-in needs`)
}

const toPath = ({ issuer }: Site, location: string) =>
  location.startsWith(issuer) ? location.slice(issuer.length) : location

function codeFrom(location: string): string {
  const { searchParams } = new URL(location)
  const code = searchParams.get('code')
  if (code && searchParams.get('state') === 'state') return code
  throw new Failure(
    `no code: ${searchParams.get('error')} ${searchParams.get('error_description')}`,
  )
}

/** Answers one of our pages as a person would. */
async function fill(browser: Browser, page: string, person: Person): Promise<Answer> {
  const form = findForm(page)
  if (!form) throw new Failure(`a page without a form we know: ${gist(page)}`)
  const signIn = form.id === 'local-form' && typeof person === 'object' ? person : {}
  const fields = { form_token: form.token, decision: 'allow', ...signIn }
  return browser.post(form.action, new URLSearchParams(fields).toString())
}

export function findForm(page: string) {
  const [, id, action] =
    /<form id="(local-form|consent-form)" method="post" action="([^"]+)"/.exec(page) ?? []
  const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1]
  return id && action && token ? { id, action, token } : undefined
}

const basic = ({ clientId, clientSecret }: App) => ({
  authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
})

async function token(http: Http, app: App, fields: Record<string, string>): Promise<Tokens> {
  const answer = await http.post('/token', new URLSearchParams(fields).toString(), basic(app))
  expect(answer, 200, `token ${fields.grant_type}`)
  const tokens: Tokens = JSON.parse(answer.body)
  if (!tokens.access_token) throw new Failure('an answer without access token')
  return tokens
}

export async function redeem(http: Http, site: Site, code: string): Promise<Tokens> {
  const fields = { code, redirect_uri: redirectUri, code_verifier: verifier }
  const tokens = await token(http, site.app, { grant_type: 'authorization_code', ...fields })
  if (!tokens.id_token) throw new Failure('an answer without ID token')
  return tokens
}

export async function refresh(http: Http, site: Site, refreshToken: string): Promise<Tokens> {
  const fields = { grant_type: 'refresh_token', refresh_token: refreshToken }
  const tokens = await token(http, site.app, fields)
  if (!tokens.refresh_token || tokens.refresh_token === refreshToken)
    throw new Failure('the refresh token was not rotated')
  return tokens
}

/** A token for the machine itself: opaque, or a JWT for `resource`. */
export async function clientCredentials(http: Http, site: Site, more: Record<string, string> = {}) {
  const fields = { grant_type: 'client_credentials', ...more }
  const { access_token: given } = await token(http, site.machine, fields)
  if (given.includes('.') !== 'resource' in more) throw new Failure('a token of the wrong kind')
}

export async function userinfo(http: Http, accessToken: string): Promise<void> {
  const answer = await http.get('/me', { authorization: `Bearer ${accessToken}` })
  expect(answer, 200, 'userinfo')
  const { sub, name } = JSON.parse(answer.body)
  if (!sub || !name) throw new Failure('userinfo without the profile')
}

export async function introspect(http: Http, site: Site, accessToken: string): Promise<void> {
  const body = new URLSearchParams({ token: accessToken }).toString()
  const answer = await http.post('/token/introspection', body, basic(site.app))
  expect(answer, 200, 'introspection')
  if (JSON.parse(answer.body).active !== true) throw new Failure('a good token is not active')
}

export async function discover(http: Http, site: Site): Promise<void> {
  const answer = await http.get('/.well-known/openid-configuration')
  expect(answer, 200, 'discovery')
  if (JSON.parse(answer.body).issuer !== site.issuer) throw new Failure('another issuer')
}
