/** Looks at everything a sign-in needs and says what is wrong and how to mend it. Changes nothing. */
import type { Config } from '#config/load.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import { checkDatabase } from './doctor/database.ts'
import type { Finding } from './doctor/finding.ts'
import { checkIssuer } from './doctor/issuer.ts'
import { checkClocks, checkDisk, checkMail } from './doctor/machine.ts'
import { checkUpstreams } from './doctor/upstreams.ts'

export type { Finding } from './doctor/finding.ts'

export type DoctorPorts = {
  kek: KeyEncryption | undefined
  now: () => number
  /** For our own address, which may lie inside our network. */
  fetch: typeof fetch
  /** For everybody else's. */
  guardedFetch: typeof fetch
  /** When a server's certificate expires, in seconds. */
  certificateExpiry?: (server: string) => Promise<number>
  /** What is wrong with the mail server, if anything; absent where none is set. */
  tryMailServer?: () => Promise<string | undefined>
}

export type Examination = { findings: Finding[]; unchecked: string[] }

/** What can only be seen from elsewhere, or by doing it. */
const unchecked = [
  'whether people outside your network reach the issuer',
  'whether the proxy sends each client’s own address: sign in once and compare `address` in `citygate audit list`',
  'whether upstreams take our credentials and callback addresses: sign in at each once',
  'whether mails arrive: `citygate mail test ADDRESS`',
  'whether a backup can be restored: try it on another machine',
]

export async function examine(config: Config, ports: DoctorPorts): Promise<Examination> {
  const { issuer, connectors, site, production } = config
  const { now, kek } = ports
  const [[database, itsClock], [address, ourClock], [upstreams, theirClocks], disk, mail] =
    await Promise.all([
      checkDatabase({ where: config.database, site, kek, now }),
      checkIssuer({
        issuer,
        production,
        trustsProxy: config.trustedProxies.length > 0,
        fetch: ports.fetch,
        now,
      }),
      checkUpstreams({
        issuer,
        connectors,
        fetch: ports.guardedFetch,
        now,
        certificateExpiry: ports.certificateExpiry,
      }),
      checkDisk(config.dataDir),
      checkMail(ports.tryMailServer),
    ])
  const clock = checkClocks([...itsClock, ...ourClock, ...theirClocks])
  return { findings: [...database, ...address, ...upstreams, mail, disk, clock], unchecked }
}
