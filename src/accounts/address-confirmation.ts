/** Links that show whose an address is: sent there, good once and for a day. What was sent for waits sealed beside them. */
import { seal, unseal } from '#lib/crypto.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { day } from '#lib/time.ts'
import type { MailLinkRow, Tables } from '#store/store.ts'
import { accountName } from './account-name.ts'
import { queueMail } from './mail.ts'
import { makeLink, memoContext } from './mailed-link.ts'

const purpose = 'confirm-address'
const validSeconds = day

export type ConfirmationPorts = {
  /** Seals what a link was sent for. */
  dataKey: Buffer
  writeLetter: WriteLetter
  linkTo: (token: string) => string
}

export type Asked = {
  address: string
  language: string
  /** Of the session it was asked for in. */
  session?: string
}

/** Writes to the address. A link sent before is good no more. Call it inside a transaction. */
export async function sendConfirmation(
  tables: Pick<Tables, 'accounts' | 'identifiers' | 'mailLinks' | 'outbox'>,
  { accountId, at, ...asked }: Asked & { accountId: string; at: number },
  { dataKey, writeLetter, linkTo }: ConfirmationPorts,
): Promise<void> {
  const { address, language } = asked
  const account = await tables.accounts.find(accountId)
  if (!account) throw new Error('an address is confirmed for an account')
  const token = await makeLink(tables, { purpose, subject: accountId, at, validSeconds }, (id) =>
    seal(dataKey, JSON.stringify(asked satisfies Asked), memoContext(id)),
  )
  const name = accountName(account, await tables.identifiers.ofAccount(accountId))
  const params = { account: name, lasts: validSeconds }
  const link = linkTo(token)
  const letter = writeLetter({ kind: purpose, to: address, language, link, params })
  await queueMail(tables, letter, { at })
}

/** What a link was sent for. */
export const readConfirmation = (
  { dataKey }: Pick<ConfirmationPorts, 'dataKey'>,
  { id, memo }: MailLinkRow,
): Asked => JSON.parse(unseal(dataKey, memo, memoContext(id)))

/** The link that waits to be used, and what it was sent for. */
export async function findConfirmationWaiting(
  { mailLinks }: Pick<Tables, 'mailLinks'>,
  { accountId, at }: { accountId: string; at: number },
  ports: Pick<ConfirmationPorts, 'dataKey'>,
): Promise<(Asked & { sentAt: number }) | undefined> {
  const link = await mailLinks.findOpen(accountId, purpose, at)
  return link && { ...readConfirmation(ports, link), sentAt: link.createdAt }
}
