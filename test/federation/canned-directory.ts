/** A directory on loopback that hears everything, and a connector to it. */
import type { ExecutionContext } from 'ava'
import {
  type ConnectorFile,
  type Credentials,
  connectorFile,
  type LdapSettings,
} from '#config/connector.ts'
import type { Trip } from '#federation/connector.ts'
import { openLdapConnector } from '#federation/connectors/ldap.ts'
import type { Profile, ProfileSources } from '#federation/profile.ts'
import { type Certificate, makeCertificate } from '../../src/sandbox/certificates.ts'
import type { Request } from '../../src/sandbox/providers/directory/messages.ts'
import {
  type LdapEntry,
  type LdapServerRules,
  openLdapServer,
} from '../../src/sandbox/providers/directory/server.ts'
import { lendFederation } from './lend.ts'

type LdapFile = Extract<ConnectorFile, { type: 'ldap' }>

export const baseDn = 'ou=people,dc=school,dc=example'
export const service = { bindDn: 'cn=citygate,dc=school,dc=example', bindPassword: 'service pass' }

const file = connectorFile.parse({
  id: 'county',
  type: 'ldap',
  label: { 'zh-TW': '某校', en: 'Some School' },
  order: 1,
  profile: 'mapped',
  map: { name: 'cn' },
  settings: {
    url: 'ldaps://localhost',
    issuer: 'urn:school:some',
    base_dn: baseDn,
    attributes: ['cn', 'mail', 'title', 'jpegPhoto'],
  },
}) as LdapFile

const day = 24 * 60 * 60 * 1000
const lasts = { from: new Date(Date.now() - day), until: new Date(Date.now() + day) }
export const makeOne = (more: Partial<Parameters<typeof makeCertificate>[0]> = {}) =>
  makeCertificate({ commonName: 'x', hosts: ['localhost'], keyType: 'ec', ...lasts, ...more })

/** One for whoever does not care which. */
export const certificate: Certificate = await makeOne()

export const entryOf = (uid: string, attributes: LdapEntry['attributes'] = {}): LdapEntry => ({
  dn: `uid=${uid},${baseDn}`,
  password: `${uid} pass`,
  attributes: {
    objectClass: ['top', 'person'],
    uid: [uid],
    entryUUID: [`uuid of ${uid}`],
    cn: ['王小明'],
    userPassword: [`${uid} pass`],
    ...attributes,
  },
})

const serviceEntry: LdapEntry = {
  dn: service.bindDn,
  password: service.bindPassword,
  attributes: {},
}

export type CannedDirectory = {
  settings?: Partial<LdapSettings>
  credentials?: Credentials
  entries?: LdapEntry[]
  server?: Partial<LdapServerRules>
  profile?: Profile
  fingerprint?: string
}

export async function openSchool(t: ExecutionContext, canned: CannedDirectory = {}) {
  const heard: { request: Request; secure: boolean }[] = []
  const sources: ProfileSources[] = []
  const { hear } = canned.server ?? {}
  const { entries = [entryOf('wang'), entryOf('lin')] } = canned
  const server = await openLdapServer({
    key: certificate.key,
    certificate: certificate.certificate,
    baseDn,
    entries: [serviceEntry, ...entries],
    ...canned.server,
    hear(request, secure) {
      heard.push({ request, secure })
      return hear?.(request, secure)
    },
  })
  t.teardown(server.close)
  const scheme = canned.server?.startTls ? 'ldap' : 'ldaps'
  const profile: Profile = (said) => {
    sources.push(said)
    const { cn } = said.attributes ?? {}
    return { profile: { name: String(cn) }, affiliations: [], openid2Ids: [] }
  }
  const connector = openLdapConnector(
    {
      ...file,
      ...(canned.fingerprint && { fingerprint: canned.fingerprint }),
      settings: {
        ...file.settings,
        url: `${scheme}://localhost:${server.port}`,
        start_tls: canned.server?.startTls ?? false,
        ...canned.settings,
      },
      credentials: { ca: certificate.certificate, ...service, ...canned.credentials },
      insecure: false,
    },
    canned.profile ?? profile,
    lendFederation(),
  )
  const trip: Trip = {
    callbackUrl: 'https://id.example/upstream/county/callback',
    passwordUrl: 'https://id.example/upstream/county/password',
    state: 'st/1',
    fresh: false,
    locales: [],
  }
  const signIn = (account = 'wang', password = 'wang pass') =>
    connector.complete(
      { url: new URL(trip.passwordUrl), state: 'st/1', typed: { account, password } },
      {},
    )
  /** What was asked, in words. */
  const asked = () =>
    heard.map(({ request }) => {
      if (request.kind === 'bind') return `bind ${request.dn}`
      if (request.kind === 'search') return `search ${request.request.filter}`
      return request.kind
    })
  const passwords = () =>
    heard.flatMap(({ request }) => (request.kind === 'bind' ? [request.password] : []))
  return { connector, trip, signIn, heard, asked, passwords, sources, server }
}
