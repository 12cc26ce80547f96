/** Links that are sent by mail: the token goes out, its SHA-256 stays. */
import { randomToken, sha256 } from '#lib/crypto.ts'
import type { LinkPurpose, Tables } from '#store/store.ts'

/** What a link remembers is sealed for that link. */
export const memoContext = (id: string) => `mail_link.memo.${id}`

type Link = { purpose: LinkPurpose; subject: string; at: number; validSeconds: number }

/** Makes one. The token for the address in the mail. Call it in the transaction that queues the mail. */
export async function makeLink(
  { mailLinks }: Pick<Tables, 'mailLinks'>,
  { purpose, subject, at, validSeconds }: Link,
  memoOf: (id: string) => string,
): Promise<string> {
  const token = randomToken()
  const id = sha256(token)
  await mailLinks.make({
    id,
    purpose,
    subject,
    memo: memoOf(id),
    createdAt: at,
    expiresAt: at + validSeconds,
  })
  return token
}
