/** A county leaves OpenID 2.0 for OpenID Connect: its people stay who they are. */
import test, { type ExecutionContext } from 'ava'
import type { Connector } from '#federation/connector.ts'
import { openFormer } from '#federation/said.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { buildIdentity } from '../helpers/people.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { connectUpstream } from '../helpers/upstreams.ts'
import { buildWorld, type World } from '../helpers/world.ts'

async function subOf(rp: RelyingParty, back: Page) {
  if (!arrivedAt(rp, back)) throw new Error(`${back.status} ${back.url.href}\n${back.html}`)
  return (await rp.verify((await rp.redeem(back.url)).body.id_token)).payload.sub
}

/** A teacher the app knows, who signed in over her county's OpenID 2.0 until now: her link is under its issuer. */
async function buildTeacher(
  { world, rp }: { world: World; rp: RelyingParty },
  { account, issuer, subject }: { account: string; issuer: string; subject: string },
) {
  const teacher = await world.buildPerson({ account })
  const browser = openBrowser()
  const sub = await subOf(rp, await browser.submit(await rp.begin(browser), 'local-form', teacher))
  const known = buildIdentity({
    connector: 'county-openid',
    issuer,
    subject,
    openid2Ids: [subject],
  })
  const times = { createdAt: 1_400_000_000, readAt: 1_500_000_000 }
  await world.house.store.identities.link({
    ...known,
    ...times,
    id: account,
    accountId: teacher.sub,
  })
  return { id: teacher.sub, sub }
}

async function scene(t: ExecutionContext) {
  const world = await buildWorld(t, { sandbox: true })
  return { world, rp: await world.buildApp() }
}

/** Through the sandbox's county, in a browser of her own. */
async function comeThrough(rp: RelyingParty, county: string) {
  const browser = openBrowser()
  const atCounty = await rp.begin(browser, { upstream: county })
  const account = `${county}test`
  return browser.submit(atCounty, 'county-login', { account, password: account })
}

const rekeys = async ({ house }: World) =>
  (await house.store.auditReads.list({ limit: 50 })).filter(
    ({ action }) => action === 'identity.rekey',
  )

test('two teachers come over OpenID Connect for the first time and are who they were at every app', async (t) => {
  const here = await scene(t)
  const { world, rp } = here
  const { store } = world.house
  const teachers = {
    // Its identifiers are written with http there and kept with https here.
    tc: await buildTeacher(here, {
      account: 'tc@mail.edu.tw',
      issuer: 'https://openid.tc.edu.tw',
      subject: 'https://tctest.openid.tc.edu.tw/',
    }),
    hlc: await buildTeacher(here, {
      account: 'hlc@mail.edu.tw',
      issuer: 'http://openid2.hlc.edu.tw',
      subject: 'http://openid2.hlc.edu.tw/hlctest',
    }),
  }
  for (const [county, { id, sub }] of Object.entries(teachers)) {
    t.is(await subOf(rp, await comeThrough(rp, county)), sub, county)
    const links = await store.identities.ofAccount(id)
    t.is(links.length, 1, county)
    t.like(links[0], { connector: county, createdAt: 1_400_000_000 })
    t.is((await store.affiliations.ofAccount(id)).length, 1, 'her school, as the county says now')
    t.is(await subOf(rp, await comeThrough(rp, county)), sub, 'and from then on')
  }
  const events = await rekeys(world)
  t.deepEqual(events.map(({ actor }) => actor).sort(), [teachers.tc.id, teachers.hlc.id].sort())
  t.notRegex(JSON.stringify(events), /openid2?\.|tctest|hlctest/, 'no identifier in plain')
  t.notRegex(world.log.join('\n'), /tctest\.openid|hlctest/)
})

test('the county’s former host means the same people, another county’s does not', async (t) => {
  const here = await scene(t)
  const { world, rp } = here
  const issuer = 'http://openid2.hlc.edu.tw'
  const subject = `${issuer}/wu`
  const teacher = await buildTeacher(here, { account: 'wu@mail.edu.tw', issuer, subject })
  const file = world.house.config.connectors.find(({ id }) => id === 'hlc')
  const formerIn = openFormer(file?.former ?? [])
  const say = (sub: string, identifier: string) => {
    const connector: Connector = {
      id: 'hlc',
      origins: [],
      servers: [],
      probe: async () => {},
      begin: async ({ callbackUrl, state }) => ({ url: `${callbackUrl}?state=${state}`, memo: {} }),
      complete: async () =>
        buildIdentity({
          connector: 'hlc',
          issuer: 'https://hlc.sso.edu.tw',
          subject: sub,
          openid2Ids: [identifier],
          ...formerIn([identifier]),
        }),
    }
    connectUpstream(world, connector)
    return rp.begin(openBrowser(), { upstream: 'hlc' })
  }
  for (const [who, identifier] of Object.entries({
    'of another county': 'https://openid.ntpc.edu.tw/user/wu',
    'of a host like it': 'http://openid2.hlc.edu.tw.example/wu',
    'of another path': 'http://openid2.hlc.edu.tw/wu/wu',
    'of another name': 'http://openid.hlc.edu.tw/Wu',
  })) {
    t.not(await subOf(rp, await say(who, identifier)), teacher.sub, who)
  }
  t.deepEqual(await rekeys(world), [])
  const back = await say('her-new-subject', 'https://openid.hlc.edu.tw/wu')
  t.is(await subOf(rp, back), teacher.sub, 'by the name of before 2016, over https')
  t.is((await rekeys(world)).length, 1)
})
