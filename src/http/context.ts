/** What a request carries through our middleware. */
import type { DefaultContext, DefaultState, ParameterizedContext } from 'koa'
import type { Language } from '#config/words.ts'
import type { Log } from '#lib/log.ts'

export type State = DefaultState & {
  /** Shown to the person and written to the log: how a report finds its line. */
  ref: string
  log: Log
  language: Language
  /** The client's address, as far as we may believe it. */
  source: string
  /** SHA-256 of the device cookie. Absent where no page of ours is served. */
  device?: string
  /** False on the visit that set the device cookie: the browser has not shown yet that it keeps cookies. */
  deviceKnown?: boolean
  /** What the provider answered 500 to. */
  serverError?: unknown
  /** A large file is being sent: it may take its time. Absent where nothing is sent. */
  waitForFile?: () => void
  /** The address of this page where it is not the request's own: of a form sent, or a callback. */
  pageUrl?: string
  /** What was typed to confirm a grave act: it stays in its field where it is not the name. */
  confirmTyped?: string | undefined
}

export type Context = ParameterizedContext<
  State,
  DefaultContext & { params: Record<string, string> }
>
export type Next = () => Promise<unknown>
