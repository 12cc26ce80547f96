import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parse } from 'yaml'
import {
  type ConnectorFile,
  type ConnectorType,
  connectorFile,
  type ProfileName,
} from '#config/connector.ts'
import { loadConfig } from '#config/load.ts'
import { claimedIdRules, readClaimedId } from '#federation/claimed-id.ts'
import { openConnectors } from '#federation/registry.ts'
import { costOf } from '../helpers/computing.ts'
import { lendFederation } from './lend.ts'

const folder = join(import.meta.dirname, '..', '..', 'config', 'educloud', 'connectors')
const files = readdirSync(folder).sort()
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const connectors = files
  .map((name): ConnectorFile => connectorFile.parse(parse(read(name))))
  .sort((a, b) => a.order - b.order)
const ministrys = ['moe', 'edu']
const counties = connectors.filter(({ id }) => !ministrys.includes(id))
const byId = (id: string): ConnectorFile => {
  const found = connectors.find((one) => one.id === id)
  if (!found) throw new Error(`no ${id}.yaml`)
  return found
}

test('every county is listed once, in the order of the selector, and behind them the Ministry', (t) => {
  const order =
    'kl ntpc tp ty hcc hc mlc tc chc ntct ylc cyc cy tn kh ptc ttct ilc hlc phc km mt moe edu'
  t.is(connectors.map(({ id }) => id).join(' '), order)
  t.is(new Set(connectors.map((one) => one.order)).size, 24)
  t.is(
    connectors.map(({ label }) => label['zh-TW']).join(' '),
    '基隆市 新北市 臺北市 桃園市 新竹縣 新竹市 苗栗縣 臺中市 彰化縣 南投縣 雲林縣 嘉義縣 嘉義市 臺南市 高雄市 屏東縣 臺東縣 宜蘭縣 花蓮縣 澎湖縣 金門縣 連江縣 教育部 教育雲端帳號',
  )
  t.is(new Set(connectors.map(({ label }) => label.en)).size, 24)
  t.is(new Set(counties.map(({ iso }) => iso)).size, 22)
  t.true(counties.every(({ iso }) => iso !== undefined))
})

test('a file is named after its county and says first what it is', (t) => {
  for (const name of files) {
    const text = read(name)
    const { id, label } = connectorFile.parse(parse(text))
    t.is(name, `${id}.yaml`)
    // The first line is the editors'.
    t.regex(text.split('\n')[0] ?? '', /^# yaml-language-server: /)
    t.true(text.split('\n')[1]?.startsWith(`# ${label['zh-TW']} ${label.en}: `), name)
    t.regex(text, /^# (Source|No OpenID Connect)/m, name)
  }
})

test('no school code prefix belongs to two counties, and none to the Ministry', (t) => {
  const all = counties.flatMap((one) => one.school_code_prefixes)
  t.is(new Set(all).size, all.length)
  t.true(counties.every((one) => one.school_code_prefixes.length > 0))
  for (const id of ministrys) t.like(byId(id), { iso: undefined, school_code_prefixes: [] })
})

test('a county is found by its tail, by Latin spellings and by 台 as by 臺', (t) => {
  for (const { id, keywords, label } of connectors) {
    t.true(keywords.includes(id), id)
    t.true(keywords.filter((word) => /^[A-Z]/.test(word)).length >= 1, id)
    const name = label['zh-TW']
    if (name.includes('臺')) t.true(keywords.includes(name.replace('臺', '台')), id)
  }
})

test('everybody is read by the vocabulary of her county', (t) => {
  const profiles: Record<string, ProfileName> = {
    tp: 'taipei',
    kh: 'kaohsiung',
    tn: 'tainan',
    km: 'library-schema',
  }
  const types: Record<string, ConnectorType> = { tp: 'oauth2', tn: 'openid2', km: 'openid2' }
  for (const { id, type, profile } of connectors) {
    t.is(profile, profiles[id] ?? 'moe-eduinfo', id)
    t.is(type, types[id] ?? 'oidc', id)
  }
})

test('issuers, scopes and calls are those of the facts', (t) => {
  const hosts: Record<string, string> = { ty: 'tyc', mt: 'matsu' }
  for (const county of connectors) {
    if (county.type !== 'oidc' || ['kh', 'edu'].includes(county.id)) continue
    const { id, settings } = county
    const issuer = `https://${hosts[id] ?? id}.sso.edu.tw`
    t.like(settings, {
      issuer,
      client_id_env: `${id.toUpperCase()}_CLIENT_ID`,
      client_secret_env: `${id.toUpperCase()}_CLIENT_SECRET`,
      token_auth: 'client_secret_basic',
      userinfo: true,
      verifies_email: false,
      end_session_endpoint: `${issuer}/oidc/v1/logout-to-go`,
      claims_call: {
        claim: 'eduinfo',
        url: `${issuer}/cncresource/api/${id === 'tc' ? 'v2' : 'v1'}/eduinfo`,
      },
    })
    t.deepEqual(
      settings.scopes.toSorted(),
      [
        'openid',
        'profile',
        'email',
        'eduinfo',
        ...(id === 'ylc' ? [] : ['openid2']),
        ...(id === 'ylc' || id === 'ty' ? [] : ['educloudroles']),
      ].toSorted(),
      id,
    )
  }
})

test('the front OP has paths and names of its own', (t) => {
  t.like(byId('edu'), {
    type: 'oidc',
    settings: {
      issuer: 'https://oidc.tanet.edu.tw',
      scopes: ['openid', 'email', 'profile', 'openid2', 'eduinfo'],
      claims_call: { url: 'https://oidc.tanet.edu.tw/moeresource/api/v1/oidc/eduinfo' },
      end_session_names: {
        id_token_hint: 'Id_token_hint',
        post_logout_redirect_uri: 'post_logout_redirect_url',
      },
    },
    former: [],
  })
})

test('Kaohsiung keeps its slash, its post and its silence at userinfo', (t) => {
  t.like(byId('kh'), {
    settings: {
      issuer: 'https://oidc.kh.edu.tw/',
      token_auth: 'client_secret_post',
      userinfo: false,
      claims_call: undefined,
    },
  })
})

test('what is signed over https says so, and what tells of a reissued login really arrives', (t) => {
  for (const { id, type, settings, enabled_env: enabled, fingerprint } of connectors) {
    if (type !== 'openid2') {
      t.is(enabled, undefined, id)
      t.is(fingerprint, undefined, id)
      continue
    }
    t.is(enabled, `${id.toUpperCase()}_OPENID2`)
    t.is(settings.insecure, settings.identifier.startsWith('http:'))
    t.true(settings.hosts.includes(new URL(settings.identifier).host))
    if (fingerprint) t.true(settings.ax.includes(fingerprint), id)
  }
  t.is(byId('tn').fingerprint, 'http://axschema.edu.tw/person/guid')
})

/** How each county's people were known over OpenID 2.0, and what that is written as. */
const known: [id: string, said: string, kept?: string][] = [
  ['ntpc', 'https://openid.ntpc.edu.tw/user/wang'],
  ['ntpc', 'http://openid.ntpc.edu.tw/user/wang', 'https://openid.ntpc.edu.tw/user/wang'],
  ['kh', 'http://openid.kh.edu.tw/S0407225', 'https://openid.kh.edu.tw/S0407225'],
  ['tc', 'http://wang.openid.tc.edu.tw/', 'https://wang.openid.tc.edu.tw/'],
  ['tc', 'http://wang.openid.tc.edu.tw', 'https://wang.openid.tc.edu.tw/'],
  ['phc', 'https://openid.phc.edu.tw/wang'],
  ['phc', 'http://wang.openid.phc.edu.tw/', 'https://wang.openid.phc.edu.tw/'],
  ['ylc', 'http://wang.openid.ylc.edu.tw/'],
  ['ylc', 'https://openid.ylc.edu.tw/wang', 'http://openid.ylc.edu.tw/wang'],
  ['mlc', 'https://openid.mlc.edu.tw/wang', 'https://openid2.mlc.edu.tw/wang'],
  ['mlc', 'https://openid2.mlc.edu.tw/wang'],
  ['hlc', 'https://openid.hlc.edu.tw/wang', 'http://openid2.hlc.edu.tw/wang'],
  ['hlc', 'http://openid2.hlc.edu.tw/wang'],
  ['cyc', 'https://openid.cyccc.tw/wang'],
  ['tp', 'https://ldap.tp.edu.tw/openid/wang', 'https://openid.tp.edu.tw/openid/wang'],
  ['mt', 'http://openid.matsu.edu.tw/wang', 'https://openid.matsu.edu.tw/wang'],
  ['ttct', 'https://openid.boe.ttct.edu.tw/wang'],
]
const formerOf = (id: string, said: string) =>
  byId(id)
    .former.map((one) => readClaimedId(said, claimedIdRules(one.issuer, one)))
    .find(Boolean)

test('who was known over OpenID 2.0 is recognised under every host and scheme it had', (t) => {
  for (const [id, said, kept = said] of known) t.is(formerOf(id, said), kept, said)
})

test('nobody is recognised by another county’s identifier, nor by one of nobody’s', (t) => {
  for (const { id } of connectors) {
    for (const [whose, said] of known) if (whose !== id) t.is(formerOf(id, said), undefined, said)
    for (const { issuer, hosts } of byId(id).former) {
      const host = (hosts[0] ?? '').replace('*', 'wang')
      for (const said of [
        `https://${host}.evil.example/wang`,
        `https://evil.example/${host}/wang`,
        `https://${host}@evil.example/wang`,
        `https://${host}:8443/wang`,
        `https://${host}/`.replace('wang.', ''),
        `https://${host}/user/wang/x`,
        `https://${host}/user/wang?x=1`,
        `https://${host}/user/wang#2`,
        issuer,
      ])
        t.is(formerOf(id, said), undefined, `${id}: ${said}`)
    }
  }
})

test('what an identifier looks like is written without a dot for anything, and read in no time', (t) => {
  for (const { id, former, ...file } of connectors) {
    const own =
      file.type === 'openid2' ? [{ ...file.settings, issuer: file.settings.identifier }] : []
    for (const one of [...former, ...own]) {
      const outside = one.claimed_id.replaceAll(/\[[^\]]*\]/g, '')
      t.notRegex(outside, /(?<!\\)\./, id)
      const rules = claimedIdRules(one.issuer, one)
      const host = (one.hosts[0] ?? '').replace('*', 'wang')
      const cost = costOf(() => {
        for (const long of ['a'.repeat(200), '.'.repeat(200), '%2f'.repeat(66), '-a.'.repeat(66)])
          for (const end of ['/', '?', '\u{1f600}/'])
            readClaimedId(`https://${host}/${long}${end}`, rules)
      })
      t.true(cost < 250, `${id}: ${cost} ms`)
    }
  }
})

test('a former issuer is one of its own hosts, and no host stands in two counties’ files', (t) => {
  const owners = new Map<string, string>()
  for (const { id, former, ...file } of connectors) {
    const own = file.type === 'openid2' ? [file.settings] : []
    for (const host of [...former, ...own].flatMap((one) => one.hosts)) {
      const plain = host.replace('*.', '')
      t.is(owners.get(plain) ?? id, id, host)
      owners.set(plain, id)
    }
    for (const { issuer, hosts } of former) {
      const { host } = new URL(issuer)
      t.true(hosts.map((one) => one.replace('*.', '')).includes(host), `${id}: ${issuer}`)
    }
  }
  t.deepEqual(
    connectors.filter(({ former }) => former.length === 0).map(({ id }) => id),
    ['tn', 'km', 'moe', 'edu'],
    'two that have OpenID 2.0 still, and the Ministry, that no county’s people are known by',
  )
})

test('Tainan’s move to OpenID Connect is written down, and its recipe fits its file', (t) => {
  const tn = byId('tn')
  if (tn.type !== 'openid2') return t.fail()
  const recipe = /^# {8}former:\n((?:# {10}.*\n)+)/m.exec(read('tn.yaml'))?.[1] ?? ''
  const { identifier: issuer, hosts, claimed_id } = tn.settings
  t.deepEqual(parse(recipe.replaceAll(/^# {10}/gm, '')), [{ issuer, hosts, claimed_id }])
})

test('staff are told of every county’s ways', (t) => {
  for (const { id, quirks } of connectors) {
    t.true(quirks.length > 0, id)
    t.true(
      quirks.every((one) => one.trim().length > 10 && one.length < 160),
      id,
    )
  }
})

const load = (env: NodeJS.ProcessEnv) =>
  loadConfig({ CITYGATE_CONFIG: join(folder, '..'), ...env }).connectors
const ports = lendFederation({
  now: () => 0,
  fetch: () => {
    throw new Error('opening must do no I/O')
  },
})

test('all are listed without a variable, and all are opened with every variable set', (t) => {
  t.true(load({}).every(({ credentials }) => credentials === undefined))
  const named = connectors.flatMap(({ settings, enabled_env: enabled }) => [
    ...(enabled ? [enabled] : []),
    ...Object.entries(settings).flatMap(([key, value]) => (key.endsWith('_env') ? [value] : [])),
  ])
  t.is(new Set(named).size, named.length, 'no variable stands in two files')
  const env = Object.fromEntries(named.map((name) => [String(name), 'on']))
  t.is(openConnectors(load(env), ports).size, 24)
})
