/** SimpleSAMLphp as an identity provider under PHP's own web server, from Debian's packages. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { makeCertificate } from '#sandbox/certificates.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'

export type SimpleSaml = {
  /** Also where its metadata is. */
  entityId: string
  /** Where it signs people out of everything, and then goes on to. */
  signOut(returnTo: string): string
  /** Tells it of a service provider. */
  register(metadata: string): void
  /** Whether it encrypts assertions from now on. */
  encrypt(on: boolean): void
}

/** Who can sign in: the account is the password. */
export const teacher = {
  uid: ['wang01'],
  displayName: ['王小明'],
  mail: ['wang01@uni.example'],
  schoolCode: ['014569'],
  title: ['教師', '設備組長'],
}

/** PHP literals are close enough to JSON for what stands in these files. */
const php = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(php).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `[${Object.entries(value)
      .map(([key, one]) => `${/^\d+$/.test(key) ? key : php(key)} => ${php(one)}`)
      .join(', ')}]`
  return typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : String(value)
}

export async function startSimpleSaml(t: ExecutionContext): Promise<SimpleSaml> {
  const folder = temporaryFolder(t)
  const port = await freePort()
  const base = `http://localhost:${port}/simplesaml/`
  const entityId = `${base}saml2/idp/metadata.php`
  const place = (name: string) => join(folder, name)
  for (const name of ['config', 'metadata', 'cert', 'log', 'data', 'tmp', 'sessions', 'docroot'])
    mkdirSync(place(name))
  symlinkSync('/usr/share/simplesamlphp/www', place('docroot/simplesaml'))
  const day = 24 * 60 * 60 * 1000
  const { key, certificate } = await makeCertificate({
    commonName: 'idp.example',
    from: new Date(Date.now() - day),
    until: new Date(Date.now() + day),
  })
  writeFileSync(place('cert/idp.pem'), key)
  writeFileSync(place('cert/idp.crt'), certificate)
  const config = {
    baseurlpath: base,
    certdir: place('cert/'),
    loggingdir: place('log/'),
    datadir: place('data/'),
    tempdir: place('tmp'),
    metadatadir: place('metadata/'),
    attributenamemapdir: '/etc/simplesamlphp/attributemap/',
    secretsalt: 'of-this-test-only',
    'auth.adminpassword': 'of-this-test-only',
    timezone: 'Asia/Taipei',
    'logging.handler': 'file',
    'logging.level': 7,
    'enable.saml20-idp': true,
    'module.enable': { exampleauth: true, core: true, saml: true },
    'session.cookie.secure': false,
    'session.cookie.samesite': null,
    'session.phpsession.savepath': place('sessions'),
    'language.cookie.secure': false,
    'language.cookie.samesite': null,
    'metadata.sources': [{ type: 'flatfile' }, { type: 'xml', file: place('metadata/sp.xml') }],
    'store.type': 'phpsession',
  }
  writeFileSync(place('config/config.php'), `<?php\n$config = ${php(config)};\n`)
  const { uid, ...attributes } = teacher
  const people = { [`${uid}:${uid}`]: { uid, ...attributes } }
  const sources = { people: { 0: 'exampleauth:UserPass', ...people } }
  writeFileSync(place('config/authsources.php'), `<?php\n$config = ${php(sources)};\n`)
  const hosted = {
    host: '__DEFAULT__',
    privatekey: 'idp.pem',
    certificate: 'idp.crt',
    auth: 'people',
    'validate.authnrequest': true,
    'redirect.sign': true,
    'redirect.validate': true,
    authproc: { 10: { class: 'saml:PersistentNameID', attribute: 'uid' } },
  }
  writeFileSync(
    place('metadata/saml20-idp-hosted.php'),
    `<?php\n$metadata[${php(entityId)}] = ${php(hosted)};\n` +
      `$metadata[${php(entityId)}]['assertion.encryption'] = file_exists(${php(place('encrypt'))});\n`,
  )
  writeFileSync(place('metadata/sp.xml'), emptyList)

  const server = spawn('php', ['-S', `localhost:${port}`, '-t', place('docroot')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, SIMPLESAMLPHP_CONFIG_DIR: place('config') },
  })
  let said = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const end = once(server, 'exit')
  t.teardown(async () => {
    const log = place('log/simplesamlphp.log')
    if (!t.passed && existsSync(log)) t.log(readFileSync(log, 'utf8').slice(-4000))
    server.kill()
    await end
  })
  for (let tries = 0; ; tries++) {
    const answer = await fetch(entityId).catch(() => undefined)
    if (answer?.ok) break
    if (tries === 1_200 || server.exitCode !== null || answer)
      throw new Error(`SimpleSAMLphp does not answer: ${said} ${await answer?.text()}`)
    await wait(25)
  }
  return {
    entityId,
    signOut: (returnTo) =>
      `${base}saml2/idp/SingleLogoutService.php?ReturnTo=${encodeURIComponent(returnTo)}`,
    register: (metadata) => writeFileSync(place('metadata/sp.xml'), metadata),
    encrypt(on) {
      if (on) writeFileSync(place('encrypt'), '')
      else rmSync(place('encrypt'), { force: true })
    },
  }
}

const emptyList =
  '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"></md:EntitiesDescriptor>'
