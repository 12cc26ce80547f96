/** How long a county's word counts for whoever sits at the browser, and what goes when it does not. */
import type { EnrolmentRules } from '#config/enrolment.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { sha256 } from '#lib/crypto.ts'
import type { Draft, StepState } from './draft.ts'
import type { Memory } from './step.ts'

/**
 * School computers are shared, and an application stays with its browser for days: who sits down there later must not
 * make an account of somebody else's identity. As long as a session lasts without a visit.
 */
const proofSeconds = 30 * 60

const digestOf = ({ issuer, subject }: UpstreamIdentity) =>
  sha256(JSON.stringify([issuer, subject]))

/** Notes that an upstream vouches for her. True if the one before was somebody else. */
export function noteProof(draft: Draft, identity: UpstreamIdentity, at: number): boolean {
  const { proof: before } = draft
  draft.proof = { of: digestOf(identity), at }
  return before !== undefined && before.of !== draft.proof.of
}

/** Whether she has to prove herself at her county again before she goes on. */
export const isProofOld = ({ door, steps, proof }: Draft, at: number): boolean =>
  (door.identity !== undefined || Object.values(steps).some(({ identity }) => identity)) &&
  at >= (proof?.at ?? 0) + proofSeconds

/** Her answers stay: they hold again when the county says the same again. */
export function withoutIdentity({ door, steps, ...draft }: Draft): Draft {
  const { identity: _, ...outside } = door
  const kept = Object.entries(steps).map(([id, { identity, ...state }]) => [
    id,
    identity ? { ...state, done: false } : state,
  ])
  return { ...draft, door: outside, steps: Object.fromEntries(kept) }
}

/** Her county is asked once more, and she is told why. */
export function askAgain({ rules, draft }: { rules: EnrolmentRules; draft: Draft }): void {
  Object.assign(draft, withoutIdentity(draft))
  for (const { id, type } of rules.steps) {
    if (type !== 'upstream') continue
    const { facts = {}, ...state } = draft.steps[id] ?? {}
    const problems = [{ problem: 'joining.upstream.again' }]
    draft.steps[id] = { ...state, facts, done: false, problems }
  }
}

/** For another browser: nothing in it was proven by whoever sits there, and what it holds is no secret of hers. */
export function withoutProofs(draft: Draft): Draft {
  const { interaction: _, ...outside } = withoutIdentity(draft)
  const kept = Object.entries(outside.steps).map(([id, state]) => [id, unproven(state)])
  return { ...outside, steps: Object.fromEntries(kept) }
}

function unproven({ held = {}, memory, ...state }: StepState): StepState {
  const { proven, ...others } = memory ?? {}
  // A form remembers what is held of it, so that it need not be chosen again: by her who chose it.
  const rest: Memory = Object.fromEntries(
    Object.entries(others).filter(([name]) => !Object.hasOwn(held, name)),
  )
  const done = state.done && Object.keys(held).length === 0 && proven === undefined
  return { ...state, done, ...(memory ? { memory: rest } : {}) }
}
