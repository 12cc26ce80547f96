/** What the console's pages are given. Each subject's own lie in routes/admin/<subject>-views.ts. */
import type { Message } from '#lib/messages.ts'
import type { AppLifeViews } from './routes/admin/app-life-views.ts'
import type { ClientViews } from './routes/admin/clients-views.ts'
import type { ImportViews } from './routes/admin/imports-views.ts'
import type { OperationsViews } from './routes/admin/operations-views.ts'
import type { PeopleViews } from './routes/admin/people-views.ts'
import type { StaffViews } from './routes/admin/staff-views.ts'
import type { UpstreamViews } from './routes/admin/upstreams-views.ts'

/** Every one of them; the frame adds it. */
export type StaffPage = {
  formToken: string
  /** Whose page it is: comes back with each form. */
  staff: string
  /** Of this page and no other: by it a form that shows something once is told from its second sending. */
  once: string
  /** Where she is, for the navigation, and where she may go. */
  here: string
  sections: readonly string[]
  /** What was just done, or why it was not. */
  notice?: Message | undefined
  /** The form was not taken over: why, by field. `field` is the input's id without `f-`. */
  problems: { field?: string; problem: Message }[]
  /** What was typed to confirm the form with such a problem. */
  confirmTyped?: string | undefined
}

export type AdminViews = PeopleViews &
  StaffViews &
  AppLifeViews &
  ClientViews &
  ImportViews &
  UpstreamViews &
  OperationsViews
