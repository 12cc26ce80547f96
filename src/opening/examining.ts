/** Runs the doctor with all it needs, which is loaded only when somebody asks. */
import type { Examination } from '#admin/doctor.ts'
import type { Config } from '#config/load.ts'
import { openPlainAddresses } from '#federation/insecure.ts'
import type { Messages } from '#lib/messages.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'

export type ExaminingPorts = {
  kek: KeyEncryption | undefined
  now: () => number
  messages: Messages
  /** Origins that may be called although they are inside our network, beside the operator's. */
  allow?: string[]
}

export async function examineAll(
  config: Config,
  { kek, now, messages, allow = [] }: ExaminingPorts,
): Promise<Examination> {
  const [{ examine }, { openGuardedFetch }, { openCertificates }, mail] = await Promise.all([
    import('#admin/doctor.ts'),
    import('#outside/fetch.ts'),
    import('#outside/certificates.ts'),
    import('#outside/mail.ts'),
  ])
  const inside = [...config.site.outbound.allow, ...allow]
  return examine(config, {
    kek,
    now,
    messages,
    fetch: globalThis.fetch,
    guardedFetch: openGuardedFetch({
      allow: inside,
      plain: openPlainAddresses(config.connectors),
    }),
    certificateExpiry: openCertificates({ allow: inside }),
    ...(config.mail ? { tryMailServer: mail.tryMailServer.bind(undefined, config.mail) } : {}),
  })
}
