/** What the pages of imports and exports are given. */
import type { Column } from '#admin/imports/columns.ts'
import type { PeopleImport } from '#admin/operations/imports.ts'
import type { StaffPage } from '../../admin-views.ts'

export type ImportViews = {
  'admin-imports': StaffPage & {
    imports: PeopleImport[]
    /** Of which they are wanted; of all of them: ''. */
    state: string
    states: readonly string[]
    /** She may take everybody out as well. */
    mayExport: boolean
    first?: string | undefined
    next?: string | undefined
  }
  'admin-import-new': StaffPage & {
    existing: string
    options: readonly string[]
    columns: readonly Column[]
  }
  'admin-import': StaffPage & {
    import: PeopleImport
    /** How far it is, in words. */
    progress: string
    /** Who sent it, and who said that it is to be imported, by name where there is one. */
    createdBy: string
    startedBy?: string | undefined
    resumedBy?: string | undefined
    /** What is to be said of rows, of most of them first. */
    reasons: {
      field: string
      code: string
      outcome: 'refused' | 'warned'
      rows: number
      examples: number[]
      href: string
    }[]
    /** Rows are shown of this one only. */
    reason?: { field: string; code: string } | undefined
    /** Where they are shown one by one. */
    everyRow: string
    /** Where they are told by reason, if one fits many rows. */
    everyReason?: string | undefined
    /** Absent where the reasons are shown instead. */
    notes?:
      | {
          row: number
          outcome: 'refused' | 'warned'
          problems: { field: string; code: string; row?: number | undefined }[]
        }[]
      | undefined
    first?: string | undefined
    next?: string | undefined
  }
  'admin-export': StaffPage & {
    counties: { id: string; label: string }[]
    values: { county: string; school: string; status: string }
    statuses: readonly string[]
    columns: readonly string[]
  }
}
