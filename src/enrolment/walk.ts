/** How far an application is: which steps count for it, what is known, which one is next. */
import { type EnrolmentRules, factsOf, type StepRules } from '#config/enrolment.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { holds } from './conditions.ts'
import type { Draft, StepState } from './draft.ts'
import { upstreamFactsOf } from './identity-facts.ts'
import type { Accepted, Facts, Vouched } from './step.ts'

/** What was found out up to a step. */
export type Known = {
  facts: Facts
  vouched: Vouched
  identity?: UpstreamIdentity
  held: Readonly<Record<string, string>>
  accepted: Accepted[]
}

export type Walked = {
  step: StepRules
  state: StepState | undefined
  /** Before the step. */
  known: Known
}

export type Walk = {
  /** Answered, in order. */
  done: Walked[]
  /** What is asked next; absent when all is answered. */
  current?: Walked
  /** After all that is answered. */
  known: Known
  /** How many steps it takes in all, as far as one can say; the longest way where a choice is open. */
  total: number
}

/** Tells whether a step's answer is known without asking. */
export type KnowsAlready = (walked: Walked) => { facts: Facts; vouched?: Vouched } | undefined

/** Goes through the rules in order, with what is in the draft. */
export function walk(rules: EnrolmentRules, draft: Draft, knows: KnowsAlready): Walk {
  let known = atTheDoor(draft)
  const done: Walked[] = []
  for (const [i, step] of rules.steps.entries()) {
    // What a condition names and nobody found out is not so.
    if (holds(step.when, known.facts) !== 'yes') continue
    if (step.type === 'done') continue
    const state = draft.steps[step.id]
    const walked: Walked = { step, state, known }
    if (state?.done) {
      done.push(walked)
      known = join(known, state)
      continue
    }
    // What turned out wrong later is asked again, whatever the step remembers of it.
    const already = state?.problems ? undefined : knows(walked)
    if (!already) {
      const ahead = longest(rules.steps.slice(i), known.facts)
      return { done, current: walked, known, total: done.length + ahead }
    }
    // What was answered before and still holds counts as a step; what was known at the door is none.
    if (state) done.push(walked)
    known = join(known, { ...state, ...already })
  }
  return { done, known, total: done.length }
}

function atTheDoor({ door }: Draft): Known {
  const { identity } = door
  const said = identity ? upstreamFactsOf(identity) : { facts: {}, vouched: {} }
  return {
    facts: { ...said.facts, ...door.facts },
    vouched: said.vouched,
    ...(identity ? { identity } : {}),
    held: {},
    accepted: [],
  }
}

const join = (known: Known, state: Partial<StepState>): Known => {
  const identity = state.identity ?? known.identity
  return {
    facts: { ...known.facts, ...state.facts },
    vouched: { ...known.vouched, ...state.vouched },
    ...(identity ? { identity } : {}),
    held: { ...known.held, ...state.held },
    accepted: [...known.accepted, ...(state.accepted ?? [])],
  }
}

/**
 * How many steps lie ahead: where the way forks at a choice, the longest of its ways. A step that hangs on what an earlier
 * one may yet find out is counted.
 */
function longest(
  steps: StepRules[],
  facts: Facts,
  findable: ReadonlySet<string> = new Set(),
): number {
  const [step, ...rest] = steps
  if (!step) return 0
  const on = holds(step.when, facts)
  const never = Object.keys(step.when ?? {}).some(
    (name) => facts[name] === undefined && !findable.has(name),
  )
  if (step.type === 'done' || on === 'no' || (on === 'unknown' && never) || isKnown(step, facts))
    return longest(rest, facts, findable)
  const found = new Set([...findable, ...factsOf(step)])
  if (step.type !== 'choice') return 1 + longest(rest, facts, found)
  const ways = step.options.map(({ value }) =>
    longest(rest, { ...facts, [step.fact]: value }, found),
  )
  return 1 + Math.max(...ways)
}

/** What was known at the door is not asked. */
const isKnown = (step: StepRules, facts: Facts): boolean =>
  (step.type === 'choice' && facts[step.fact] !== undefined) ||
  (step.type === 'upstream' && facts['upstream.connector'] !== undefined)
