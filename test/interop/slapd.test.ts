/** The ldap connector against OpenLDAP's server, and OpenLDAP's client against the sandbox's directory. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { type ConnectorFile, connectorFile } from '#config/connector.ts'
import { openLdapConnector } from '#federation/connectors/ldap.ts'
import { openMapped } from '#federation/profiles/mapped.ts'
import { directory } from '#sandbox/counties.ts'
import { openDirectory } from '#sandbox/providers/directory.ts'
import { openSwitches } from '#sandbox/switches.ts'
import { makeOne } from '../federation/canned-directory.ts'
import { fails } from '../federation/canned-upstream.ts'
import { lendFederation } from '../federation/lend.ts'
import { ensurePackages, peerPackages, unpackPackage } from '../helpers/debian.ts'
import { eventually } from '../helpers/eventually.ts'
import { freePort } from '../helpers/free-port.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'citygate-slapd-'))
const base = 'dc=school,dc=example'
const { key, certificate } = await makeOne({
  keyType: 'rsa',
  hosts: ['localhost', '127.0.0.1'],
})
const log: string[] = []
const ports = { plain: 0, tls: 0 }
let slapd: ChildProcess | undefined

/** Lax as many a school’s: a DN without a password is let in as nobody (RFC 4513 §5.1.2), no DN with any password. */
const settings = () => `
${['core', 'cosine', 'inetorgperson'].map((name) => `include ${folder}/etc/ldap/schema/${name}.schema`).join('\n')}
modulepath ${folder}/usr/lib/ldap
moduleload back_mdb
allow bind_anon_cred bind_anon_dn
TLSCertificateFile ${folder}/certificate.pem
TLSCertificateKeyFile ${folder}/key.pem
TLSCACertificateFile ${folder}/certificate.pem
pidfile ${folder}/slapd.pid
database mdb
suffix ${base}
directory ${folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=citygate,${base}" read by * none
`

const person = (uid: string, more: string) => `
dn: uid=${uid},ou=people,${base}
objectClass: inetOrgPerson
sn: 王
cn: 王小明
${more}`

const people = `
dn: ${base}
objectClass: domain
dc: school

dn: ou=people,${base}
objectClass: organizationalUnit
ou: people

dn: cn=citygate,${base}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: citygate
userPassword: service pass
${person('wang', 'uid: wang\nuserPassword: right pass\ntitle: 教師\ntitle: 設備組長\nmail: wang@school.example\n')}
${person('lin', 'uid: lin\nuid: twin\nuserPassword: right pass\n')}
${person('chen', 'uid: chen\nuid: twin\nuserPassword: right pass\n')}
${person('mute', 'uid: mute\n')}
dn: ou=elsewhere,ou=people,${base}
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=people,${base}
`

test.before(async () => {
  await ensurePackages(peerPackages.slapd)
  await unpackPackage('slapd', folder)
  mkdirSync(join(folder, 'db'))
  const files = {
    'slapd.conf': settings(),
    'people.ldif': people,
    'key.pem': key,
    'certificate.pem': certificate,
  }
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  const program = join(folder, 'usr/sbin/slapd')
  const env = { ...process.env, LD_LIBRARY_PATH: join(folder, 'usr/lib/x86_64-linux-gnu') }
  const conf = ['-f', join(folder, 'slapd.conf')]
  await run(program, ['-T', 'add', ...conf, '-l', join(folder, 'people.ldif')], { env })
  Object.assign(ports, { plain: await freePort(), tls: await freePort() })
  const at = `ldap://127.0.0.1:${ports.plain} ldaps://127.0.0.1:${ports.tls}`
  // 256: a line for each operation.
  slapd = spawn(program, [...conf, '-h', at, '-d', '256'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  slapd.stderr?.setEncoding('utf8').on('data', (text: string) => log.push(text))
  const started = await eventually(
    async () => log.join(),
    (said) => said.includes('slapd starting'),
  )
  if (!started.includes('slapd starting')) throw new Error(started)
})

test.after.always(async () => {
  const ended = slapd && new Promise((resolve) => slapd?.once('close', resolve))
  slapd?.kill()
  await ended
  rmSync(folder, { recursive: true, force: true })
})

type LdapFile = Extract<ConnectorFile, { type: 'ldap' }>

function openSchool(url: string) {
  const map = { name: 'cn', email: 'mail', titles: 'title' }
  const file = connectorFile.parse({
    id: 'county',
    type: 'ldap',
    label: { 'zh-TW': '某校', en: 'Some School' },
    order: 1,
    profile: 'mapped',
    map,
    settings: {
      url,
      start_tls: url.startsWith('ldap:'),
      issuer: 'urn:school:some',
      base_dn: `ou=people,${base}`,
      attributes: ['cn', 'mail', 'title'],
    },
  }) as LdapFile
  const credentials = {
    ca: certificate,
    bindDn: `cn=citygate,${base}`,
    bindPassword: 'service pass',
  }
  const opening = { ...file, credentials, insecure: false }
  const connector = openLdapConnector(opening, openMapped(map), lendFederation())
  const signIn = (account: string, password: string) =>
    connector.complete(
      { url: new URL('https://id.example/'), state: 's', typed: { account, password } },
      {},
    )
  return { connector, signIn }
}

/** What the server wrote down of the newest connection, without times and numbers. */
async function heard(work: () => Promise<unknown>): Promise<string[]> {
  const before = newest()
  await work()
  await eventually(
    async () => linesOf(newest()).join(),
    (said) => newest() > before && said.includes('closed') && isWhole(said),
  )
  // Its threads write when they come to it: a result may stand behind the next operation's beginning.
  return linesOf(newest())
    .sort((a, b) => numberOf(a) - numberOf(b))
    .flatMap((line) => operation.exec(line)?.[1] ?? [])
}

/** Every question has its result. */
const isWhole = (said: string) =>
  said.match(/BIND dn="[^"]*" method|SRCH base/g)?.length === said.match(/RESULT tag=/g)?.length
const numberOf = (line: string) => Number(/ op=(\d+) /.exec(line)?.[1] ?? -1)

const operation = /(BIND dn="[^"]*" method|SRCH base|UNBIND|RESULT tag=\d+ err=\d+)/
const numbers = () => [...log.join('').matchAll(/conn=(\d+)/g)].map(([, n]) => Number(n))
const newest = () => Math.max(-1, ...numbers())
const linesOf = (connection: number) =>
  log
    .join('')
    .split('\n')
    .filter((line) => line.includes(`conn=${connection} `))

test.serial('OpenLDAP knows her, over TLS and with StartTLS', async (t) => {
  for (const url of [`ldaps://localhost:${ports.tls}`, `ldap://localhost:${ports.plain}`]) {
    const { connector, signIn } = openSchool(url)
    await t.notThrowsAsync(connector.probe())
    const { subject, profile, raw } = await signIn('WANG', 'right pass')
    t.regex(subject, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    t.is(profile.name, '王小明')
    t.deepEqual(raw, { cn: '王小明', mail: 'wang@school.example', title: ['教師', '設備組長'] })
  }
})

test.serial(
  'a wrong password, nobody, two, and one without a password are the same to it',
  async (t) => {
    const { signIn } = openSchool(`ldaps://localhost:${ports.tls}`)
    const refused = (account: string) => () =>
      fails(t, 'refused', signIn(account, 'secret'), /no such account with this password$/)
    const wrong = await heard(refused('wang'))
    t.deepEqual(wrong, [
      `BIND dn="cn=citygate,${base}" method`,
      'RESULT tag=97 err=0',
      'SRCH base',
      'RESULT tag=101 err=0',
      `BIND dn="uid=wang,ou=people,${base}" method`,
      'RESULT tag=97 err=49',
      'UNBIND',
    ])
    const shape = (lines: string[]) => lines.map((one) => one.replace(/"[^"]*"/, ''))
    for (const account of ['nobody', 'twin', 'mute', '*', 'wang)(uid=*', '*)(uid=*', 'wa*'])
      t.deepEqual(shape(await heard(refused(account))), shape(wrong), account)
  },
)

test.serial('it would let her in without a password; we do not ask', async (t) => {
  const env = { ...process.env, LDAPTLS_CACERT: join(folder, 'certificate.pem') }
  const dn = `uid=wang,ou=people,${base}`
  // Its client takes `localhost` for the machine's own name.
  const url = `ldaps://127.0.0.1:${ports.tls}`
  const lax = await run('ldapwhoami', ['-x', '-H', url, '-D', dn, '-w', ''], { env })
  t.is(lax.stdout.trim(), 'anonymous')
  const { signIn } = openSchool(url)
  const before = newest()
  await fails(t, 'refused', signIn('wang', ''))
  await heard(() => fails(t, 'refused', signIn('wang', 'secret')))
  t.is(newest(), before + 1, 'only the second one connected')
})

test.serial('OpenLDAP’s own client reads the sandbox’s directory', async (t) => {
  const strings = new Map<string, string>()
  const memory = {
    get: async (name: string) => strings.get(name),
    set: async (name: string, value: string) => void strings.set(name, value),
  }
  const school = await openDirectory(directory, {
    memory,
    switches: openSwitches(memory),
    slowMs: 1,
  })
  t.teardown(school.close)
  writeFileSync(join(folder, 'sandbox.pem'), school.ca)
  const env = { ...process.env, LDAPTLS_CACERT: join(folder, 'sandbox.pem') }
  const search = (password: string, filter: string) =>
    run(
      'ldapsearch',
      [
        ...[
          '-x',
          '-LLL',
          '-H',
          school.url.replace('localhost', '127.0.0.1'),
          '-b',
          directory.baseDn,
          '-w',
          password,
        ],
        ...['-D', `uid=dirtest,${directory.baseDn}`, filter, 'uid', 'entryUUID'],
      ],
      { env },
    )
  const { stdout } = await search('dirtest', '(&(objectClass=inetOrgPerson)(uid=dirt*))')
  t.regex(stdout, /uid: dirtest/)
  t.regex(stdout, /entryUUID: [0-9a-f-]{36}/)
  await t.throwsAsync(search('wrong', '(uid=*)'), { message: /Invalid credentials \(49\)/ })
})
