/** python-openid's server, from Debian's package, in a process of its own. The provider is openid2-provider.py. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parse } from 'node-html-parser'
import { openid2Settings } from '#config/connector.ts'
import { openOpenId2Connector } from '#federation/connectors/openid2.ts'
import type { Profile } from '#federation/profile.ts'
import { openGuardedFetch } from '#outside/fetch.ts'
import { lendFederation } from '../federation/lend.ts'
import { ensurePackages, peerPackages } from '../helpers/debian.ts'
import { buildWorld } from '../helpers/world.ts'

test.before('Debian has python-openid', async (t) => {
  t.timeout(300_000)
  await ensurePackages(peerPackages.pythonOpenid)
})

const titleStr = 'http://openid.edu.tw/axschema/school/titleStr'
const schoolId = 'http://axschema.edu.tw/school/id'
const titles = JSON.stringify([{ id: '114620', title: ['教師', '設備組長'] }])
const told = {
  sreg: { fullname: '王小明', email: 'NA' },
  ax: { [titleStr]: titles, [schoolId]: '114620' },
}

/** Starts it and gives its address. */
async function startProvider(
  t: ExecutionContext,
  settings: { stateless?: boolean; ax?: Record<string, string> } = {},
): Promise<string> {
  let said = ''
  // Debian's interpreter, not one of a version manager that stands before it in PATH.
  const provider = spawn('/usr/bin/python3', [join(import.meta.dirname, 'openid2-provider.py')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { SETTINGS: JSON.stringify({ stateless: false, ...told, ...settings }) },
  })
  t.teardown(() => {
    if (!t.passed) t.log(said)
    provider.kill()
  })
  provider.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(provider, 'exit').then(() => {
    throw new Error(`the provider ended: ${said}`)
  })
  ended.catch(() => undefined)
  const [port] = await Promise.race([once(provider.stdout.setEncoding('utf8'), 'data'), ended])
  return `http://127.0.0.1:${Number(port)}`
}

const asTold: Profile = () => ({ profile: {}, affiliations: [], openid2Ids: [] })

function connect(base: string) {
  const modes: string[] = []
  const guarded = openGuardedFetch({ allow: [base] })
  const { host } = new URL(base)
  const connector = openOpenId2Connector(
    {
      id: 'county',
      type: 'openid2',
      label: { 'zh-TW': '某縣', en: 'Some County' },
      keywords: [],
      order: 1,
      school_code_prefixes: [],
      profile: 'tainan',
      linking: 'ask',
      former: [],
      quirks: [],
      settings: openid2Settings.parse({
        identifier: `${base}/`,
        hosts: [host],
        claimed_id: `^http://${host}/user/[a-z]+$`,
        insecure: true,
        ax: [titleStr, schoolId],
        sreg: ['fullname', 'email'],
      }),
      credentials: {},
      insecure: false,
    },
    asTold,
    lendFederation({
      fetch: (input, init) => {
        modes.push(new URLSearchParams(String(init?.body ?? '')).get('openid.mode') ?? 'read')
        return guarded(input, init)
      },
    }),
  )
  const leave = () =>
    connector.begin({
      callbackUrl: 'https://id.example/upstream/county/callback',
      passwordUrl: '',
      state: 'st1',
      fresh: false,
      locales: [],
    })
  return { connector, leave, modes }
}

const raw = {
  [titleStr]: titles,
  [schoolId]: '114620',
  'sreg.fullname': '王小明',
  'sreg.email': 'NA',
}

for (const [title, stateless, modes] of [
  ['by an association', false, ['read', 'associate']],
  ['by asking it', true, ['read', 'associate', 'check_authentication']],
] satisfies [string, boolean, string[]][])
  test(`python-openid signs a teacher in, verified ${title}`, async (t) => {
    const base = await startProvider(t, { stateless })
    const county = connect(base)
    const { url, memo } = await county.leave()
    const { headers } = await fetch(url, { redirect: 'manual' })
    const back = new URL(headers.get('location') ?? '')
    const identity = await county.connector.complete({ url: back, state: 'st1' }, memo)
    t.like(identity, { issuer: `${base}/`, subject: `${base}/user/wang` })
    t.deepEqual(identity.raw, raw)
    t.deepEqual(county.modes, modes)
    await t.throwsAsync(county.connector.complete({ url: back, state: 'st1' }, memo), {
      message: /response_nonce came before|did not sign it/,
    })
    for (const [name, value] of back.searchParams) {
      if (!name.startsWith('openid.')) continue
      const changed = new URL(back)
      changed.searchParams.set(name, `${value}x`)
      const error = await t.throwsAsync(
        county.connector.complete({ url: changed, state: 'st1' }, (await county.leave()).memo),
        { name: 'UpstreamError' },
        name,
      )
      t.truthy(error)
    }
  })

test('python-openid’s long answer comes as a form', async (t) => {
  const long = JSON.stringify([{ id: '114620', title: Array(200).fill('教師') }])
  const county = connect(await startProvider(t, { ax: { [titleStr]: long, [schoolId]: '114620' } }))
  const { url, memo } = await county.leave()
  const form = parse(await (await fetch(url)).text())
  const fields = new URLSearchParams(
    form
      .querySelectorAll('input[type=hidden]')
      .map(({ attributes: { name = '', value = '' } }) => [name, value]),
  )
  const action = form.querySelector('form')?.getAttribute('action') ?? ''
  const arrival = { url: new URL(action), state: 'st1', form: fields }
  const identity = await county.connector.complete(arrival, memo)
  // What is kept of it is cut.
  t.is(String(identity.raw[titleStr]).length, 1000)
  t.is(identity.raw['sreg.fullname'], '王小明')
})

test('python-openid finds our callback by our realm, and nobody else’s', async (t) => {
  const [base, world] = await Promise.all([startProvider(t), buildWorld(t, { sandbox: true })])
  const verify = async (returnTo: string) => {
    const asked = new URLSearchParams({ realm: `${world.issuer}/`, return_to: returnTo })
    return (await fetch(`${base}/verify?${asked}`)).json()
  }
  t.true(await verify(`${world.issuer}/upstream/tn/callback?state=x`))
  t.false(await verify(`${world.issuer}/upstream/ntpc/callback?state=x`))
  t.false(await verify(`https://evil.example/upstream/tn/callback`))
})
