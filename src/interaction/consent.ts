/** Consent: remembered first, then put into the grant the tokens will stand on. */
import type { Provider } from 'oidc-provider'
import { type Now, seconds } from '#lib/time.ts'
import { addToGrant } from '#oidc/grants.ts'
import type { Store } from '#store/store.ts'
import { joinGranted, type Reply, wantedGrant } from './answers.ts'
import type { Question } from './question.ts'

/** The person allowed what the question asked for. */
export async function answerConsent(
  provider: Provider,
  store: Store,
  question: Question,
  now: Now,
): Promise<Reply> {
  const { accountId, clientId, grantId } = question
  if (!accountId) throw new Error('consent is given by someone who is signed in')
  const wanted = wantedGrant(question)
  const remembered = joinGranted(await store.consents.find(accountId, clientId), wanted)
  await store.consents.put(accountId, clientId, remembered, seconds(now))

  const known = grantId ? await provider.Grant.find(grantId) : undefined
  const grant = known ?? new provider.Grant({ accountId, clientId })
  addToGrant(grant, wanted)
  return { kind: 'finish', answer: { consent: { grantId: await grant.save() } } }
}
