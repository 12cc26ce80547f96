/** What is done in the background: jobs, each by one process at a time, and the outbox, by all of them. */

import type { RecoveryPorts } from '#accounts/recovery.ts'
import type { Receiver } from '#config/schema.ts'
import type { Log } from '#lib/log.ts'
import type { Now } from '#lib/time.ts'
import { type LogoutTokens, openLogoutTokens } from '#oidc/backchannel.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import type { KeyRules } from '#oidc/key-schedule.ts'
import type { SendMail } from '#outside/mail.ts'
import type { Store } from '#store/store.ts'
import { openCheckpoint } from './checkpoint.ts'
import { openSignInCounting } from './count-sign-ins.ts'
import { type Delivery, openDelivery } from './deliver.ts'
import { openLogoutCourier } from './deliver-logout.ts'
import { openMailCourier } from './deliver-mail.ts'
import { openProvisioningCourier } from './deliver-provisioning.ts'
import { openRequestCourier, type RequestPorts } from './deliver-request.ts'
import { openEnding } from './end-issued.ts'
import { openErasing } from './erase-closed.ts'
import { openForgetting } from './forget-dead.ts'
import { type ImportWork, openImporting } from './import-people.ts'
import { openIndexing } from './index-people.ts'
import { openProbe, type ProbePorts } from './probe-upstreams.ts'
import { openSecretReminders, type ReminderPorts } from './remind-secrets.ts'
import { openKeyRotation } from './rotate-keys.ts'
import { openRunner, type Runner } from './runner.ts'
import { openSweep } from './sweep.ts'
import { openTrimming } from './trim-upstream-events.ts'
import { openVerification, type VerificationPorts } from './verify-audit.ts'

export type BackgroundPorts = {
  store: Store
  log: Log
  now: Now
  random: () => number
  kek: KeyEncryption
  keyRules: KeyRules
  provider: Parameters<typeof openLogoutTokens>[0]
  /** The guarded client. */
  fetch: typeof fetch
  sendMail?: SendMail
  recovery: RecoveryPorts
  enrolments: RequestPorts['enrolments']
  /** How long a closed account keeps what it held. */
  graceSeconds: number
  imports: ImportWork
  probed: Pick<ProbePorts, 'upstreams' | 'certificateExpiry'>
  upstreamHealth: ProbePorts['board'] & { follow(): void }
  secretReminders: Omit<ReminderPorts, 'store' | 'now'>
  /** Walks the whole audit trail. */
  verifyAudit: VerificationPorts['verify']
  provisioning: {
    receivers: Record<string, Receiver>
    /** Guarded as well, but for the addresses the operator named. */
    fetch: typeof fetch
  }
}

export type Background = {
  delivery: Delivery
  runner: Runner
  /** Begins all of it. Until then nothing happens by itself: a command at the command line only looks. */
  begin(): void
  close(): Promise<void>
}

/** Does no I/O. */
export function openBackground(ports: BackgroundPorts): Background {
  const { store, now, fetch } = ports
  const tokens: LogoutTokens = openLogoutTokens(ports.provider)
  const delivery = openDelivery(
    [
      openLogoutCourier({ tokens, fetch }),
      openMailCourier(ports.sendMail),
      openRequestCourier(ports),
      openProvisioningCourier({ ...ports.provisioning, now }),
    ],
    ports,
  )
  const runner = openRunner(
    [
      openSweep(store, now),
      openKeyRotation(ports),
      openCheckpoint(store, now, ports.log),
      openSignInCounting(store),
      openVerification('audit-verify', { ...ports, verify: ports.verifyAudit }),
      openEnding(store, now),
      openForgetting(store, now),
      openErasing(store, now, ports.graceSeconds),
      openImporting(ports.imports),
      openSecretReminders({ store, now, ...ports.secretReminders }),
      openTrimming(store, now),
      openIndexing(store, now),
      openProbe({ ...ports, ...ports.probed, board: ports.upstreamHealth }),
    ],
    ports,
  )
  return {
    delivery,
    runner,
    begin() {
      delivery.begin()
      runner.begin()
      ports.upstreamHealth.follow()
    },
    async close() {
      await Promise.all([delivery.close(), runner.close()])
    },
  }
}
