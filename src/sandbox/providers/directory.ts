/** The pretend directory: its people as entries, over TLS, and what its switch makes of it. */
import type { DirectoryUpstream } from '../counties.ts'
import { keptCertificate, type SandboxMemory } from '../memory.ts'
import { ruleOf } from '../modes.ts'
import { fullName, type Person, people } from '../people.ts'
import { stableUuid } from '../stable-uuid.ts'
import type { Switches } from '../switches.ts'
import type { LdapEntry, Misanswer } from './directory/server.ts'

export type Directory = {
  /** `ldaps://localhost:<port>` */
  url: string
  /** PEM: what its certificate is checked by. Made once, kept in memory. */
  ca: string
  close(): Promise<void>
}

export type DirectoryPorts = {
  memory: SandboxMemory
  /** Modes it can be in: ok, slow, down, garbage, no-subject (../modes.ts). */
  switches: Switches
  /** How late a slow one answers, in milliseconds. */
  slowMs: number
}

/** Listens on loopback, on a port the system chooses; every process of Citygate has one of its own. */
export async function openDirectory(
  directory: DirectoryUpstream,
  { memory, switches, slowMs }: DirectoryPorts,
): Promise<Directory> {
  const [{ openLdapServer }, { key, certificate }] = await Promise.all([
    import('./directory/server.ts'),
    keptCertificate(memory, directory.id, {
      commonName: 'localhost',
      hosts: ['localhost', '127.0.0.1'],
      keyType: 'ec',
    }),
  ])
  const everybody = people[directory.id] ?? []
  const healthy = everybody.map((one) => entryOf(directory, one))
  const entries = [...healthy]
  const server = await openLdapServer({
    key,
    certificate,
    baseDn: directory.baseDn,
    entries,
    async hear() {
      const mode = await switches.get(directory.id)
      const named = mode === 'no-subject' ? healthy.map(withoutSubject) : healthy
      entries.splice(0, entries.length, ...named)
      return misbehave(ruleOf(mode).network, slowMs)
    },
  })
  return { url: `ldaps://localhost:${server.port}`, ca: certificate, close: server.close }
}

const page = '<!doctype html><title>系統維護中</title><h1>系統維護中，請稍後再試</h1>'

async function misbehave(
  network: 'slow' | 'down' | 'garbage' | undefined,
  slowMs: number,
): Promise<Misanswer | undefined> {
  switch (network) {
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, slowMs).unref())
      return undefined
    case 'down':
      return 'cut'
    case 'garbage':
      return Buffer.from(page)
    case undefined:
      return undefined
  }
}

/** As a school's inetOrgPerson (RFC 2798); the password is the account itself. */
function entryOf({ id, baseDn }: DirectoryUpstream, one: Person): LdapEntry {
  const { account, email, schools } = one
  return {
    dn: `uid=${account},${baseDn}`,
    password: account,
    attributes: {
      objectClass: ['top', 'person', 'inetOrgPerson'],
      entryUUID: [stableUuid(`${id} ${account}`)],
      uid: [account],
      cn: [fullName(one)],
      sn: [one.familyName],
      givenName: [one.givenName],
      mail: [email],
      departmentNumber: schools.map(({ code }) => code),
      o: schools.map(({ name }) => name),
      title: schools.flatMap(({ titles }) => titles),
    },
  }
}

function withoutSubject({ attributes: { entryUUID: _, ...attributes }, ...entry }: LdapEntry) {
  return { ...entry, attributes }
}
