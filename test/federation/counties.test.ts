import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parse } from 'yaml'
import { type ConnectorFile, connectorFile } from '#config/connector.ts'

const folder = join(import.meta.dirname, '..', '..', 'config', 'educloud', 'connectors')
const files = readdirSync(folder).sort()
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const counties = files
  .map((name): ConnectorFile => connectorFile.parse(parse(read(name))))
  .sort((a, b) => a.order - b.order)

test('every county is listed once, in the order of the selector', (t) => {
  const order =
    'kl ntpc tp ty hcc hc mlc tc chc ntct ylc cyc cy tn kh ptc ttct ilc hlc phc km mt'.split(' ')
  t.deepEqual(
    counties.map(({ id }) => id),
    order,
  )
  t.is(new Set(counties.map((one) => one.order)).size, 22)
  t.deepEqual(
    counties.map(({ label }) => label['zh-TW']).join(' '),
    '基隆市 新北市 臺北市 桃園市 新竹縣 新竹市 苗栗縣 臺中市 彰化縣 南投縣 雲林縣 嘉義縣 嘉義市 臺南市 高雄市 屏東縣 臺東縣 宜蘭縣 花蓮縣 澎湖縣 金門縣 連江縣',
  )
  t.is(new Set(counties.map(({ label }) => label.en)).size, 22)
  t.is(new Set(counties.map(({ iso }) => iso)).size, 22)
})

test('a file is named after its county and says first what it is', (t) => {
  for (const name of files) {
    const text = read(name)
    const { id, label } = connectorFile.parse(parse(text))
    t.is(name, `${id}.yaml`)
    // The first line is the editors'.
    t.regex(text.split('\n')[0] ?? '', /^# yaml-language-server: /)
    t.true(text.split('\n')[1]?.startsWith(`# ${label['zh-TW']} ${label.en}: `), name)
  }
})

test('no school code prefix belongs to two counties', (t) => {
  const all = counties.flatMap((one) => one.school_code_prefixes)
  t.is(new Set(all).size, all.length)
  t.true(counties.every((one) => one.school_code_prefixes.length > 0))
})

test('a county is found by its tail, by Latin spellings and by 台 as by 臺', (t) => {
  for (const { id, keywords, label } of counties) {
    t.true(keywords.includes(id), id)
    t.true(keywords.filter((word) => /^[A-Z]/.test(word)).length >= 1, id)
    const name = label['zh-TW']
    if (name.includes('臺')) t.true(keywords.includes(name.replace('臺', '台')), id)
  }
})

test('issuers, scopes and calls are those of the facts', (t) => {
  const hosts: Record<string, string> = { ty: 'tyc', mt: 'matsu' }
  for (const county of counties) {
    if (county.type !== 'oidc' || county.id === 'kh') continue
    const { id, profile, settings } = county
    const issuer = `https://${hosts[id] ?? id}.sso.edu.tw`
    t.is(profile, 'moe-eduinfo')
    t.like(settings, {
      issuer,
      client_id_env: `${id.toUpperCase()}_CLIENT_ID`,
      client_secret_env: `${id.toUpperCase()}_CLIENT_SECRET`,
      token_auth: 'client_secret_basic',
      userinfo: true,
      verifies_email: false,
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

test('Kaohsiung keeps its slash, its post and its silence at userinfo', (t) => {
  const kh = counties.find(({ id }) => id === 'kh')
  t.like(kh, {
    type: 'oidc',
    profile: 'kaohsiung',
    settings: {
      issuer: 'https://oidc.kh.edu.tw/',
      token_auth: 'client_secret_post',
      userinfo: false,
      claims_call: undefined,
    },
  })
})
