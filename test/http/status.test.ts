/** What everybody may read of the counties: /status, /status.json, and the words beside their names. */
import test from 'ava'
import { announce, readMoment, withdraw } from '#admin/notices.ts'
import { openBrowser } from '../helpers/browser.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const start = Date.UTC(2026, 10, 21, 2, 5)
const sandbox = { sandbox: true } as const

/** What three failed probes do, without waiting for them. */
function closeGate({ house: { upstreamHealth } }: World, county: string) {
  for (let i = 0; i < 3; i++)
    upstreamHealth.hear(county, { kind: 'failed', failure: 'unreachable' })
}

const slow = { kind: 'ok', ms: 4_000 } as const

const announceAt = (world: World, from: string, until: string, connector = 'kh') =>
  announce(
    {
      store: world.house.store,
      now: world.house.now,
      actor: 'operator:test',
      connectors: world.house.config.connectors.map(({ id }) => id),
    },
    {
      connector,
      text: { 'zh-TW': '教育局更新系統 <b>', en: 'The county renews its system.' },
      from,
      until,
    },
  )

const optionOf = (
  page: { document: { querySelector(css: string): { text: string } | null } },
  id: string,
) => page.document.querySelector(`#connector option[value=${id}]`)?.text.trim()

test('the page and its JSON say in words and times how each county fares, to anybody, for a moment', async (t) => {
  const world = await buildWorld(t, { ...sandbox, now: () => start })
  closeGate(world, 'ntpc')
  world.house.upstreamHealth.hear('tc', slow)
  world.house.upstreamHealth.hear('tc', slow)
  const page = await fetch(`${world.issuer}/status`, { headers: { 'accept-language': 'zh-TW' } })
  t.is(page.status, 200)
  t.is(page.headers.get('cache-control'), 'public, max-age=15')
  t.is(page.headers.get('set-cookie'), null)
  t.regex(page.headers.get('vary') ?? '', /accept-language/i)
  const html = await page.text()
  const browser = openBrowser()
  const { document } = await browser.open(`${world.issuer}/status?lang=zh-TW`)
  const row = (id: string) => document.querySelector(`#upstream-${id}`)?.text.replace(/\s+/g, ' ')
  t.regex(row('ntpc') ?? '', /新北市 目前無法連線 自 2026年11月21日 10:05/)
  t.regex(row('tc') ?? '', /回應較慢/)
  t.regex(row('hlc') ?? '', /正常/)
  t.is(row('kl'), undefined, 'not connected')
  t.true(html.includes('<time datetime="2026-11-21T02:05:00.000Z">'))
  t.false(html.includes('http-equiv'))

  const english = await fetch(`${world.issuer}/status?lang=en`)
  t.is(english.headers.get('set-cookie'), null)
  t.regex(await english.text(), /Cannot be reached/)

  const json = await fetch(`${world.issuer}/status.json`)
  t.is(json.headers.get('cache-control'), 'public, max-age=15')
  t.is(json.headers.get('set-cookie'), null)
  const { upstreams } = (await json.json()) as { upstreams: { id: string }[] }
  t.deepEqual(
    upstreams.find(({ id }) => id === 'ntpc'),
    {
      id: 'ntpc',
      label: { 'zh-TW': '新北市', en: 'New Taipei City' },
      state: 'down',
      since: '2026-11-21T02:05:00.000Z',
      notices: [],
    } as never,
  )
})

test('who asks again and again, or for the head alone, costs the database nothing and gets no cookie', async (t) => {
  const world = await buildWorld(t, sandbox)
  const { store } = world.house
  await world.house.upstreamHealth.close()
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${world.issuer}${path}`, init)
    await answer.arrayBuffer()
    return [answer.status, answer.headers.get('set-cookie')]
  }
  await ask('/status')
  const before = store.statements()
  for (const path of ['/status', '/status.json', '/status?lang=en', '/status?lang=<b>']) {
    t.deepEqual(await ask(path), [200, null], path)
    t.deepEqual(await ask(path, { method: 'HEAD' }), [200, null], path)
  }
  t.deepEqual(await ask('/status', { method: 'POST' }).then(([status]) => status), 405)
  t.true(store.statements() - before < 8, 'nobody’s request is a question to it')
})

test('the selector says it after the county’s name, and both can still be chosen', async (t) => {
  let clock = start
  const world = await buildWorld(t, { ...sandbox, now: () => clock })
  const rp = await world.buildApp()
  closeGate(world, 'ntpc')
  world.house.upstreamHealth.hear('tc', slow)
  world.house.upstreamHealth.hear('tc', slow)
  const browser = openBrowser()
  const page = await rp.begin(browser, { ui_locales: 'zh-TW' })
  t.is(optionOf(page, 'ntpc'), '新北市（目前無法連線，自 10:05）')
  t.is(optionOf(page, 'tc'), '臺中市（回應較慢）')
  t.is(optionOf(page, 'hlc'), '花蓮縣')
  t.is(page.document.querySelectorAll('#connector option[disabled]').length > 0, true)
  t.falsy(page.document.querySelector('#connector option[value=ntpc]')?.hasAttribute('disabled'))
  clock += 24 * 60 * 60 * 1000
  const tomorrow = await rp.begin(browser, { ui_locales: 'zh-TW' })
  t.is(optionOf(tomorrow, 'ntpc'), '新北市（目前無法連線，自 11月21日 10:05）')
})

test('maintenance is announced a day before, told while it lasts, and forgotten', async (t) => {
  let clock = start
  const world = await buildWorld(t, { ...sandbox, now: () => clock })
  const rp = await world.buildApp()
  const browser = openBrowser()
  const look = async () => {
    await world.house.upstreamHealth.look()
    return optionOf(await rp.begin(browser, { ui_locales: 'zh-TW' }), 'kh')
  }
  const announced = await announceAt(world, '2026-11-22 18:00', '2026-11-22 20:00')
  t.is(announced.kind, 'announced')
  t.is(await look(), '高雄市', 'more than a day ahead')
  clock = Date.UTC(2026, 10, 22, 1, 0)
  t.is(await look(), '高雄市（預定 18:00 起維護）')
  const status = await browser.open(`${world.issuer}/status?lang=zh-TW`)
  t.regex(
    status.document.querySelector('#upstream-kh')?.text ?? '',
    /預定維護[\s\S]*教育局更新系統/,
  )
  t.false(status.html.includes('系統 <b>'), 'staff’s words are words')
  clock = Date.UTC(2026, 10, 22, 10, 30)
  t.is(await look(), '高雄市（維護中至 20:00）')
  closeGate(world, 'kh')
  t.is(await look(), '高雄市（目前無法連線，維護至 20:00）')

  const page = await rp.begin(browser, { ui_locales: 'zh-TW' })
  await world.switchCounty('kh', 'down')
  const problem = await browser.submit(page, 'county-form', { connector: 'kh' })
  t.regex(
    problem.document.querySelector('.announcements')?.text ?? '',
    /維護中[\s\S]*教育局更新系統/,
  )
  t.truthy(problem.document.querySelector('#status-link'))
  clock = Date.UTC(2026, 10, 22, 12, 0)
  t.notRegex((await look()) ?? '', /維護/)
})

test('an announcement is checked, audited and withdrawn once', async (t) => {
  const world = await buildWorld(t, { ...sandbox, now: () => start })
  const { store, now } = world.house
  const rejected = await announceAt(world, 'tomorrow', '2026-02-30 10:00', 'nowhere')
  t.deepEqual(rejected.kind === 'rejected' && rejected.problems.map(({ field }) => field), [
    'connector',
    'from',
    'until',
  ] as never)
  t.is((await announceAt(world, '2026-11-22 18:00', '2026-11-22 17:00')).kind, 'rejected')
  t.is((await announceAt(world, '2026-11-22 18:00', '2027-11-22 17:00')).kind, 'rejected')
  t.is(
    (await announceAt(world, '2026-11-20 18:00', '2026-11-21 10:05')).kind,
    'rejected',
    'it is over',
  )
  const announced = await announceAt(world, '2026-11-22 18:00', '2026-11-22T20:00:00Z')
  if (announced.kind !== 'announced') return t.fail()
  const ports = { store, now, actor: 'operator:test' }
  const { id } = announced.notice
  t.deepEqual(await Promise.all([withdraw(ports, id), withdraw(ports, id)]), [true, false])
  const events = await store.auditReads.list({ actor: 'operator:test', limit: 10 })
  t.deepEqual(events.map(({ action }) => action).sort(), ['upstream.announce', 'upstream.withdraw'])
  t.is((await announceAt(world, '2026-11-20 18:00', '2026-11-21 10:06')).kind, 'announced')
})

test('a moment is Taiwan’s unless it says otherwise, and must exist', (t) => {
  t.is(readMoment('2026-12-01 18:00'), Date.UTC(2026, 11, 1, 10) / 1000)
  t.is(readMoment('2026-12-01T18:00:30Z'), Date.UTC(2026, 11, 1, 18, 0, 30) / 1000)
  t.is(readMoment('2026-12-01T18:00+09:00'), Date.UTC(2026, 11, 1, 9) / 1000)
  for (const text of ['2026-02-30 10:00', '2026-13-01 10:00', '2026-12-01 25:00', '18:00', '']) {
    t.is(readMoment(text), undefined, text)
  }
})
