/** Upstreams that come and go on a day, without a restart. */
import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { dayOf } from '#federation/days.ts'
import { openBrowser } from '../helpers/browser.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { buildWorld } from '../helpers/world.ts'

const educloud = join(import.meta.dirname, '..', '..', 'config', 'educloud')

test('a day begins at midnight in Taiwan', (t) => {
  const days = { opens: '2031-08-01', closes: '2031-09-01' }
  const at = (moment: string) => dayOf(days, Date.parse(moment))
  t.is(at('2031-07-31T23:59:59+08:00'), 'early')
  t.is(at('2031-08-01T00:00:00+08:00'), 'open')
  t.is(at('2031-08-31T23:59:59+08:00'), 'open')
  t.is(at('2031-08-31T16:00:00Z'), 'over')
  t.is(dayOf({}, 0), 'open')
})

test('Tainan moves at midnight: the old way closes and the new one opens, for everybody who asks', async (t) => {
  const folder = temporaryFolder(t)
  cpSync(educloud, folder, { recursive: true })
  const file = (name: string) => join(folder, 'connectors', name)
  appendFileSync(file('tn.yaml'), '\ncloses: 2031-08-01\n')
  const neighbour = readFileSync(file('kl.yaml'), 'utf8')
  writeFileSync(
    file('tn-oidc.yaml'),
    neighbour
      .slice(0, neighbour.indexOf('\nformer:'))
      .replace('id: kl', 'id: tn-oidc\nopens: 2031-08-01')
      .replace('TW-KEE', 'TW-TNN')
      .replaceAll('kl.sso', 'tn.sso')
      .replaceAll('KL_', 'TN_OIDC_'),
  )
  const clock = { now: Date.parse('2031-07-31T23:59:00+08:00') }
  const world = await buildWorld(t, {
    now: () => clock.now,
    env: {
      CITYGATE_CONFIG: folder,
      TN_OPENID2: 'on',
      TN_OIDC_CLIENT_ID: 'id',
      TN_OIDC_CLIENT_SECRET: 'secret',
    },
  })
  const rp = await world.buildApp()
  const seen = async () => {
    const status = await (await fetch(`${world.issuer}/status.json`)).json()
    const page = await rp.begin(openBrowser(), {})
    const { connectors } = world.house.trips
    return {
      status: status.upstreams.map(({ id }: { id: string }) => id),
      offered: page.document
        .querySelectorAll('#connector option:not([disabled])')
        .map((one) => one.getAttribute('value'))
        .filter(Boolean),
      realm: /tn\/callback/.test(await (await fetch(`${world.issuer}/xrds`)).text()),
      all: [connectors.size, ...connectors.keys(), connectors.has('tn'), !connectors.get('tn')],
    }
  }
  const before = { status: ['tn'], offered: ['tn'], realm: true, all: [1, 'tn', true, false] }
  const after = {
    status: ['tn-oidc'],
    offered: ['tn-oidc'],
    realm: false,
    all: [1, 'tn-oidc', false, true],
  }
  t.deepEqual(await seen(), before)
  clock.now += 60_000
  t.deepEqual(await seen(), after)
})
