/** What is behind the links an application mailed: a page to look at, and a button that counts once. */
import type { StepType } from '#config/enrolment.ts'
import type { Words } from '#config/words.ts'
import { sha256 } from '#lib/crypto.ts'
import { seconds } from '#lib/time.ts'
import type { LinkPurpose, Tables } from '#store/store.ts'
import type { Advance, AdvancePorts } from './advance.ts'
import { FactTaken, NotAMember } from './create.ts'
import { type Joinings, lostRace, type Visitor } from './joinings.ts'
import type { FieldProblem, Input, Screen } from './step.ts'

export type LinkShown = {
  kind: 'good'
  step: { id: string; type: StepType }
  title: Words
  screen: Screen
  problems: FieldProblem[]
  typed?: Readonly<Record<string, string>>
}

export type LinkAnswer =
  | LinkShown
  /** Used, expired, or of an application that is over. */
  | { kind: 'stale' }
  /** Done, and what came of it. `sameBrowser`: the applicant's own, who goes on there. */
  | { kind: 'done'; application: string; came: 'account' | 'answer' | 'end'; sameBrowser: boolean }
  /** Meanwhile somebody else's account has what was to be hers. */
  | { kind: 'taken' }

export function openLinks(
  { now }: AdvancePorts,
  joinings: Joinings,
  { stepOf, visitOf, walkOf, apply, goOn, refuse, mend }: Advance,
) {
  async function find(purpose: LinkPurpose, token: string, visitor: Visitor) {
    const found = await joinings.ofLink(purpose, token)
    if (!found) return undefined
    const { joining, memo } = found
    const { current } = walkOf(joining, visitor)
    // A link belongs to its step: once that is answered, or asks anew, it means nothing.
    if (!current || current.step.id !== memo) return undefined
    const behind = stepOf(current.step.type).link
    if (!behind || behind.purpose !== purpose) return undefined
    const visit = visitOf(joining, current, visitor)
    if (!behind.isGood(visit)) return undefined
    const opened = { sameBrowser: joining.row.device === visitor.device, held: current.known.held }
    return { joining, current, behind, opened, visit }
  }

  /** What a link shows. Changes nothing: mail scanners open links, too. */
  async function showLink(
    purpose: LinkPurpose,
    token: string,
    visitor: Visitor,
    more: Pick<LinkShown, 'problems' | 'typed'> = { problems: [] },
  ): Promise<LinkAnswer> {
    const found = await find(purpose, token, visitor)
    if (!found) return { kind: 'stale' }
    const { joining, current, behind, opened, visit } = found
    const { id, type } = current.step
    const screen = await behind.show(visit, opened)
    return { kind: 'good', step: { id, type }, title: joining.rules.title, screen, ...more }
  }

  /** Does what the link is for: for exactly one of two who use it at once. */
  async function useLink(
    purpose: LinkPurpose,
    token: string,
    input: Input,
    visitor: Visitor,
  ): Promise<LinkAnswer> {
    const found = await find(purpose, token, visitor)
    if (!found) return { kind: 'stale' }
    const { joining, current, behind, opened, visit } = found
    const { sameBrowser } = opened
    const outcome = await behind.submit(visit, input, opened)
    const applied = apply(joining, current, outcome)
    const also = async ({ mailLinks, audit }: Tables) => {
      const at = seconds(now)
      if (!(await mailLinks.use(sha256(token), purpose, at))) throw lostRace
      const { id, enrolment } = joining.row
      await audit.record({
        at,
        actor: 'unknown',
        action: `application.${purpose}`,
        target: id,
        outcome: applied.kind === 'go-on' ? 'ok' : 'refused',
        ...(visitor.address === undefined ? {} : { address: visitor.address }),
        ...(visitor.ref === undefined ? {} : { ref: visitor.ref }),
        details: { enrolment, sameBrowser },
      })
    }
    try {
      if (applied.kind === 'again') {
        const { problems } = applied
        if (applied.memory) await joinings.save(joining, { state: 'waiting' })
        return await showLink(purpose, token, visitor, { problems, typed: input.fields })
      }
      const application = joining.row.id
      if (applied.kind !== 'go-on') {
        const why = applied.kind === 'refused' ? applied.why : undefined
        await refuse(joining, why, { also })
        return { kind: 'done', application, came: 'end', sameBrowser }
      }
      // A guardian agrees for somebody who is elsewhere; who activates has the mail, and her password or her browser.
      const link = { proves: purpose === 'activate' }
      const { finished } = await goOn(joining, { ...applied.doing, also, link }, visitor)
      return { kind: 'done', application, came: finished ? 'account' : 'answer', sameBrowser }
    } catch (error) {
      if (error === lostRace) return { kind: 'stale' }
      if (error instanceof NotAMember) return { kind: 'stale' }
      if (!(error instanceof FactTaken)) throw error
      // Else she would wait for what can come to nothing.
      await mend(joining, error.fact, current.step, visitor).catch(unlessLost)
      return { kind: 'taken' }
    }
  }

  return { showLink, useLink }
}

const unlessLost = (error: unknown) => {
  if (error !== lostRace) throw error
}
