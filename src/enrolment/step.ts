/**
 * What a step of an enrolment is: shown, and answered. A step never redirects, never renders and never names another
 * step; the engine alone picks the next one. Its type is its file here, its view and its test.
 */
import type { StepOf, StepType } from '#config/enrolment.ts'
import type { Language } from '#config/words.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { Letter, UnlinkedLetter } from '#lib/letter.ts'
import type { Message } from '#lib/messages.ts'
import type { LinkPurpose } from '#store/store.ts'
import type { Applicant } from './applicant.ts'

/** What was found out of the applicant, by name. Conditions read it, and what is created at the end. */
export type Facts = Readonly<Record<string, string | number | boolean>>

/** Who says so: of each fact that somebody but the applicant vouches for, a connector's id. */
export type Vouched = Readonly<Record<string, string>>

export type Accepted = {
  terms: string
  version: string
  language: string
  hash: string
  at: number
  address: string
}

/** What is known when a step is shown or answered. */
export type Visit<Type extends StepType> = {
  step: StepOf<Type>
  /** Also before there is a row: then it is another one at each visit. */
  application: string
  /** Digest of the device cookie: the same from visit to visit. */
  browser: string
  /** Found out by the steps before this one, and at the door. */
  facts: Facts
  vouched: Vouched
  applicant: Applicant
  /** What she agreed to in the steps before this one. */
  accepted: Accepted[]
  /** What this step found out when it was answered last: to be filled in again. */
  before: Facts
  /** This step's own, kept from one visit to the next. Nobody else reads it. */
  memory: Memory
  identity?: UpstreamIdentity
  /** The account of a member who wants to become more. */
  member?: string
  language: Language
  /** Seconds since 1970. */
  at: number
  /** Where the request comes from: the address, and its neighbourhood as limits count it. */
  address: string
  source: { name: string; factor: number }
}

export type Memory = Readonly<Record<string, string | number | boolean | undefined>>

export type Upload = { bytes: Buffer } | { tooLarge: true }

export type Input = {
  fields: Readonly<Record<string, string>>
  files: Readonly<Record<string, Upload>>
}

/** What the step's view is given. */
export type Screen = {
  /** Read by `views/steps/<type>.ejs` as `data.screen`. */
  locals: Record<string, unknown>
  /** Scripts of ours that improve it. */
  scripts?: string[]
  /** The form carries files. */
  multipart?: boolean
  /** Origins its form may lead to: the counties'. */
  formAction?: string[]
  /** It has a script that works in a thread of its own. */
  worker?: boolean
  /** The step is answered by somebody else, or elsewhere: its page says so and has no way on of its own. */
  waits?: boolean
}

/** One slip, at a field or at the whole page. */
export type FieldProblem = { field?: string; problem: Message }

/** A letter to be sent with the save, with a link of its own where it has a purpose. */
export type Sending =
  | { letter: Letter }
  | { letter: UnlinkedLetter; link: NewLink }
  /** The link is made and nobody gets it: no longer or shorter than with one, and the one before it ends. */
  | { letter: Letter; blank: NewLink }

type NewLink = { purpose: LinkPurpose; validSeconds: number }

type Saved = {
  /** In place of what it was. */
  memory?: Memory
  send?: Sending[]
}

export type Outcome =
  | (Saved & {
      kind: 'done'
      facts?: Facts
      vouched?: Vouched
      accepted?: Accepted[]
      /** What only the end may read, by fact name: a password's hash, a picture, a personal number. */
      held?: Readonly<Record<string, string>>
    })
  /** The same page again. With problems nothing is kept but `memory`, what was typed is shown again. */
  | (Saved & {
      kind: 'again'
      problems: FieldProblem[]
      /** Said where nothing is wrong: a code was sent. */
      notice?: Message
      waitSeconds?: number
    })
  /** Off to an upstream; the engine hands its identity to `arrive`. */
  | { kind: 'upstream'; connector: string }
  /** Somebody else must act: whoever reads the mail sent to this address. */
  | (Saved & { kind: 'waiting'; contact?: string })
  /** She went back without an answer: nothing of her is kept. */
  | { kind: 'left' }
  /** It ends here. */
  | { kind: 'refused'; why: Message }

/** What somebody who was sent a link sees, and does. */
export type LinkPage<Type extends StepType> = {
  purpose: LinkPurpose
  /** Whether the step still waits for whom the link was sent to. */
  isGood(visit: Visit<Type>): boolean
  show(visit: Visit<Type>, opened: Opened): Screen | Promise<Screen>
  submit(visit: Visit<Type>, input: Input, opened: Opened): Promise<Outcome>
}

export type Opened = {
  /** It was opened where the application was made. */
  sameBrowser: boolean
  held: Readonly<Record<string, string>>
}

export type Step<Type extends StepType> = {
  /** Its answer, where it is known without asking: at the door, or from the last time and still true. */
  known?(visit: Visit<Type>): { facts: Facts; vouched?: Vouched } | undefined
  /** When its turn comes: what it sends at once. */
  enter?(visit: Visit<Type>): Promise<Outcome | undefined>
  show(visit: Visit<Type>): Screen | Promise<Screen>
  submit(visit: Visit<Type>, input: Input): Promise<Outcome>
  /** Somebody came back from the upstream it sent her to. */
  arrive?(visit: Visit<Type>, identity: UpstreamIdentity): Promise<Outcome>
  link?: LinkPage<Type>
  /** Fields that are never shown again. */
  secrets?(step: StepOf<Type>): string[]
  /** What a script asks while something is typed: whether a name is free. */
  check?(
    visit: Visit<Type>,
    typed: { field: string; value: string },
  ): Promise<{ kind: string; message: Message } | undefined>
  /** What the summary says of it. */
  summary?(visit: Visit<Type>): SummaryLine[]
}

export type SummaryLine = {
  label: Message | Record<Language, string>
  value: Message | { text: string } | Record<Language, string>
}

/** One of each type. */
export type Steps = { [Type in StepType]: Step<Type> }
