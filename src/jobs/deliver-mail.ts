/** Takes mails to the operator's mail server. */
import type { Mail } from '#lib/mail.ts'
import type { SendMail } from '#outside/mail.ts'
import type { Courier } from './deliver.ts'

/** Without a mail server mails stay where staff see them, with the reason beside them. */
export function openMailCourier(send: SendMail | undefined): Courier {
  return {
    kind: 'mail',
    atOnce: 4,
    patienceSeconds: 45,
    async deliver({ id, payload }, signal) {
      if (!send) return { kind: 'failed', why: 'SMTP_URL is not set' }
      return send(payload as Mail, id, signal)
    },
  }
}
