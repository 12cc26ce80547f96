/** A name and a password typed for a question, checked under all limits. */
import { signInName } from '#accounts/local.ts'
import { answerLocally, type Reply } from '#interaction/answers.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { tryFrom } from '../try-from.ts'
import type { Asked } from './question-pages.ts'

export const openLocalSignIn =
  ({ store, config, passwords, now, limits, knownDevices, enrolments, metrics }: House) =>
  async (
    ctx: Context,
    question: Asked,
    typed: { account: string; password: string },
    remember: boolean,
  ): Promise<Reply> => {
    const { site } = config
    const { domain } = site.local_accounts
    const name = signInName(typed.account, domain)
    const from = tryFrom({ limits, knownDevices }, ctx)(name)
    const where = { ...circumstancesOf(ctx), clientId: question.clientId }
    const { signIn: signInLimits } = limits
    const { password: acr } = site.acr
    const { waitingPassword } = enrolments
    const local = { now, passwords, domain, waitingPassword }
    const ports = { ...local, acr, limits: signInLimits, from, where, remember }
    const reply = await answerLocally(store, typed, ports)
    if (reply.kind === 'held') limits.refused(ctx, 'sign-in', reply.because)
    if (reply.kind === 'finish') knownDevices.remember(ctx, name)
    const outcome = reply.kind === 'again' ? 'refused' : reply.kind
    ctx.state.log.info({ way: 'password', outcome, client: question.clientId }, 'sign-in')
    metrics.signIn('password', '', outcome)
    return reply
  }
