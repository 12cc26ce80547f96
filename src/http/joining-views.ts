/** What the pages of joining are given. */
import type { FieldProblem } from '#enrolment/step.ts'
import type { Message } from '#lib/messages.ts'

type FormToken = { formToken: string }
type App = { name: string; host: string }

/** What a step's own view reads. */
type StepLocals = {
  enrolment: string
  heading: string
  step: { id: string; type: string }
  screen: Record<string, unknown>
  /** How upstreams fare, by id, where something is the matter. */
  notes?: Record<string, Message | undefined>
  scripts: string[]
  problems: FieldProblem[]
  /** What was sent and not taken, by field. */
  typed: Readonly<Record<string, string>>
  action: string
}

export type JoiningViews = {
  join: {
    offers: { href: string; title: string; summary?: string | undefined }[]
    /** One she began in this browser. */
    started?: { href: string; discard: string; title: string; at: Date } | undefined
  } & FormToken
  joining: FormToken &
    StepLocals & {
      progress: { at: number; of: number }
      multipart: boolean
      waits: boolean
      notice?: Message | undefined
      version: number
      interaction?: string | undefined
      app?: App | undefined
      /** Where a script asks whether a name is free. */
      check?: string | undefined
      back?: string | undefined
      /** Wherever the application is by now. */
      here?: string | undefined
      later?: string | undefined
    }
  joined: FormToken & {
    enrolment: string
    text?: string | undefined
    refused: boolean
    why?: Message | undefined
    app?: App | undefined
    action: string
  }
  'joining-link': FormToken & StepLocals & { purpose: string }
  'joining-link-done': { purpose: string; came: 'account' | 'answer' | 'end' }
  'joining-later': FormToken & {
    problem?: Message | undefined
    address: string
    days: number
    action: string
    back: string
  }
  'joining-resume': FormToken & { enrolment: string; action: string }
}
