/** The question for the second factor: its page, and what is typed there. */
import { askPasskey } from '#accounts/second-factor/passkeys.ts'
import type { FactorProof } from '#accounts/second-factor/proof.ts'
import type { Reply } from '#interaction/answers.ts'
import type { OpenOffer } from '#interaction/link-offers.ts'
import {
  answerSecondFactor,
  factorTries,
  type Standing,
  steppedUp,
} from '#interaction/second-factor.ts'
import { maskMail } from '#lib/mask.ts'
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
import { connectorLabel } from './account/labels.ts'
import { factorPath, offerPath } from './linking.ts'
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

  /** `open`: the offer she is to show it for, to whose account she is not signed in. */
  async function show(ctx: Context, question: Asked, how: How = {}, open?: OpenOffer) {
    const { uid, app, formAction } = question
    const { accountId = '' } = open ?? question
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
        offer: open && {
          mark: open.mark,
          county: connectorLabel(house, ctx.state.language, open.identity.connector),
          address: maskMail(open.address),
          back: offerPath(uid),
          signIn: `/interaction/${uid}?choose=1#local-form`,
        },
        way: how.way,
        problem: how.problem,
        actions: {
          prove: open ? factorPath(uid) : `/interaction/${uid}/second-factor`,
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

  const reply = async (ctx: Context, question: Asked, fields: Fields): Promise<Reply> =>
    prove(ctx, question, await standingOf(ctx), fields)

  /** Of whoever stands so, signed in or not yet. */
  async function prove(
    ctx: Context,
    question: Asked,
    standing: Standing,
    fields: Fields,
  ): Promise<Reply> {
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

  return { show, justAccepted, reply, prove }
}

export const wayOf = ({ way }: Fields): FactorProof['way'] =>
  way === 'passkey' || way === 'recovery-code' ? way : 'totp'

function readProof(ctx: Context, fields: Fields): FactorProof {
  const { code = '', response = '' } = fields
  const way = wayOf(fields)
  return way === 'passkey' ? { way, response, device: deviceOf(ctx) } : { way, code }
}
