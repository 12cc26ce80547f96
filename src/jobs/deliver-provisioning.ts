/** Tells other systems what to make for a person, signed as Standard Webhooks 1.0 says. */
import type { ProvisioningMessage } from '#accounts/provisioning.ts'
import type { Receiver } from '#config/schema.ts'
import type { Outcome } from '#lib/delivery.ts'
import { type Now, seconds } from '#lib/time.ts'
import { signWebhook } from '#lib/webhook.ts'
import type { Courier } from './deliver.ts'
import { reaching } from './reaching.ts'

export type ProvisioningPorts = {
  receivers: Record<string, Receiver>
  fetch: typeof fetch
  now: Now
}

/** What nobody is there to hear stays where staff see it, with the reason beside it. */
export function openProvisioningCourier({ receivers, fetch, now }: ProvisioningPorts): Courier {
  return {
    kind: 'provisioning',
    atOnce: 4,
    patienceSeconds: 15,
    async deliver({ id, payload }, signal) {
      const { receiver: name, event } = payload as ProvisioningMessage
      const receiver = Object.hasOwn(receivers, name) ? receivers[name] : undefined
      if (!receiver) return { kind: 'failed', why: `site.yaml has no provisioning.${name}` }
      const { endpoint, urlVariable } = receiver
      if (!endpoint) return { kind: 'failed', why: `${urlVariable} is not set` }
      // Signed anew at each try: receivers refuse what is older than a few minutes.
      const signed = { id, timestamp: seconds(now), body: JSON.stringify(event) }
      return reaching(async () => {
        const { status } = await fetch(endpoint.url, {
          method: 'POST',
          redirect: 'manual',
          headers: {
            'content-type': 'application/json',
            'webhook-id': id,
            'webhook-timestamp': String(signed.timestamp),
            'webhook-signature': signWebhook(endpoint.secret, signed),
          },
          body: signed.body,
          signal,
        })
        return judge(status)
      })
    },
  }
}

/** Those of the 4xx that another try may change. */
const later = new Set([408, 425, 429])

function judge(status: number): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const refused = status >= 400 && status < 500 && !later.has(status)
  return { kind: refused ? 'refused' : 'failed', why: `it answered ${status}` }
}
