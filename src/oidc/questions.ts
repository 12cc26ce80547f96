/** Node-oidc-provider's interactions as the rest of the house sees them. */
import { errors, type Interaction, type Provider } from 'oidc-provider'

type Asked = {
  uid: string
  prompt: { name: string; reasons: string[]; details: Record<string, unknown> }
  params: Record<string, string | undefined>
  clientId: string
  accountId?: string
  /** SHA-256 of the device cookie of the browser that began it. */
  device?: string
  /** Somebody signed in for this request already, and it was not enough. */
  signedInBefore: boolean
}

/** What each question was read from: its answer needs no second read. */
const interactions = new WeakMap<object, Interaction>()

/** The open question of that id, or undefined when it expired or was answered. */
export async function findQuestion(provider: Provider, uid: string): Promise<Asked | undefined> {
  const interaction = await provider.Interaction.find(uid)
  if (!interaction) return undefined
  const question = describe(interaction)
  interactions.set(question, interaction)
  return question
}

function describe({ uid, prompt, params, session, lastSubmission }: Interaction): Asked {
  const texts = Object.entries(params).filter(([, value]) => typeof value === 'string')
  return {
    uid,
    prompt,
    params: Object.fromEntries(texts) as Record<string, string>,
    clientId: String(params.client_id),
    accountId: session?.accountId,
    signedInBefore: lastSubmission?.login !== undefined,
    device: typeof prompt.details.device === 'string' ? prompt.details.device : undefined,
  }
}

/**
 * Records the answer and gives the address that resumes the authorization request; undefined when the
 * question was answered meanwhile: two tabs cannot answer it twice.
 */
export async function answerQuestion(
  question: object,
  answer: Record<string, unknown>,
): Promise<string | undefined> {
  const interaction = interactions.get(question)
  if (!interaction) throw new Error('an answer to what was not asked')
  // Earlier answers of the same request stay: first sign in, then consent.
  interaction.result = 'error' in answer ? answer : { ...interaction.lastSubmission, ...answer }
  try {
    await interaction.persist()
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return undefined
    throw error
  }
  return interaction.returnTo
}
