/** What other systems are to make or remove for a person waits in the outbox, written with what causes it. */
import { isoTime } from '#lib/time.ts'
import type { Tables } from '#store/store.ts'

export type ProvisioningEvent = {
  /** When it happened: ISO 8601. */
  timestamp: string
  /** What happened, as Standard Webhooks names it: `mailbox.create`. */
  type: string
  data: Record<string, unknown>
}

/** What the outbox keeps. */
export type ProvisioningMessage = { receiver: string; event: ProvisioningEvent }

/** The message's id, which the receiver gets with every try. `receiver` is one of `provisioning` in site.yaml. */
export async function queueProvisioning(
  { outbox }: Pick<Tables, 'outbox'>,
  { receiver, type, data }: { receiver: string } & Pick<ProvisioningEvent, 'type' | 'data'>,
  { at }: { at: number },
): Promise<string> {
  const timestamp = isoTime(at)
  const payload: ProvisioningMessage = { receiver, event: { type, timestamp, data } }
  return outbox.put({ kind: 'provisioning', target: receiver, payload, createdAt: at })
}
