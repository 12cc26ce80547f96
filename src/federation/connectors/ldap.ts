/** A directory (LDAP v3): it has no pages, so our own form asks, and the directory says whether the password is right. */
import { once } from '#lib/once.ts'
import { during, Fault } from '../calls/fault.ts'
import type { Arrival, Connector, FederationPorts, Trip, UpstreamIdentity } from '../connector.ts'
import type { Profile } from '../profile.ts'
import type { Opening } from '../registry.ts'
import { fingerprintIn, openFormer, unverified } from '../said.ts'
import { withoutSecrets } from '../without-secrets.ts'

/** Read when first needed: most deployments have no directory. */
const speaking = once(async () => ({
  ...(await import('./ldap/directory.ts')),
  ...(await import('./ldap/who.ts')),
  ...(await import('./ldap/entry.ts')),
}))

/** Opens without I/O. */
export function openLdapConnector(
  { id, settings, credentials, former, fingerprint }: Opening<'ldap'>,
  profile: Profile,
  _ports: FederationPorts,
): Connector {
  const { bindDn, bindPassword, ca } = credentials
  const service = bindDn && bindPassword ? { dn: bindDn, password: bindPassword } : undefined
  const formerIn = openFormer(former)
  const address = {
    ...placeOf(settings.url),
    startTls: settings.start_tls,
    ca,
    timeoutMs: settings.timeout_ms,
  }

  async function complete({ typed }: Arrival): Promise<UpstreamIdentity> {
    const { findWho, readAttributes, readSubject } = await speaking()
    return during(id, 'directory', async () => {
      if (!typed) throw new Fault('nonsense', 'nothing was typed')
      const entry = await findWho(address, settings, service, typed)
      const subject = readSubject(entry, settings.subject)
      const { attributes, unread: bytes } = readAttributes(entry, settings.attributes)
      const said = profile({ idToken: {}, attributes })
      const unread = [...bytes, ...(said.unread ?? [])]
      return {
        connector: id,
        issuer: settings.issuer,
        subject,
        ...said,
        ...formerIn(said.openid2Ids),
        ...fingerprintIn(fingerprint, attributes),
        ...(unread.length > 0 && { unread }),
        profile: unverified(said.profile),
        // She typed it on our own page.
        amr: ['pwd'],
        raw: withoutSecrets(attributes),
      }
    })
  }

  return {
    id,
    origins: [],
    asks: 'password',
    // After StartTLS nothing but LDAP sees the certificate; probe() does.
    servers: settings.start_tls ? [] : [`${address.host}:${address.port}`],
    async begin({ passwordUrl, state }: Trip) {
      return { url: `${passwordUrl}?${new URLSearchParams({ state })}`, memo: {} }
    },
    complete,
    async probe() {
      const { inDirectory, bindAs } = await speaking()
      await during(id, 'directory', () =>
        inDirectory(address, (directory) => bindAs(directory, service)),
      )
    },
  }
}

function placeOf(written: string): { host: string; port: number } {
  const { protocol, hostname, port } = new URL(written)
  const usual = protocol === 'ldaps:' ? 636 : 389
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port ? Number(port) : usual }
}
