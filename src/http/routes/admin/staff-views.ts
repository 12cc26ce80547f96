/** What the console's pages about staff are given. */
import type { Role } from '#admin/staff.ts'
import type { StaffPage } from '../../admin-views.ts'

export type ShownRole = {
  role: Role
  reach: string
  own: boolean
  county?: string | undefined
}

export type ShownStaff = {
  holder: string
  kind: 'person' | 'program'
  name: string
  account?: string | undefined
  status: 'active' | 'pending' | 'suspended' | 'closed' | 'disabled' | 'gone'
  secondFactors?: number | undefined
  roles: (ShownRole & { grantedAt: Date })[]
}

/** Where a role may reach: '' everywhere, 'own', 'county:<id>'. */
export type RoleChoice = { role: Role; reaches: { value: string; label: string }[] }

export type StaffViews = {
  'admin-held': StaffPage & {
    held: string
    /** As they were sent. */
    fields: [name: string, value: string][]
    action: string
    back: string
  }
  'admin-staff': StaffPage & {
    people: ShownStaff[]
    invitations: {
      id: string
      email: string
      roles: ShownRole[]
      again: boolean
      createdAt: Date
      expiresAt: Date
    }[]
    mayWrite: boolean
    /** What the list of people is narrowed to. */
    asked: Readonly<Record<string, string | undefined>>
    counties: { value: string; label: string }[]
    next?: string | undefined
    first?: string | undefined
    actions: { withdraw: string }
  }
  'admin-staff-invite': StaffPage & {
    email: string
    language: string
    choices: RoleChoice[]
    /** Role by role: what was chosen, '-' for none of it. */
    chosen: Record<string, string>
    action: string
  }
  'admin-staff-program': StaffPage & {
    client: string
    role: string
    action: string
    choices: RoleChoice[]
  }
  'admin-staff-member': StaffPage & {
    member: ShownStaff
    mayWrite: boolean
    isHerself: boolean
    /** What she is called, to confirm by. */
    named: string
    choices: RoleChoice[]
    actions: { grant: string; revoke: string; reset: string }
  }
}
