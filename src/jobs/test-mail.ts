/** One mail to an operator, through the outbox as every other, delivered while she waits. */
import { queueMail } from '#accounts/mail.ts'
import type { Outcome } from '#lib/delivery.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Delivery } from './deliver.ts'

/** Should the command be killed, a running server delivers the mail after this. */
const handedOverAfter = 120

/** A mail that could not be sent is dropped: nobody wants to get it tomorrow. */
export async function sendTestMail(
  ports: { store: Pick<Store, 'outbox'>; delivery: Pick<Delivery, 'deliverNow'>; now: Now },
  to: string,
  issuer: string,
): Promise<Outcome> {
  const at = seconds(ports.now)
  const text = `${issuer} can send mail to this address.\n`
  const mail = { to, subject: 'Citygate: test mail', text }
  const id = await queueMail(ports.store, mail, { at, dueAt: at + handedOverAfter })
  const outcome = await ports.delivery.deliverNow(id)
  if (outcome?.kind !== 'delivered') await ports.store.outbox.drop(id)
  return outcome ?? { kind: 'failed', why: 'somebody else dropped it' }
}
