import test from 'ava'
import { decodeJwt } from 'jose'
import { openBrowser } from '../helpers/browser.ts'
import { buildWorld } from '../helpers/world.ts'

test('a pairwise app, and the API it calls, know a person by one subject that is not her own', async (t) => {
  const world = await buildWorld(t)
  const api = 'https://api.cloud.edu.tw/learning'
  const rp = await world.buildApp({ pairwise: true, idTokenClaims: true })
  const server = await world.buildApp({ type: 'machine', resourceServer: api })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const back = await browser.submit(
    await rp.begin(browser, {
      scope: 'openid profile email eduinfo learning:read',
      resource: api,
      claims: JSON.stringify({ userinfo: { sub: null, eduinfo: null } }),
    }),
    'local-form',
    person,
  )
  const { body } = await rp.redeem(back.url)
  const { sub } = (await rp.verify(body.id_token)).payload
  t.not(sub, person.sub)
  t.is(decodeJwt(body.access_token).sub, sub)

  const plain = await rp.begin(browser, { scope: 'openid profile email eduinfo', prompt: 'none' })
  const opaque = (await rp.redeem(plain.url)).body
  t.is((await rp.get('/me', opaque.access_token)).body.sub, sub)
  for (const path of ['/eduinfo/v1', '/eduinfo/v2']) {
    t.is((await rp.get(path, opaque.access_token)).body.sub, sub)
  }
  const introspect = async (as: typeof rp, token: string) => {
    const basic = Buffer.from(`${as.clientId}:${as.clientSecret}`).toString('base64')
    const reply = await fetch(`${world.issuer}/token/introspection`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ token }),
    })
    return (await reply.json()) as Record<string, unknown>
  }
  t.is((await introspect(rp, opaque.access_token)).sub, sub)
  t.is((await introspect(rp, opaque.refresh_token ?? '')).sub, sub)
  t.deepEqual(await introspect(server, opaque.access_token), { active: false })
  const everything = JSON.stringify([
    body,
    decodeJwt(body.id_token),
    decodeJwt(body.access_token),
    (await rp.get('/me', opaque.access_token)).body,
  ])
  t.false(everything.includes(person.sub))
})

test('two pairwise apps without a web address do not share a sector', async (t) => {
  const world = await buildWorld(t)
  const make = () =>
    world.buildApp({ type: 'native', pairwise: true, device: true, redirectUris: [] }).then(
      ({ clientId }) => world.house.provider.Client.find(clientId),
      () => undefined,
    )
  const [a, b] = await Promise.all([make(), make()])
  // Refusing such a registration is an answer too.
  if (!a || !b) return t.pass()
  t.truthy(a.sectorIdentifier)
  t.not(a.sectorIdentifier, b.sectorIdentifier)
})
