/** Looks at everything a sign-in needs and says what is wrong and how to mend it. Changes nothing. */
import type { Config } from '#config/load.ts'
import { reasonKeys } from '#lib/delivery.ts'
import type { Messages } from '#lib/messages.ts'
import { openReadBack } from '#lib/read-back.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import { checkDatabase } from './doctor/database.ts'
import { inEnglish, type Told, tellInEnglish } from './doctor/in-english.ts'
import { checkIssuer } from './doctor/issuer.ts'
import { checkClocks, checkDisk, checkMail } from './doctor/machine.ts'
import { type Said, said } from './doctor/sayings.ts'
import { checkUpstreams } from './doctor/upstreams.ts'

export type DoctorPorts = {
  kek: KeyEncryption | undefined
  now: () => number
  messages: Messages
  /** For our own address, which may lie inside our network. */
  fetch: typeof fetch
  /** For everybody else's. */
  guardedFetch: typeof fetch
  /** When a server's certificate expires, in seconds. */
  certificateExpiry?: (server: string) => Promise<number>
  /** What is wrong with the mail server, if anything, in English; absent where none is set. */
  tryMailServer?: () => Promise<string | undefined>
}

export type Examination = {
  findings: Told[]
  unchecked: string[]
  /** Of which words these are. */
  uncheckedKeys: Said[]
}

/** What can only be seen from elsewhere, or by doing it. */
const unchecked = [
  said('unchecked.reach'),
  said('unchecked.addresses'),
  said('unchecked.credentials'),
  said('unchecked.mail'),
  said('unchecked.backup'),
]

export async function examine(config: Config, ports: DoctorPorts): Promise<Examination> {
  const { issuer, connectors, site, production } = config
  const { now, kek, messages } = ports
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
      checkMail({
        tryServer: ports.tryMailServer,
        keyOf: openReadBack(messages, reasonKeys),
      }),
    ])
  const clock = checkClocks([...itsClock, ...ourClock, ...theirClocks])
  const findings = [...database, ...address, ...upstreams, mail, disk, clock]
  return {
    findings: findings.map((one) => tellInEnglish(messages, one)),
    unchecked: unchecked.map((one) => inEnglish(messages, one)),
    uncheckedKeys: unchecked,
  }
}
