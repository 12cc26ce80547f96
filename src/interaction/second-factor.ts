/** The answer to a question for the second factor: who is signed in stays so, and has proved herself twice. */
import type { PasskeyPorts } from '#accounts/second-factor/passkeys.ts'
import { type Checked, checkFactor, type FactorProof } from '#accounts/second-factor/proof.ts'
import type { Begun, SignInLimits, Try } from '#accounts/sign-in-limits.ts'
import { tell } from '#accounts/tell.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { afterWait, type Message } from '#lib/messages.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { UpstreamSession } from '#oidc/upstream-session.ts'
import type { AccountRow, Circumstances, Store, Tables } from '#store/store.ts'
import type { Reply } from './answers.ts'
import type { Answer, Question } from './question.ts'

/** How she is signed in so far: the second factor is added to it. */
export type Standing = {
  accountId: string
  amr: readonly string[]
  remember: boolean
  upstream?: UpstreamSession | undefined
}

/** The answer that lifts her session to both factors. */
export const steppedUp = (
  { accountId, amr, remember, upstream }: Standing,
  by: Iterable<string>,
  { acr, at }: { acr: string; at: number },
): Answer => ({
  login: {
    accountId,
    acr,
    amr: [...new Set([...amr, ...by, 'mfa'])],
    remember,
    ts: at,
    ...(upstream ? { upstream } : {}),
  },
  second_factor: {},
})

/** As whom its tries are counted: a second factor is tried by who knows the password, and may be somebody else. */
export const factorTries = (accountId: string): string => `second factor of ${accountId}`

export type SecondFactorPorts = PasskeyPorts & {
  now: Now
  acr: string
  limits: SignInLimits
  from: Omit<Try, 'name'>
  where: Circumstances
  writeLetter: WriteLetter
  /** Of the page. */
  language: string
  /** Told why a passkey was refused. */
  refused?: (why: string) => void
}

/** Throws BusyError. */
export async function answerSecondFactor(
  store: Store,
  { clientId }: Question,
  standing: Standing,
  proof: FactorProof,
  ports: SecondFactorPorts,
): Promise<Reply> {
  const { accountId } = standing
  if (!('response' in proof) && !proof.code.trim()) {
    return { kind: 'again', problem: 'second-factor.empty' }
  }
  const begun = await begin(accountId, proof, ports)
  if (begun.kind === 'wait') {
    const { because, seconds: waitSeconds } = begun
    const problem = afterWait(`second-factor.held.${because}`, waitSeconds)
    return { kind: 'held', because, problem, waitSeconds }
  }
  const at = seconds(ports.now)
  const undecided = async (error: unknown) => {
    await begun.undecided()
    throw error
  }
  const checked = await checkFactor(store, accountId, proof, { ...ports, at }).catch(undecided)
  if (checked.kind === 'wrong' && checked.why) ports.refused?.(checked.why)
  const outcome = await use(store, accountId, { clientId, proof, checked, at }, ports).catch(
    undecided,
  )
  if (checked.kind === 'wrong' || outcome !== 'ok')
    return again(proof, outcome === 'used', await begun.wrong())
  await begun.right()
  return { kind: 'finish', answer: steppedUp(standing, [checked.amr], { acr: ports.acr, at }) }
}

const nothing = async () => {}

/** A passkey is not guessed: whoever has one gets in while others try codes. */
const begin = (
  accountId: string,
  proof: FactorProof,
  { limits, from }: SecondFactorPorts,
): Promise<Begun> =>
  proof.way === 'passkey'
    ? Promise.resolve({
        kind: 'begun',
        right: nothing,
        wrong: async () => 0,
        undecided: nothing,
      })
    : limits.begin({ ...from, name: factorTries(accountId) })

type Outcome = 'ok' | 'wrong' | 'used'

async function useUp(
  tables: Tables,
  account: AccountRow | undefined,
  checked: Checked,
): Promise<Outcome> {
  if (account?.status !== 'active' || checked.kind === 'wrong') return 'wrong'
  return (await checked.use(tables)) ? 'ok' : 'used'
}

type Use = { clientId: string; proof: FactorProof; checked: Checked; at: number }

async function use(
  store: Store,
  accountId: string,
  { clientId, proof: { way }, checked, at }: Use,
  ports: SecondFactorPorts,
): Promise<Outcome> {
  return store.transaction(async (tables): Promise<Outcome> => {
    const account = await tables.accounts.lock(accountId)
    const outcome = await useUp(tables, account, checked)
    await tables.audit.record({
      at,
      actor: accountId,
      action: 'session.second-factor',
      target: `client:${clientId}`,
      outcome,
      ...ports.where,
      details: { way },
    })
    if (account && outcome === 'ok' && way === 'recovery-code')
      await tellUsed(tables, account, at, ports)
    return outcome
  })
}

/** Whoever has found the paper they are on is not she. */
async function tellUsed(
  tables: Tables,
  account: AccountRow,
  at: number,
  { writeLetter, language }: SecondFactorPorts,
): Promise<void> {
  const { left } = await tables.recoveryCodes.standing(account.id)
  await tell(tables, account, { at, language }, ({ params, ...her }) =>
    writeLetter({ kind: 'recovery-code-used', ...her, params: { ...params, left } }),
  )
}

function again({ way }: FactorProof, isUsed: boolean, waitSeconds: number): Reply {
  const key = `second-factor.${way}.${isUsed && way === 'totp' ? 'used' : 'wrong'}`
  const problem: Message =
    waitSeconds === 0 ? key : afterWait('second-factor.wrong-wait', waitSeconds)
  return { kind: 'again', problem, ...(waitSeconds > 0 ? { waitSeconds } : {}) }
}
