/** Somebody at one step of an application, whose memory is kept from page to page as the engine does. */
import type { StepOf, StepType } from '#config/enrolment.ts'
import type { Input, Memory, Opened, Outcome, Step, Visit } from '#enrolment/step.ts'
import type { Message } from '#lib/messages.ts'

export type Fields = Input['fields']

export function openApplicant<Type extends StepType>(
  step: Step<Type>,
  rules: StepOf<Type>,
  clock: { at: number },
  changes: Partial<Visit<Type>> = {},
) {
  let memory: Memory = changes.memory ?? {}
  const visit = (more: Partial<Visit<Type>> = {}): Visit<Type> => ({
    step: rules,
    application: 'application 1',
    browser: 'browser 1',
    facts: {},
    vouched: {},
    applicant: {},
    accepted: [],
    before: {},
    language: 'zh-TW',
    at: clock.at,
    address: '192.0.2.7',
    source: { name: '192.0.2.7', factor: 1 },
    ...changes,
    memory,
    ...more,
  })
  const keep = <O extends Outcome | undefined>(outcome: O): O => {
    if (outcome && 'memory' in outcome && outcome.memory) memory = outcome.memory
    return outcome
  }
  const { link } = step
  return {
    visit,
    submit: async (fields: Fields) => keep(await step.submit(visit(), { fields, files: {} })),
    enter: async () => keep(await step.enter?.(visit())),
    show: async () => (await step.show(visit())).locals,
    known: () => step.known?.(visit()),
    remembers: () => memory,
    isLinkGood: () => link?.isGood(visit()),
    showLink: async (opened: Opened) => (await link?.show(visit(), opened))?.locals,
    useLink: async (fields: Fields, opened: Opened, more: Partial<Visit<Type>> = {}) =>
      keep(await link?.submit(visit(more), { fields, files: {} }, opened)),
  }
}

export const again = (problem: Message, field?: string) =>
  ({ kind: 'again', problems: [field ? { field, problem } : { problem }] }) as const

export const sendingsIn = (outcome: Outcome | undefined) =>
  outcome && 'send' in outcome ? (outcome.send ?? []) : []

export const lettersIn = (outcome: Outcome | undefined) =>
  sendingsIn(outcome).map(({ letter }) => letter)
