/** Mails to people wait in the outbox, written with what causes them. */
import { isMailAddress, type Mail, mailDomain } from '#lib/mail.ts'
import type { Tables } from '#store/store.ts'

/** The message's id. Throws for what is no address: whoever asked for it checks what people type. */
export async function queueMail(
  { outbox }: Pick<Tables, 'outbox'>,
  mail: Mail,
  { at, dueAt }: { at: number; dueAt?: number },
): Promise<string> {
  if (!isMailAddress(mail.to)) throw new Error('a mail needs one bare address')
  return outbox.put({
    kind: 'mail',
    target: mailDomain(mail.to),
    payload: mail,
    createdAt: at,
    ...(dueAt === undefined ? {} : { dueAt }),
  })
}
