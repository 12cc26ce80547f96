/** What the routes of joining share: addresses, who acts, and the way on. */
import type { Joining, Visitor } from '#enrolment/joinings.ts'
import type { Message } from '#lib/messages.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context } from '../context.ts'
import { keepCookie } from '../cookies.ts'
import type { House } from '../house.ts'
import type { Fields } from '../input.ts'
import { findMember } from '../member.ts'
import { home, type NextStep, Problem } from '../problem.ts'
import { keptOf } from './next-steps.ts'

/** A page of an application, or wherever it is now. */
export const joiningPath = (application: string, step?: string) =>
  step === undefined ? `/joining/${application}` : `/joining/${application}/${step}`

export const joinAgain: NextStep = {
  id: 'join',
  kind: 'link',
  href: '/join',
  labelKey: 'next.join',
}

/** Who acts, for the enrolment room. */
export const visitor = ({ limits }: House, ctx: Context): Visitor => ({
  ...circumstancesOf(ctx),
  device: ctx.state.device ?? '',
  language: ctx.state.language,
  source: limits.sourceOf(ctx),
})

/** What is ours in a form is no answer. */
export const answers = ({ form_token: _, version: __, interaction: ___, ...fields }: Fields) =>
  fields

/** Leads on to whatever an application asks now, and lets this browser find it again. */
export const openWay =
  ({ cookies, answer }: House) =>
  (ctx: Context, application: string, notice?: Message) => {
    keepCookie(ctx, cookies.joining, application, true)
    const sent = notice === undefined ? '' : '?sent=1'
    answer.redirect(ctx, `${joiningPath(application)}${sent}`)
  }

/** Nobody goes on, or comes in, by the word of an upstream that was switched off since. The application waits. */
export function requireOpenUpstream(
  { config, upstreamHealth }: House,
  ctx: Context,
  { draft }: Joining,
): void {
  const proofs = [draft.door, ...Object.values(draft.steps)]
  const closed = config.connectors.find(
    ({ id }) =>
      upstreamHealth.offSince(id) !== undefined &&
      proofs.some(({ identity }) => identity?.connector === id),
  )
  if (!closed) return
  const params = { county: closed.label[ctx.state.language] }
  throw new Problem(409, 'county.switched-off', { params, kept: keptOf('join'), next: [home] })
}

/** What a member began is hers alone: not of whoever sits at this computer when she has gone. */
export async function requireMember(house: House, ctx: Context, { row, draft }: Joining) {
  if (draft.door.entry !== 'member') return
  const member = await findMember(house, ctx)
  if (member?.id === row.accountId) return
  throw new Problem(403, 'joining.signed-out', {
    next: [
      { id: 'account', kind: 'link', href: '/account', labelKey: 'next.account', primary: true },
      home,
    ],
  })
}
