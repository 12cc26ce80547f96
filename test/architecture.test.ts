/** Imports follow the map of rooms in the README: calls go down, only data comes back up. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import test from 'ava'

const src = join(import.meta.dirname, '..', 'src')

const everyone = ['lib', 'errors', 'config']
const all = [
  'main',
  'commands',
  'serve',
  'cluster',
  'app',
  'jobs',
  'http',
  'interaction',
  'enrolment',
  'account',
  'admin',
  'oidc',
  'federation',
  'accounts',
  'outside',
  'store',
  'sandbox',
]
/** Room → rooms it may import, beside `everyone`. */
const arrows: Record<string, string[]> = {
  main: ['commands'],
  // outside: the doctor calls upstreams and the mail server as the running program would.
  commands: [
    'app',
    'opening',
    'serve',
    'http',
    'enrolment',
    'federation',
    'accounts',
    'admin',
    'jobs',
    'oidc',
    'outside',
    'store',
  ],
  serve: ['app', 'opening', 'cluster', 'sandbox'],
  cluster: [],
  app: [...all, 'opening'],
  // What app.ts is made of; wiring only, no rules.
  opening: all,
  sandbox: all,
  http: ['interaction', 'enrolment', 'account', 'admin', 'federation', 'accounts', 'oidc'],
  interaction: ['enrolment', 'federation', 'accounts', 'oidc', 'store'],
  jobs: ['oidc', 'accounts', 'outside', 'store'],
  account: ['enrolment', 'federation', 'accounts', 'oidc', 'store'],
  admin: ['enrolment', 'federation', 'accounts', 'oidc', 'store'],
  enrolment: ['federation', 'accounts', 'store'],
  oidc: ['accounts', 'store'],
  accounts: ['store'],
  federation: [],
  outside: [],
  store: [],
  config: [],
  lib: [],
  errors: [],
}
/** Types alone may be read further: they are data's shape, not a call. */
const typeArrows: Record<string, string[]> = {
  accounts: ['federation'],
  // What is probed is a connector, and what it shows is written on the board: both are lent.
  jobs: ['federation'],
  // The house hands its machines on.
  http: ['store', 'outside'],
}
/** Packages that belong to one room: elsewhere they would be a second way to do the same. */
const packages: Record<string, string[]> = {
  knex: ['store'],
  sqlite3: ['store'],
  undici: ['outside', 'sandbox'],
  ejs: ['http', 'outside', 'sandbox'],
  'openid-client': ['federation', 'sandbox'],
  '@node-saml/node-saml': ['federation'],
  '@xmldom/xmldom': ['federation'],
  'xml-crypto': ['sandbox'],
  'xml-encryption': ['sandbox'],
  ldapts: ['federation', 'sandbox'],
  selfsigned: ['sandbox'],
  json5: ['federation'],
  '@node-rs/argon2': ['accounts'],
  bcryptjs: ['accounts'],
  piscina: ['accounts'],
  koa: ['http', 'sandbox'],
  'prom-client': ['lib'],
  nodemailer: ['outside'],
  sharp: ['outside'],
  busboy: ['http'],
  'altcha-lib': ['lib'],
  'taiwan-id-validator': ['lib'],
  '@zxcvbn-ts/core': ['accounts'],
  '@simplewebauthn/server': ['accounts'],
  otpauth: ['accounts'],
  uqr: ['lib'],
  'csv-parse': ['admin'],
  'csv-stringify': ['admin'],
  '@opentelemetry/api': ['lib'],
  '@opentelemetry/sdk-trace-base': ['lib'],
}

type Import = { file: string; from: string; to: string; typeOnly: boolean; specifier: string }

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) =>
  f.endsWith('.ts'),
)
const roomOf = (file: string) => file.split('/')[0]?.replace(/\.ts$/, '') ?? ''

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), 'utf8').replace(/^\s*(\*|\/\*|\/\/).*$/gm, '')
  const found = text.matchAll(
    /(?:import|export)\s+(type\s+)?(?:[^'"();]*?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)/g,
  )
  return [...found].map(([, type, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? ''
    const target = specifier.startsWith('#')
      ? specifier.slice(1)
      : specifier.startsWith('.')
        ? relative(src, resolve(src, dirname(file), specifier))
        : specifier
    const local = /^[#.]/.test(specifier)
    return {
      file,
      from: roomOf(file),
      to: local ? roomOf(target) : '',
      typeOnly: !!type,
      specifier,
    }
  })
})

test('the imports of every room are found', (t) => {
  t.true(imports.length > 100)
  for (const room of new Set(files.map(roomOf))) t.true(room in arrows, `${room} is not on the map`)
})

test('imports go down the map only', (t) => {
  const wrong = imports
    .filter(({ to, from }) => to && to !== from && !everyone.includes(to))
    .filter(({ from, to, typeOnly }) => {
      const allowed = [...(arrows[from] ?? []), ...(typeOnly ? (typeArrows[from] ?? []) : [])]
      return !allowed.includes(to)
    })
    .map(({ file, specifier }) => `${file} imports ${specifier}`)
  t.deepEqual(wrong, [])
})

test('rooms read only types of the config', (t) => {
  const readers = ['main', 'commands', 'serve', 'app', 'sandbox', 'config']
  const constants = ['#config/words.ts', '#config/connector.ts', '#config/enrolment.ts']
  const wrong = imports
    .filter(({ to, from, typeOnly }) => to === 'config' && !typeOnly && !readers.includes(from))
    .filter(({ specifier }) => !constants.includes(specifier))
    .map(({ file, specifier }) => `${file} imports ${specifier}`)
  t.deepEqual(wrong, [])
})

test('another room is entered by #room/file.ts, one’s own by ./file.ts', (t) => {
  const wrong = imports
    .filter(({ specifier, from, to }) => {
      if (specifier.startsWith('#')) return from === to
      return (
        specifier.startsWith('.') &&
        from !== to &&
        !['main', 'commands', 'serve', 'cluster', 'errors', 'config', 'app'].includes(from)
      )
    })
    .map(({ file, specifier }) => `${file} imports ${specifier}`)
  t.deepEqual(wrong, [])
})

test('a package that belongs to a room is used there only', (t) => {
  const wrong = imports
    .filter(({ specifier, from, typeOnly }) => {
      const rooms = packages[specifier]
      return rooms && !typeOnly && !rooms.includes(from)
    })
    .map(({ file, specifier }) => `${file} imports ${specifier}`)
  t.deepEqual(wrong, [])
})

test('only http reads a request and only the ports bring time, chance and network into rules', (t) => {
  const rules = ['interaction', 'accounts', 'federation', 'oidc', 'store', 'admin']
  const wrong = files
    .filter((file) => rules.includes(roomOf(file)))
    .flatMap((file) => {
      const text = readFileSync(join(src, file), 'utf8').replace(/^\s*(\*|\/\*|\/\/).*$/gm, '')
      const bare = text.match(
        /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|[^.\w]fetch\('|ctx\.(host|hostname|origin|back)\b/g,
      )
      return (bare ?? []).map((found) => `${file}: ${found.trim()}`)
    })
  t.deepEqual(wrong, [])
})

test('no county has a branch of its own', (t) => {
  const wrong = files
    .filter((file) => roomOf(file) !== 'sandbox')
    .filter((file) =>
      /(county|connector)(\.id)?\s*===\s*'/.test(readFileSync(join(src, file), 'utf8')),
    )
  t.deepEqual(wrong, [])
})
