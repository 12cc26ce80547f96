/** The answer to terms somebody is asked to agree to while she signs in. */
import type { TermsVersion } from '#lib/terms.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Circumstances, Store } from '#store/store.ts'
import { answerCancel, type Reply } from './answers.ts'
import type { Question } from './question.ts'

/** Nothing is due any more. */
export const answerAgreed = (): Reply => ({ kind: 'finish', answer: { agreement: {} } })

export type TypedAgreement = {
  /** SHA-256 of the text she was shown. */
  hash: string
  /** She ticked that she agrees. */
  ticked: boolean
}

export type AgreementPorts = { now: Now; where: Circumstances }

/** Keeps that she agreed to the version that is due, in the language she read it. */
export async function answerAgree(
  store: Pick<Store, 'transaction'>,
  { accountId }: Question,
  { id: terms, version, texts }: TermsVersion,
  { hash, ticked }: TypedAgreement,
  { now, where }: AgreementPorts,
): Promise<Reply> {
  if (!accountId) throw new Error('terms are agreed to by someone who is signed in')
  const read = Object.entries(texts).find(([, text]) => text.hash === hash)
  // The page showed another text than the one in force: nobody agrees to what she has not seen.
  if (!read) return { kind: 'again', problem: 'agreement.changed' }
  if (!ticked) return { kind: 'again', problem: 'agreement.tick' }
  const [language] = read
  const at = seconds(now)
  await store.transaction(async (tables) => {
    const { address = '' } = where
    const row = { accountId, terms, version, language, hash, agreedAt: at, address }
    await tables.agreements.agree(row)
    const details = { version, language, hash }
    await tables.audit.record({ ...event(accountId, terms, 'agree', at), ...where, details })
  })
  return answerAgreed()
}

/** The app hears `access_denied`; the account stays as it was, and she is asked again the next time. */
export async function answerDisagree(
  store: Pick<Store, 'audit'>,
  { accountId }: Question,
  { id: terms, version }: TermsVersion,
  { now, where }: AgreementPorts,
): Promise<Reply> {
  if (!accountId) throw new Error('terms are declined by someone who is signed in')
  const declined = event(accountId, terms, 'decline', seconds(now))
  await store.audit.record({ ...declined, ...where, details: { version } })
  return answerCancel()
}

const event = (actor: string, terms: string, what: 'agree' | 'decline', at: number) => ({
  at,
  actor,
  action: `agreement.${what}`,
  target: `terms:${terms}`,
  outcome: 'ok',
})
