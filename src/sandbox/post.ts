/**
 * How every process of Citygate reaches the sandbox's mailbox: through its port, since only one of them has it.
 * Whatever is posted there is JSON, which no page of a stranger can send from a browser without being asked first.
 */
import type { Receiver } from '#config/schema.ts'
import { isMailAddress } from '#lib/mail.ts'
import type { SendMail } from '#outside/mail.ts'

export const postPath = '/mail'
export const eventPath = (receiver: string) => `/provisioning/${receiver}`

const origin = (sandboxPort: number) => `http://localhost:${sandboxPort}`

/** Puts mails into the sandbox's mailbox. */
export function openPost(sandboxPort: number): SendMail {
  return async (mail, id, signal) => {
    if (!isMailAddress(mail.to)) return { kind: 'refused', why: 'that is no mail address' }
    try {
      const { status } = await fetch(`${origin(sandboxPort)}${postPath}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, mail }),
        ...(signal ? { signal } : {}),
      })
      if (status === 204) return { kind: 'delivered', answer: 'it is in the sandbox’s mailbox' }
      return { kind: 'failed', why: `the sandbox’s mailbox answered ${status}` }
    } catch {
      if (signal?.aborted) throw signal.reason
      return { kind: 'failed', why: 'the sandbox’s mailbox could not be reached' }
    }
  }
}

/** What the sandbox's receivers check signatures with. Obviously no secret. */
export const receiverSecret = Buffer.from('sandbox-not-a-secret-at-all-32byt')

/** The sandbox receives in place of those that are not connected. */
export function connectReceivers(
  receivers: Record<string, Receiver>,
  sandboxPort: number,
): Record<string, Receiver> {
  return Object.fromEntries(
    Object.entries(receivers).map(([id, receiver]) => [
      id,
      {
        endpoint: { url: `${origin(sandboxPort)}${eventPath(id)}`, secret: receiverSecret },
        ...receiver,
      },
    ]),
  )
}
