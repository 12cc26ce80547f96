/** What the pages of keys, outbox, audit trail, statistics and the system itself are given. */

import type { AuditCheckShape, AuditEventShape } from '#admin/operations/audit.ts'
import type { KeyShape } from '#admin/operations/keys.ts'
import type { MessageShape } from '#admin/operations/outbox.ts'
import type { StatisticsShape } from '#admin/operations/statistics.ts'
import type { SystemShape } from '#admin/operations/system.ts'
import type { FirstStep, Task } from '#admin/overview.ts'
import type { Order } from '#admin/paging.ts'
import type { Message } from '#lib/messages.ts'
import type { StaffPage } from '../../admin-views.ts'
import type { Columns, Timeline } from './plots.ts'

/** An id as a page shows it: with a name where there is one, and a link where she may follow it. */
export type Shown = { id: string; name?: string | undefined; href?: string | undefined }

/** What a search was asked, as it was typed. */
export type Asked = Readonly<Record<string, string | undefined>>

export type ShownEvent = Omit<AuditEventShape, 'actor' | 'target' | 'at'> & {
  at: Date
  href: string
  actor: Shown
  target?: Shown | undefined
}

type Paged = { first?: string | undefined; next?: string | undefined }

export type OperationsViews = {
  admin: StaffPage & {
    tasks: (Task & { href: string })[]
    first: (FirstStep & { href: string })[]
    signIns?: { plot: Columns; ok: number; failed: number; days: number } | undefined
  }
  'admin-keys': StaffPage & {
    keys: KeyShape[]
    timeline: Timeline
    mayWrite: boolean
    /** Seconds until other processes, and apps, know of a change. */
    follow: number
    jwks: number
  }
  'admin-outbox': StaffPage &
    Paged & {
      asked: Asked
      counts: { kind: string; waiting: number; dead: number; since?: Date | undefined }[]
      messages: (MessageShape & { href: string; shown: Shown; why?: Message | undefined })[]
      mayWrite: boolean
    }
  'admin-message': StaffPage & {
    message: MessageShape
    shown: Shown
    /** Why it was not delivered, where the words are ours. */
    why?: Message | undefined
    /** What is typed to drop it. */
    named: string
    mayWrite: boolean
  }
  'admin-audit': StaffPage &
    Paged & {
      asked: Asked
      order: Order
      filtered: boolean
      events: ShownEvent[]
      /** Back to when it was looked through, where that is not all. */
      until?: Date | undefined
      check: Omit<AuditCheckShape, 'faults'> & {
        faults: (AuditCheckShape['faults'][number] & { said?: Message | undefined })[]
      }
    }
  'admin-event': StaffPage & { event: ShownEvent }
  'admin-statistics': StaffPage & {
    asked: Asked
    spans: { days: number; href: string; current: boolean }[]
    statistics: StatisticsShape
    plot: Columns
    ways: {
      /** A county's name; absent for the account kept here. */
      label?: string | undefined
      way: string
      href: string
      ok: number
      failed: number
      share: string
    }[]
    apps: { shown: Shown; href: string; ok: number; failed: number; share: string }[]
    /** What it is narrowed to, in words. */
    only: string[]
    csv: string
  }
  'admin-system': StaffPage & {
    system: SystemShape
    endings: (Omit<SystemShape['endings'][number], 'at'> & {
      at: Date
      days: number
      href: string
    })[]
  }
}
