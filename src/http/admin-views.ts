/** What the console's pages are given. Each subject's own lie in routes/admin/<subject>-views.ts. */
import type { Message } from '#lib/messages.ts'

/** Every one of them; the frame adds it. */
export type StaffPage = {
  formToken: string
  /** Whose page it is: comes back with each form. */
  staff: string
  /** Where she is, for the navigation, and where she may go. */
  here: string
  sections: readonly string[]
  /** What was just done, or why it was not. */
  notice?: Message | undefined
  /** The form was not taken over: why, by field. `field` is the input's id without `f-`. */
  problems: { field?: string; problem: Message }[]
}

export type AdminViews = {
  admin: StaffPage & {
    /** What to do first, on a system nobody has used yet. */
    first: readonly string[]
  }
}
