import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadConfig } from '#config/load.ts'
import { ConfigError } from '#errors.ts'
import { temporaryFolder } from '../helpers/database.ts'

const root = join(import.meta.dirname, '..', '..')
const kek = Buffer.alloc(32, 7).toString('base64')

/** A folder with rules of our own beside the real ones. */
function buildRules(t: ExecutionContext, files: Record<string, string>): string {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'rules', 'connectors'), { recursive: true })
  for (const name of ['site.yaml', 'terms']) {
    cpSync(join(root, 'config', 'educloud', name), join(folder, 'rules', name), { recursive: true })
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'rules', name), text)
  return folder
}

const problemsOf = (t: ExecutionContext, env: NodeJS.ProcessEnv, cwd = root): string[] => {
  const error = t.throws(() => loadConfig(env, cwd), { instanceOf: ConfigError })
  return (
    error?.problems.map((p) => `${p.file}${p.line ? `:${p.line}` : ''} ${p.key} ${p.message}`) ?? []
  )
}

const county = `id: ntpc
type: oidc
label: { zh-TW: 新北市, en: New Taipei City }
order: 2
profile: moe-eduinfo
settings:
  issuer: https://ntpc.sso.edu.tw
  client_id_env: NTPC_CLIENT_ID
  client_secret_env: NTPC_CLIENT_SECRET
  scopes: [openid]
`

test('the shipped rules load without any variable set', (t) => {
  const config = loadConfig({}, root)
  t.is(config.issuer, 'http://localhost:3000')
  t.is(config.site.id, 'educloud')
  t.deepEqual(config.sandbox, { demoPort: 3001, sandboxPort: 3002 })
})

test('ports and issuer come from the environment', (t) => {
  const config = loadConfig({ PORT: '4000', DEMO_PORT: '4001', SANDBOX_PORT: '4002' }, root)
  t.is(config.issuer, 'http://localhost:4000')
  t.deepEqual(config.sandbox, { demoPort: 4001, sandboxPort: 4002 })
})

test('every problem is listed at once, each with file, line and key', (t) => {
  const cwd = buildRules(t, {
    'connectors/ntpc.yaml': county
      .replace('https://ntpc.sso.edu.tw', 'http://ntpc.sso.edu.tw')
      .replace('order: 2', 'order: two\ncolour: red'),
    'connectors/kh.yaml': 'id: kh\ntype: carrier-pigeon\n',
    'connectors/tc.yaml': 'id: [tc\n',
  })
  const problems = problemsOf(t, { CITYGATE_CONFIG: 'rules', PORT: '3000' }, cwd)
  t.true(
    problems.some((p) =>
      /^rules\/connectors\/ntpc\.yaml:8 settings\.issuer must be an https URL/.test(p),
    ),
    problems.join('\n'),
  )
  t.true(problems.some((p) => /^rules\/connectors\/ntpc\.yaml:4 order /.test(p)))
  t.true(
    problems.some((p) => /^rules\/connectors\/ntpc\.yaml:5 colour is not a key we know/.test(p)),
  )
  t.true(problems.some((p) => /^rules\/connectors\/kh\.yaml:2 type /.test(p)))
  t.true(problems.some((p) => /^rules\/connectors\/tc\.yaml:\d /.test(p)))
})

test('what is wrong in the environment hides nothing that is wrong in the files', (t) => {
  const env = { PORT: 'abc', WORKERS: 'many', TRUSTED_PROXIES: 'nonsense' }
  const problems = problemsOf(t, { ...env, CITYGATE_CONFIG: 'nowhere' })
  for (const one of [
    /^environment PORT must be a whole number/,
    /^environment WORKERS must be a whole number/,
    /^nowhere\/site\.yaml/,
  ]) {
    t.true(
      problems.some((problem) => one.test(problem)),
      problems.join('\n'),
    )
  }
})

test('a percent sign in a password that stands for itself is told before anybody connects', (t) => {
  for (const [name, value] of [
    ['DATABASE_URL', 'postgres://citygate:50%sure@db.example/citygate'],
    ['SMTP_URL', 'smtps://citygate:50%sure@mail.example'],
  ] as const) {
    const problems = problemsOf(t, { [name]: value, MAIL_FROM: 'id@example.gov.tw' })
    t.true(
      problems.some((one) => one.startsWith(`environment ${name} `) && one.includes('%25')),
      problems.join('\n'),
    )
    t.false(problems.join('\n').includes('sure'))
  }
})

test('a missing folder of rules is said, not stumbled over', (t) => {
  const problems = problemsOf(t, { CITYGATE_CONFIG: 'nowhere' })
  t.deepEqual(problems, ['nowhere/site.yaml  cannot be read (ENOENT)'])
})

test('two files cannot describe one connector', (t) => {
  const cwd = buildRules(t, { 'connectors/a.yaml': county, 'connectors/b.yaml': county })
  const problems = problemsOf(t, { CITYGATE_CONFIG: 'rules' }, cwd)
  t.deepEqual(problems, ['rules/connectors/b.yaml id is taken by rules/connectors/a.yaml'])
})

/** An upstream of OpenID 2.0, or one that names such hosts as its former ones. */
const openid2 = (id: string, iso: string, hosts: string, more = '') => `id: ${id}
type: openid2
label: { zh-TW: 某縣, en: Some County }
order: 3
iso: ${iso}
profile: tainan
${more}
settings:
  identifier: https://${id}.example/
  hosts: [${hosts}]
  claimed_id: ^https://.+$
`
const former = (issuer: string, hosts: string) =>
  `former: [{ issuer: '${issuer}', hosts: [${hosts}], claimed_id: ^https://.+$ }]`

test('people of two counties are never known by the same names', (t) => {
  const problems = (files: Record<string, string>) =>
    problemsOf(t, { CITYGATE_CONFIG: 'rules' }, buildRules(t, files))
  t.deepEqual(
    problems({
      'connectors/a.yaml': county.replace('id: ntpc', 'id: a'),
      'connectors/b.yaml': county.replace('id: ntpc', 'id: b'),
    }),
    [
      'rules/connectors/b.yaml settings.issuer is that of rules/connectors/a.yaml: people of both would be mixed up',
    ],
  )
  for (const hosts of ['a.example', 'x.b.example', '"*.example"', '"*.b.example"']) {
    const found = problems({
      'connectors/a.yaml': openid2('a', 'TW-TNN', 'a.example, "*.b.example"'),
      'connectors/c.yaml': openid2('c', 'TW-KHH', 'c.example', former('https://old/', hosts)),
    })
    t.is(found.length, 1, hosts)
  }
  t.is(
    problems({
      'connectors/a.yaml': openid2('a', 'TW-TNN', 'a.example'),
      'connectors/c.yaml': openid2(
        'c',
        'TW-KHH',
        'c.example',
        former('https://a.example/', 'd.example'),
      ),
    }).length,
    1,
    'the issuer of another county',
  )
})

test('two gates of one county may know its people by the same names', (t) => {
  const cwd = buildRules(t, {
    'connectors/a.yaml': openid2('a', 'TW-TNN', 'a.example'),
    'connectors/c.yaml': openid2(
      'c',
      'TW-TNN',
      'c.example',
      former('https://a.example/', 'a.example'),
    ),
  })
  t.is(loadConfig({ CITYGATE_CONFIG: 'rules' }, cwd).connectors.length, 2)
})

test('what could never come about is refused: days, a fingerprint nobody asks for, unverified addresses', (t) => {
  const more = {
    'opens: 2031-08-01\ncloses: 2031-08-01': 'closes',
    'fingerprint: http://axschema.edu.tw/person/guid': 'fingerprint',
    'linking: verified-email': 'linking',
  }
  for (const [text, key] of Object.entries(more)) {
    const cwd = buildRules(t, { 'connectors/a.yaml': openid2('a', 'TW-TNN', 'a.example', text) })
    const found = problemsOf(t, { CITYGATE_CONFIG: 'rules' }, cwd)
    t.regex(found.join(), new RegExp(`^[^,]*a\\.yaml\\S* ${key} [^,]*`), text)
    t.is(found.length, 1)
  }
})

test('a county is connected when its variables are set, and half a pair is a mistake', (t) => {
  const cwd = buildRules(t, { 'connectors/ntpc.yaml': county })
  const env = { CITYGATE_CONFIG: 'rules', NTPC_CLIENT_ID: 'id', NTPC_CLIENT_SECRET: 'secret' }
  t.deepEqual(loadConfig(env, cwd).connectors[0]?.credentials, {
    clientId: 'id',
    clientSecret: 'secret',
  })
  t.is(loadConfig({ CITYGATE_CONFIG: 'rules' }, cwd).connectors[0]?.credentials, undefined)
  const problems = problemsOf(t, { ...env, NTPC_CLIENT_SECRET: '' }, cwd)
  t.deepEqual(problems, [
    'rules/connectors/ntpc.yaml settings.client_secret_env NTPC_CLIENT_ID is set, but NTPC_CLIENT_SECRET is not',
  ])
})

test('production refuses http, the sandbox, and missing or example secrets, and says why', (t) => {
  const production = { NODE_ENV: 'production' }
  const bare = problemsOf(t, production)
  t.true(bare.some((p) => p.startsWith('environment ISSUER must be set')))
  t.true(bare.some((p) => p.startsWith('environment CITYGATE_KEK must be set')))

  const wrong = problemsOf(t, {
    ...production,
    ISSUER: 'http://id.example.gov.tw',
    SANDBOX: 'on',
    CITYGATE_KEK: Buffer.alloc(32).toString('base64'),
  })
  t.true(wrong.some((p) => p.startsWith('environment ISSUER must be https')))
  t.true(wrong.some((p) => p.startsWith('environment SANDBOX the sandbox has public passwords')))
  t.true(wrong.some((p) => p.startsWith('environment CITYGATE_KEK is the example')))

  const right = loadConfig(
    { ...production, ISSUER: 'https://id.example.gov.tw', CITYGATE_KEK: kek },
    root,
  )
  t.true(right.production)
  t.is(right.sandbox, undefined)
})

test('no secret is echoed in a complaint', (t) => {
  const secret = 'c2VjcmV0LXZhbHVl'
  const problems = problemsOf(t, { CITYGATE_KEK: secret, PORT: 'abc' })
  t.false(problems.join('\n').includes(secret))
})

test('an issuer with a path or trailing slash is refused', (t) => {
  for (const ISSUER of ['https://id.example.tw/', 'https://id.example.tw/oidc', 'id.example.tw']) {
    t.true(problemsOf(t, { ISSUER })[0]?.startsWith('environment ISSUER'), ISSUER)
  }
})

test('a path may be absolute', (t) => {
  const cwd = buildRules(t, {})
  const config = loadConfig(
    { CITYGATE_CONFIG: join(cwd, 'rules'), DATA_DIR: '/var/lib/citygate' },
    root,
  )
  t.is(config.dataDir, '/var/lib/citygate')
  t.deepEqual(config.connectors, [])
})

test('two APIs of one id, or with a scope of our own, are refused with their place', (t) => {
  const cwd = buildRules(t, {})
  const api = (id: string, scope: string) =>
    `  - { id: '${id}', label: { zh-TW: 甲, en: A }, scopes: [{ scope: '${scope}', label: { zh-TW: 甲, en: A } }] }\n`
  const site = `id: x\ntitle: { zh-TW: 甲, en: A }\nresources:\n${api('https://a.example', 'a:read')}${api('https://a.example', 'profile')}`
  writeFileSync(join(cwd, 'rules', 'site.yaml'), site)
  const problems = problemsOf(t, { CITYGATE_CONFIG: 'rules' }, cwd)
  t.deepEqual(problems, [
    'rules/site.yaml:5 resources.1.id is the id of resources.0 already',
    'rules/site.yaml:5 resources.1.scopes.0.scope is a scope of our own; name it otherwise',
  ])
})

test('keys that would sign before every app has read them are refused with their place', (t) => {
  const cwd = buildRules(t, {})
  const site =
    'id: x\ntitle: { zh-TW: 甲, en: A }\nkeys:\n  publish_ahead_seconds: 659\n  jwks_max_age_seconds: 600\n'
  writeFileSync(join(cwd, 'rules', 'site.yaml'), site)
  t.deepEqual(problemsOf(t, { CITYGATE_CONFIG: 'rules' }, cwd), [
    'rules/site.yaml:4 keys.publish_ahead_seconds must be at least jwks_max_age_seconds + 2 × follow_seconds, 660',
  ])
})

test('a previous or new key-encryption key that is none is said, under its own name', (t) => {
  for (const name of ['CITYGATE_KEK_PREVIOUS', 'CITYGATE_NEW_KEK']) {
    const [problem] = problemsOf(t, { [name]: 'c2hvcnQ=' })
    t.regex(problem ?? '', new RegExp(`${name} must be 32 bytes in base64`))
  }
})

test('one factor is not called what both are called', (t) => {
  const cwd = buildRules(t, {})
  const path = join(cwd, 'rules', 'site.yaml')
  const site = readFileSync(path, 'utf8')
  t.notRegex(site, /^acr:/m)
  writeFileSync(path, `${site}\nacr: { upstream: same, two_factor: same }\n`)
  const problems = problemsOf(t, { CITYGATE_CONFIG: 'rules' }, cwd)
  t.regex(problems.join('\n'), /acr\.two_factor must differ/)
})
