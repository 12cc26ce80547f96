/** Takes an applicant from page to page. The only one who knows which step is next. */
import type { EnrolmentRules, Field, StepRules, StepType } from '#config/enrolment.ts'
import type { Words } from '#config/words.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { hmac, sha256 } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { type AdvancePorts, openAdvance, sendingsOf } from './advance.ts'
import { FactTaken, NotAMember } from './create.ts'
import type { Door } from './draft.ts'
import { lettersOf } from './fields.ts'
import {
  type Doing,
  type Found,
  inTurn,
  type Joining,
  lostRace,
  openJoinings,
  stateOf,
  type Visitor,
} from './joinings.ts'
import { openLinks } from './links.ts'
import { openPending } from './pending.ts'
import { noteProof } from './proofs.ts'
import { openResend } from './resend.ts'
import { openResume } from './resume.ts'
import type { FieldProblem, Input, Outcome, Screen, SummaryLine } from './step.ts'
import type { Walk, Walked } from './walk.ts'

/** One page. */
export type Shown = {
  /** Absent before the first answer: there is no row yet. */
  application?: string
  enrolment: string
  title: Words
  step: { id: string; type: StepType; title?: Words }
  progress: { at: number; of: number }
  screen: Screen
  problems: FieldProblem[]
  notice?: Message
  /** What was sent and not taken: shown again. */
  typed?: Readonly<Record<string, string>>
  /** What the answer must name: it counts only if nobody answered anything since. */
  version: number
  /** The step before, if there is one to go back to. */
  back?: string
  interaction?: string
}

export type Submitted =
  /** On to whatever is asked now. */
  | { kind: 'next'; application: string; notice?: Message }
  /** The same page, with what is wrong. */
  | { kind: 'again'; shown: Shown; waitSeconds?: number }
  | { kind: 'upstream'; application: string; step: string; connector: string }
  /** She went back to where she came from. */
  | { kind: 'left'; interaction?: string }

/** The last page of an application that is over. */
export type Finished = {
  title: Words
  text?: Words
  refused: boolean
  why?: Message
  interaction?: string
}

export type { LinkAnswer } from './links.ts'

/** Who begins: somebody on her way to an app, a member. */
type Whose = { interaction?: string | undefined; accountId?: string | undefined }

export type Enrolments = ReturnType<typeof openEnrolments>

type More = Partial<Pick<Shown, 'problems' | 'typed' | 'notice'>>

export function openEnrolments(ports: AdvancePorts) {
  const joinings = openJoinings(ports)
  const advance = openAdvance(ports, joinings)
  const { stepOf, visitOf, walkOf, apply, goOn } = advance
  const byId = new Map(ports.rules.map((rules) => [rules.id, rules]))

  /** What was answered once is not answered again by sending it a second time. */
  const digestOf = ({ fields, files }: Input) => {
    const sent = Object.entries(files).map(([name, file]) => [
      name,
      'bytes' in file ? sha256(file.bytes.toString('base64')) : '',
    ])
    return hmac(ports.draftKey, JSON.stringify([fields, sent]))
  }

  /** The step of that id, if it was answered or is next. */
  const reach = ({ done, current }: Walk, id: string | undefined): Walked | undefined =>
    id === undefined || id === current?.step.id ? current : done.find(({ step }) => step.id === id)

  async function page(joining: Joining, w: Walk, walked: Walked, visitor: Visitor, more: More) {
    const { row, rules, draft } = joining
    const { step } = walked
    const visit = visitOf(joining, walked, visitor)
    const screen: Screen =
      step.type === 'summary'
        ? { locals: { lines: linesOf(joining, w, visitor) } }
        : await stepOf(step.type).show(visit)
    const position = w.done.findIndex((one) => one.step.id === step.id)
    const at = position < 0 ? w.done.length : position
    const back = w.done[at - 1]?.step.id
    const shown: Shown = {
      ...(row.version > 0 ? { application: row.id } : {}),
      enrolment: rules.id,
      title: rules.title,
      step: { id: step.id, type: step.type, ...(step.title ? { title: step.title } : {}) },
      progress: { at: at + 1, of: Math.max(w.total, at + 1) },
      screen,
      problems: more.problems ?? walked.state?.problems ?? [],
      ...(more.notice ? { notice: more.notice } : {}),
      ...(more.typed ? { typed: withoutSecrets(step, more.typed) } : {}),
      version: row.version,
      ...(back ? { back } : {}),
      ...(draft.interaction ? { interaction: draft.interaction } : {}),
    }
    return shown
  }

  const withoutSecrets = (step: StepRules, typed: Input['fields']) => {
    const secret = new Set(stepOf(step.type).secrets?.(step as never))
    return Object.fromEntries(Object.entries(typed).filter(([name]) => !secret.has(name)))
  }

  /** What each answered step says of itself, for the page that sums it up. */
  function linesOf(
    joining: Joining,
    w: Walk,
    visitor: Visitor,
  ): (SummaryLine & { step: string })[] {
    return w.done.flatMap((walked) => {
      const lines = stepOf(walked.step.type).summary?.(visitOf(joining, walked, visitor)) ?? []
      return lines.map((line) => ({ step: walked.step.id, ...line }))
    })
  }

  /** The step asked for if it can be reached, else the one that is next; nothing when nothing is left to ask. */
  async function show(
    joining: Joining,
    step: string | undefined,
    visitor: Visitor,
    more: More = {},
  ): Promise<Shown | undefined> {
    const w = walkOf(joining, visitor)
    const walked = reach(w, step) ?? w.current
    return walked && page(joining, w, walked, visitor, more)
  }

  async function answer(
    joining: Joining,
    walked: Walked,
    input: Input,
    visitor: Visitor,
  ): Promise<Submitted> {
    const { row, draft } = joining
    const outcome = await stepOf(walked.step.type).submit(visitOf(joining, walked, visitor), input)
    const applied = apply(joining, walked, outcome, digestOf(input))
    switch (applied.kind) {
      case 'left':
        if (row.version > 0) await advance.refuse(joining, undefined)
        return { kind: 'left', ...(draft.interaction ? { interaction: draft.interaction } : {}) }
      case 'refused':
        return { kind: 'next', application: (await advance.refuse(joining, applied.why)).id }
      case 'upstream': {
        const { id } = await joinings.save(joining)
        const { connector } = applied
        return { kind: 'upstream', application: id, step: walked.step.id, connector }
      }
      case 'again':
        return sayAgain(joining, walked, applied, input, visitor)
      case 'go-on':
        return goOnOrMend(joining, walked, applied.doing, { input, visitor })
    }
  }

  /** Keeps what must be kept of a try, a counted one, and shows the page again. */
  async function sayAgain(
    joining: Joining,
    { step }: Walked,
    outcome: Extract<Outcome, { kind: 'again' }>,
    { fields }: Input,
    visitor: Visitor,
  ): Promise<Submitted> {
    const { memory, send = [], problems, notice, waitSeconds } = outcome
    let { row } = joining
    if (memory || send.length > 0) {
      row = await joinings.save(joining, { send: sendingsOf(step, outcome), state: stateOf(row) })
      // Nothing is wrong: the page that says so is one that can be opened again.
      if (problems.length === 0)
        return { kind: 'next', application: row.id, ...(notice ? { notice } : {}) }
    }
    const more = { problems, typed: fields, ...(notice ? { notice } : {}) }
    const shown = await show({ ...joining, row }, step.id, visitor, more)
    if (!shown) throw new Error('a step that was answered cannot be shown')
    return { kind: 'again', shown, ...(waitSeconds ? { waitSeconds } : {}) }
  }

  /** A name that was free a moment ago may be somebody's when the account is made: its step is asked again. */
  async function goOnOrMend(
    joining: Joining,
    { step: answered }: Walked,
    doing: Doing,
    { input, visitor }: { input: Input; visitor: Visitor },
  ): Promise<Submitted> {
    const { row, rules } = joining
    const draft = structuredClone(joining.draft)
    try {
      return { kind: 'next', application: (await goOn(joining, doing, visitor)).row.id }
    } catch (error) {
      if (error instanceof NotAMember) {
        const refused = await advance.refuse({ row, rules, draft }, 'joined.no-member')
        return { kind: 'next', application: refused.id }
      }
      if (!(error instanceof FactTaken)) throw error
      const { fact } = error
      // By another application, or at another door: this one has nothing left to ask.
      if (fact === 'upstream.connector') {
        const refused = await advance.refuse({ row, rules, draft }, 'joined.identity-taken')
        return { kind: 'next', application: refused.id }
      }
      const mended = await advance.mend({ row, rules, draft }, fact, answered, visitor)
      const next: Submitted = { kind: 'next', application: row.id }
      if (mended.step.id !== answered.id) return next
      const more = { problems: mended.problems, typed: input.fields }
      const shown = await show({ row: mended.row, rules, draft }, answered.id, visitor, more)
      return shown ? { kind: 'again', shown } : next
    }
  }

  /** Takes an answer to a step, if nobody answered anything since `version`. */
  async function submit(
    joining: Joining,
    { step, version, input }: { step: string; version: number; input: Input },
    visitor: Visitor,
  ): Promise<Submitted> {
    const { row } = joining
    const sent = digestOf(input)
    const next: Submitted = { kind: 'next', application: row.id }
    if (joinings.isOver(row)) return next
    const walked = reach(walkOf(joining, visitor), step)
    if (!walked || (walked.state?.done && walked.state.sent === sent)) return next
    const changed = async (now: Joining): Promise<Submitted> => {
      const more = { problems: [], typed: input.fields, notice: 'joining.changed' }
      const shown = await show(now, step, visitor, more)
      return shown ? { kind: 'again', shown } : next
    }
    const { slipped } = walked.state ?? {}
    const isRepeated = slipped?.sent === sent && slipped.version === row.version
    if (version !== row.version && !isRepeated) return changed(joining)
    try {
      return await answer(joining, walked, input, visitor)
    } catch (error) {
      if (error !== lostRace) throw error
      const found = await joinings.find(row.id, visitor.device)
      // Often the very same answer, sent twice at once: then it is none to be lost.
      return found.kind === 'found' ? submit(found, { step, version, input }, visitor) : next
    }
  }

  const pending = openPending(ports, joinings)

  /** Of that step's page, or of the first one of an enrolment. */
  function fieldsAsked(of: string | Joining, id?: string): Field[] {
    const { steps } = typeof of === 'string' ? (byId.get(of) ?? { steps: [] }) : of.rules
    const first = 1 + steps.findIndex(({ when }) => when === undefined)
    const asked = id === undefined ? steps.slice(0, first) : steps.filter((one) => one.id === id)
    return asked.flatMap((step) => (step.type === 'form' ? step.fields : []))
  }

  return {
    ...openLinks(ports, joinings, advance),
    ...openResend(joinings, advance, pending.findWaiting),
    ...pending,
    ...openResume(ports, joinings),
    find: joinings.find,
    show,

    /** Ways to join that are open to anybody, or to members who want to become more. */
    offers: (entry: 'visitor' | 'member'): EnrolmentRules[] =>
      ports.rules.filter((rules) => rules.entry[entry]),

    /** The enrolment somebody unknown goes through who comes from this connector. */
    enrolmentOf: (connector: string): string | undefined =>
      ports.rules.find(({ entry: { identity } }) => {
        if (!identity) return false
        return identity.connectors === 'all' || identity.connectors.includes(connector)
      })?.id,

    /** Whether an answer may come with files: to that step, or the first one of an enrolment. */
    takesFiles: (of: string | Joining, id?: string): boolean =>
      fieldsAsked(of, id).some(({ type }) => type === 'picture'),

    /** How many letters it may have. */
    mostLetters: (of: string | Joining, id?: string): number =>
      fieldsAsked(of, id).reduce((sum, field) => sum + lettersOf(field), 0),

    /** The first page, for whoever looks at it: nothing is kept until she answers. */
    async preview(enrolment: string, visitor: Visitor, whose: Whose = {}) {
      const joining = startOf(enrolment, visitor, whose)
      return joining && show(joining, undefined, visitor)
    },

    /** The first answer: the application begins with it. */
    async start(enrolment: string, input: Input, visitor: Visitor, whose: Whose = {}) {
      const joining = startOf(enrolment, visitor, whose)
      const current = joining && walkOf(joining, visitor).current
      return current && answer(joining, current, input, visitor)
    },

    /** The application of somebody an upstream vouches for, or of a member, without a first answer. Its id. */
    async begin(
      enrolment: string,
      { accountId, ...door }: Omit<Door, 'facts'> & { accountId?: string },
      visitor: Visitor,
      interaction?: string,
    ): Promise<string> {
      const rules = byId.get(enrolment)
      const entry = rules?.entry[door.entry]
      if (!rules || !entry) throw new Error(`${enrolment} has no door for ${door.entry}`)
      const inside = { ...door, facts: entry.facts }
      const more = { ...(interaction ? { interaction } : {}), ...(accountId ? { accountId } : {}) }
      const joining = joinings.make(rules, inside, visitor, more)
      if (door.identity) noteProof(joining.draft, door.identity, joining.row.createdAt)
      const { row } = await goOn(joining, {}, visitor)
      return row.id
    },

    /** She gives it up: of what she said nothing is kept. */
    discard: ({ row: { id, device } }: Joining): Promise<void> =>
      inTurn(async () => {
        const found = await joinings.find(id, device)
        if (found.kind !== 'found' || joinings.isOver(found.row)) return
        await advance.refuse(found, 'joined.discarded')
      }),

    /** The last page, of one that is over. */
    finished({ row, rules, draft }: Joining): Finished | undefined {
      if (!joinings.isOver(row)) return undefined
      const last = rules.steps.at(-1)
      return {
        title: rules.title,
        ...(last?.type === 'done' && last.text ? { text: last.text } : {}),
        refused: row.state === 'refused',
        ...(draft.refused ? { why: draft.refused } : {}),
        ...(draft.interaction ? { interaction: draft.interaction } : {}),
      }
    },

    submit,

    /** What a script asks of the step that is next. Changes nothing. */
    async check(joining: Joining, typed: { field: string; value: string }, visitor: Visitor) {
      const { current } = walkOf(joining, visitor)
      return current && stepOf(current.step.type).check?.(visitOf(joining, current, visitor), typed)
    },

    /** Somebody came back from the upstream a step sent her to. */
    arrive: (
      errand: { application: string; step: string },
      identity: UpstreamIdentity,
      visitor: Visitor,
    ) => inTurn(() => arrive(errand, identity, visitor)),
  }

  async function arrive(
    { application, step }: { application: string; step: string },
    identity: UpstreamIdentity,
    visitor: Visitor,
  ): Promise<Submitted | Exclude<Found, { kind: 'found' }>> {
    const found = await joinings.find(application, visitor.device)
    if (found.kind !== 'found') return found
    const walked = reach(walkOf(found, visitor), step)
    const { arrive } = walked ? stepOf(walked.step.type) : {}
    if (!walked || !arrive || joinings.isOver(found.row)) return { kind: 'next', application }
    const outcome = await arrive(visitOf(found, walked, visitor), identity)
    const applied = apply(found, walked, outcome)
    if (applied.kind !== 'go-on') return { kind: 'next', application }
    const { draft, rules } = found
    const state = draft.steps[step]
    if (state) draft.steps[step] = { ...state, identity }
    // Somebody else than before: what the one before her filled in is none of hers.
    if (noteProof(draft, identity, seconds(ports.now))) {
      const after = rules.steps.slice(rules.steps.findIndex(({ id }) => id === step) + 1)
      for (const { id } of after) delete draft.steps[id]
    }
    return goOnOrMend(found, walked, applied.doing, { input: { fields: {}, files: {} }, visitor })
  }

  /** By the visitors' door or, where there is none, by the members'. */
  function startOf(enrolment: string, visitor: Visitor, { interaction, accountId }: Whose) {
    const rules = byId.get(enrolment)
    if (!rules) return undefined
    const { visitor: open, member } = rules.entry
    const more = interaction ? { interaction } : {}
    if (open) return joinings.make(rules, { entry: 'visitor', facts: open.facts }, visitor, more)
    if (!member || !accountId) return undefined
    const door: Door = { entry: 'member', facts: member.facts }
    return joinings.make(rules, door, visitor, { ...more, accountId })
  }
}
