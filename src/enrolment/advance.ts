/** Writes what a step answered into the application, and lets the steps after it take their turn. */
import type { StepRules, StepType } from '#config/enrolment.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import type { ApplicationRow } from '#store/store.ts'
import { applicantOf } from './applicant.ts'
import { type CreatePorts, create } from './create.ts'
import { emptied, type Standing, type StepState } from './draft.ts'
import type { Doing, Joining, JoiningPorts, Joinings, Visitor } from './joinings.ts'
import { askAgain, isProofOld } from './proofs.ts'
import type { Facts, FieldProblem, Outcome, Sending, Step, Steps, Visit } from './step.ts'
import { type Walk, type Walked, walk } from './walk.ts'

export type AdvancePorts = JoiningPorts & CreatePorts & { steps: Steps }

export type Applied =
  /** It is answered, or somebody else must act: to be saved, and on. */
  | { kind: 'go-on'; doing: Doing }
  | Extract<Outcome, { kind: 'again' | 'left' | 'refused' | 'upstream' }>

export type Advance = ReturnType<typeof openAdvance>

export function openAdvance(ports: AdvancePorts, joinings: Joinings) {
  const { now, steps } = ports

  const stepOf = <Type extends StepType>(type: Type): Step<Type> => steps[type]

  function visitOf({ row, rules }: Joining, { step, state, known }: Walked, visitor: Visitor) {
    const { facts, vouched, identity, accepted } = known
    const visit: Visit<StepType> = {
      step,
      application: row.id,
      browser: visitor.device,
      facts,
      vouched,
      applicant: applicantOf(rules, facts),
      accepted,
      before: state?.facts ?? {},
      memory: state?.memory ?? {},
      ...(identity ? { identity } : {}),
      ...(row.accountId ? { member: row.accountId } : {}),
      language: visitor.language,
      at: seconds(now),
      address: visitor.address ?? '',
      source: visitor.source,
    }
    // A step's own type of rules: which one it is, the rules say and no compiler.
    return visit as never
  }

  const walkOf = (joining: Joining, visitor: Visitor): Walk =>
    walk(joining.rules, joining.draft, (walked) =>
      stepOf(walked.step.type).known?.(visitOf(joining, walked, visitor)),
    )

  /** Changes the draft as the outcome wants. `sent`: digest of what was answered. */
  function apply(
    joining: Joining,
    { step, state }: Walked,
    outcome: Outcome,
    sent?: string,
  ): Applied {
    const { draft } = joining
    const { problems: _, ...before }: StepState = state ?? { done: false, facts: {} }
    switch (outcome.kind) {
      case 'done': {
        const { facts = {}, vouched, held, accepted, memory = before.memory } = outcome
        if (!same(before.facts, facts)) reopen(joining, step)
        draft.steps[step.id] = {
          done: true,
          facts,
          ...(vouched ? { vouched } : {}),
          ...(held ? { held } : {}),
          ...(accepted ? { accepted } : {}),
          ...(memory ? { memory } : {}),
          ...(sent ? { sent } : {}),
        }
        return { kind: 'go-on', doing: { send: lettersOf(step, outcome.send) } }
      }
      case 'waiting': {
        const { contact, memory, send } = outcome
        draft.steps[step.id] = { ...before, ...(memory ? { memory } : {}) }
        const doing: Doing = { state: 'waiting', send: lettersOf(step, send) }
        return { kind: 'go-on', doing: contact ? { ...doing, contact } : doing }
      }
      case 'again':
        if (outcome.memory) {
          // With nothing wrong it asks anew: what was answered before holds no more.
          const done = before.done && outcome.problems.length > 0
          const slipped = sent && { sent, version: joining.row.version + 1 }
          const { memory } = outcome
          draft.steps[step.id] = { ...before, done, memory, ...(slipped ? { slipped } : {}) }
        }
        return outcome
      default:
        return outcome
    }
  }

  /** Later answers that stood on another one no longer hold; what was typed stays to be filled in. */
  function reopen({ rules, draft }: Joining, { id }: StepRules) {
    const after = rules.steps.slice(rules.steps.findIndex((one) => one.id === id) + 1)
    for (const step of after) {
      const state = draft.steps[step.id]
      if (state?.done) draft.steps[step.id] = { ...state, done: false }
    }
  }

  /**
   * Saves. Before, each next step does what it does when its turn comes; when none is left, the account is made.
   * Throws `lostRace`, and FactTaken when somebody has what was to be hers alone.
   */
  async function goOn(
    joining: Joining,
    first: Doing,
    visitor: Visitor,
  ): Promise<{ row: ApplicationRow; finished: boolean }> {
    const { rules, draft } = joining
    // At the browser only: whoever is mailed a link is somebody else, or has the mail.
    if (!first.link && isProofOld(draft, seconds(now))) askAgain(joining)
    let doing = first
    // Each turn answers a step or stops, and there are only so many.
    for (let turns = 0; turns <= rules.steps.length; turns++) {
      const w = walkOf(joining, visitor)
      if (!w.current) {
        const row = await finish(joining, w, doing, visitor)
        return { row, finished: row.state === 'done' }
      }
      const { step } = w.current
      const outcome = await stepOf(step.type).enter?.(visitOf(joining, w.current, visitor))
      if (!outcome) break
      const applied = apply(joining, w.current, outcome)
      if (applied.kind === 'refused')
        return { row: await refuse(joining, applied.why, doing), finished: false }
      const more = applied.kind === 'go-on' ? applied.doing : { send: sendingsOf(step, outcome) }
      doing = { ...doing, ...more, send: [...(doing.send ?? []), ...(more.send ?? [])] }
      if (outcome.kind !== 'done') break
    }
    return { row: await joinings.save({ ...joining, draft }, doing), finished: false }
  }

  /** It ends without an account; of the person nothing is kept. */
  async function refuse(joining: Joining, why: Message | undefined, doing: Doing = {}) {
    const draft = { ...emptied(joining.draft), ...(why ? { refused: why } : {}) }
    return joinings.save({ ...joining, draft }, { ...doing, state: 'refused' })
  }

  /** Makes what the rules want of all that was found out, and forgets the rest: the person has an account now. */
  async function finish(joining: Joining, { known }: Walk, doing: Doing, visitor: Visitor) {
    const { row, rules, draft } = joining
    const at = seconds(now)
    const accountId = row.accountId ?? crypto.randomUUID()
    const { identity } = known
    // Her word that it is she was the county's, which no step of these rules asked for again.
    if (draft.door.entry === 'identity' && !identity)
      return refuse(joining, 'joined.not-proven', doing)
    const finished = {
      at,
      amr: identity ? (identity.amr ?? ['fed']) : ['pwd'],
      federated: identity !== undefined,
      ...(identity ? { upstream: standingOf(identity) } : {}),
    }
    // A member is signed in already, and did not prove anew that it is she.
    const isProven = draft.door.entry !== 'member' && doing.link?.proves !== false
    return joinings.save(
      { row, rules, draft: { ...emptied(draft), ...(isProven ? { finished } : {}) } },
      {
        ...doing,
        state: 'done',
        accountId,
        async also(tables) {
          await doing.also?.(tables)
          await create(tables, ports, {
            rules,
            known,
            accountId,
            isMember: row.accountId !== undefined,
            language: draft.language,
            at,
            circumstances: { address: visitor.address, ref: visitor.ref },
          })
        },
      },
    )
  }

  /**
   * What was free a moment ago is somebody's when the account is made: the step that found it out on her way is asked
   * again. `answered`: the step that was last answered, asked where none did.
   */
  async function mend(
    joining: Joining,
    fact: string,
    answered: StepRules,
    visitor: Visitor,
  ): Promise<{ row: ApplicationRow; step: StepRules; problems: FieldProblem[] }> {
    const { draft } = joining
    const { done } = walkOf(joining, visitor)
    const found = done.findLast(({ step }) => draft.steps[step.id]?.facts[fact] !== undefined)
    const { step } = found ?? { step: answered }
    const problems: FieldProblem[] = [{ field: fact, problem: 'joining.taken' }]
    const state = draft.steps[step.id] ?? { facts: {} }
    draft.steps[step.id] = { ...state, done: false, problems }
    return { row: await joinings.save(joining), step, problems }
  }

  return { stepOf, visitOf, walkOf, apply, goOn, refuse, mend }
}

function standingOf({ connector, issuer, subject, session }: UpstreamIdentity): Standing {
  return { connector, issuer, subject, ...(session ? { session } : {}) }
}

const lettersOf = ({ id }: StepRules, send: Sending[] = []) =>
  send.map((sending) => ({ step: id, sending }))

/** Letters of an outcome that is saved as it is. */
export const sendingsOf = (step: StepRules, outcome: Outcome) =>
  lettersOf(step, 'send' in outcome ? outcome.send : undefined)

const same = (a: Facts, b: Facts) => {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => a[name] === b[name])
}
