/** As in production: https in front, plain http behind it, and nothing but configuration says so. */
import { request as rawRequest } from 'node:http'
import test from 'ava'
import { cookieNames } from '#oidc/provider.ts'
import { buildWorld } from '../helpers/world.ts'

const issuer = 'https://id.example.gov.tw'

type Answer = {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const host = new URL(issuer).host
    const sent = rawRequest(
      { host: '127.0.0.1', port, path, headers: { host, ...headers } },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8').on('data', (chunk) => {
          body += chunk
        })
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }),
        )
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

test('in production cookies are bound to this host and to https, and links say https', async (t) => {
  const world = await buildWorld(t, {
    env: {
      NODE_ENV: 'production',
      ISSUER: issuer,
      SANDBOX: 'off',
      CITYGATE_KEK: Buffer.alloc(32, 9).toString('base64'),
    },
    freshKeys: true,
  })
  const rp = await world.buildApp()
  const [port] = world.ports
  const discovery = JSON.parse((await ask(port, '/.well-known/openid-configuration')).body)
  t.is(discovery.issuer, issuer)
  t.is(discovery.authorization_endpoint, `${issuer}/auth`)

  const { pathname, search } = new URL(rp.authorize())
  const begun = await ask(port, pathname + search, { 'x-forwarded-proto': 'http' })
  t.is(begun.status, 303)
  t.regex(String(begun.headers['strict-transport-security']), /max-age=63072000/)
  const cookies = [begun.headers['set-cookie'] ?? []].flat()
  const named = (name: string) => cookies.find((cookie) => cookie.startsWith(`${name}=`)) ?? ''
  const names = cookieNames(issuer)
  t.regex(names.session, /^__Host-/)
  t.regex(
    named(names.device),
    /^__Host-citygate_device=.*path=\/;.*samesite=lax; secure; httponly/i,
  )
  t.regex(
    named(names.interaction),
    /^__Secure-.*path=\/interaction\/.*samesite=lax; secure; httponly/i,
  )
  t.regex(named(names.resume), /^__Secure-.*path=\/auth\/.*secure; httponly/i)

  const location = String(begun.headers.location)
  const cookie = cookies.map((one) => one.split(';')[0]).join('; ')
  const page = await ask(port, new URL(location, issuer).pathname, { cookie })
  t.is(page.status, 200)
  t.false(page.body.includes('http://'), 'no link leads off https')
  t.is((await ask(port, '/', { host: `localhost:${port}` })).status, 421)
})
