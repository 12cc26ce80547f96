/** The question for the second factor: its page, and what is typed there. */
import { askPasskey } from '#accounts/second-factor/passkeys.ts'
import type { FactorProof } from '#accounts/second-factor/proof.ts'
import type { Reply } from '#interaction/answers.ts'
import {
  answerSecondFactor,
  factorTries,
  type Standing,
  steppedUp,
} from '#interaction/second-factor.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { upstreamOf } from '#oidc/upstream-session.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { type Fields, formToken } from '../input.ts'
import { passkeyPorts } from '../passkey-ports.ts'
import { tryFrom } from '../try-from.ts'
import { acceptedIn, takeAccepted } from './accepted.ts'
import { backParam } from './account/back.ts'
import type { Asked } from './question-pages.ts'

const deviceOf = ({ state }: Context) => state.device ?? ''

export function openSecondFactor(house: House) {
  const { store, config, keys, answer, now, limits, knownDevices, writeLetter } = house
  const acr = config.site.acr.two_factor

  /** How the browser is signed in: read anew, whatever the question says. */
  async function standingOf(ctx: Context): Promise<Standing> {
    const session = await house.provider.Session.get(ctx as never)
    if (!session.accountId) throw new Error('a second factor is shown by someone who is signed in')
    return {
      accountId: session.accountId,
      amr: session.amr ?? [],
      remember: !session.transient,
      upstream: upstreamOf(session),
    }
  }

  type How = { way?: string; problem?: Message; status?: number; waitSeconds?: number }

  async function show(ctx: Context, question: Asked, how: How = {}) {
    const { uid, app, accountId = '', formAction } = question
    const [member, factors, roles, codes] = await Promise.all([
      store.accounts.find(accountId),
      store.secondFactors.ofAccount(accountId),
      store.staffRoles.of(accountId),
      store.recoveryCodes.standing(accountId),
    ])
    const whom = { accountId, device: deviceOf(ctx), factors }
    const passkey = await askPasskey(whom, seconds(now), passkeyPorts(house, ctx))
    answer.page(ctx, {
      view: 'second-factor',
      status: how.status ?? (how.problem ? 422 : 200),
      retryAfterSeconds: how.waitSeconds,
      formAction,
      locals: {
        app,
        formToken: formToken(keys.form, deviceOf(ctx)),
        account: { name: member?.profile.name?.value ?? '' },
        hasApp: factors.some(({ type }) => type === 'totp'),
        passkey,
        codesLeft: codes.left,
        // Whoever has her password must not be able to make himself her second factor.
        none: factors.length > 0 ? undefined : roles.length > 0 ? 'staff' : 'member',
        way: how.way,
        problem: how.problem,
        actions: {
          prove: `/interaction/${uid}/second-factor`,
          cancel: `/interaction/${uid}/cancel`,
          setUp: `/account/second-factor?${backParam(uid)}`,
        },
      },
    })
  }

  /** She set up her second factor a moment ago, for an invitation: she is not asked for it again. */
  async function justAccepted(ctx: Context, question: Asked): Promise<Reply | undefined> {
    const invitation = acceptedIn(question.params.login_hint)
    if (!invitation) return undefined
    const standing = await standingOf(ctx)
    const accepted = await takeAccepted(house, ctx, invitation)
    if (accepted?.accountId !== standing.accountId) return undefined
    return { kind: 'finish', answer: steppedUp(standing, accepted.amr, { acr, at: accepted.at }) }
  }

  async function reply(ctx: Context, question: Asked, fields: Fields): Promise<Reply> {
    const standing = await standingOf(ctx)
    const name = factorTries(standing.accountId)
    const proof = readProof(ctx, fields)
    const replied = await answerSecondFactor(store, question, standing, proof, {
      ...passkeyPorts(house, ctx),
      now,
      acr,
      limits: limits.secondFactor,
      from: tryFrom(house, ctx)(name),
      where: circumstancesOf(ctx),
      writeLetter,
      language: ctx.state.language,
      refused: (why) => ctx.state.log.info({ why }, 'passkey refused'),
    })
    if (replied.kind === 'held') limits.refused(ctx, 'second-factor', replied.because)
    if (replied.kind === 'finish') knownDevices.remember(ctx, name)
    const outcome = replied.kind === 'again' ? 'refused' : replied.kind
    const { clientId: client } = question
    ctx.state.log.info({ way: proof.way, outcome, client }, 'second factor')
    return replied
  }

  return { show, justAccepted, reply }
}

function readProof(ctx: Context, { way, code = '', response = '' }: Fields): FactorProof {
  if (way === 'passkey') return { way, response, device: deviceOf(ctx) }
  return { way: way === 'recovery-code' ? way : 'totp', code }
}
