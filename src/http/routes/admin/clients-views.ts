/** What the pages of apps are given. */
import type { Message } from '#lib/messages.ts'
import type { StaffPage } from '../../admin-views.ts'

/** How an app is named on each of its pages, and which of them are hers to open. */
export type AppHead = { id: string; name: string; mayWrite: boolean }

export type SortLink = { href: string; sorted?: 'ascending' | 'descending' | undefined }

/** One scope in the form. `values` hold what is ticked and typed. */
export type OfferedScope = { scope: string; label: string; detail?: string | undefined }

export type FormLocals = {
  /** Absent: a new one. */
  client?: AppHead | undefined
  version?: number | undefined
  kind: string
  /** What stands in each field, by its name; a box is ticked where there is a text. */
  values: Readonly<Record<string, string>>
  scopes: OfferedScope[]
  /** Only for who may give them. */
  adminScopes: string[]
  /** Settings of trust are hers. */
  mayTrust: boolean
  resources: { id: string; label: string }[]
  life: { field: string; least: number; most: number; usual: number }[]
  claims: readonly string[]
  /** Letters a field takes, by its name. */
  longest: Readonly<Record<string, number>>
  /** Redirect URIs as they were found, in order. */
  checks: { uri: string; problem?: Message | undefined }[]
  actions: { save: string; check: string; back: string }
}

/** What the form shows, whatever stands in it. */
export type FormShape = Pick<
  FormLocals,
  'kind' | 'scopes' | 'adminScopes' | 'mayTrust' | 'resources' | 'life' | 'claims' | 'longest'
>

export type ClientViews = {
  'admin-clients': StaffPage & {
    clients: {
      id: string
      name: string
      kind: string
      state: string
      host?: string | undefined
      dynamic: boolean
      secretExpiresAt?: Date | undefined
      createdAt: Date
      updatedAt: Date
    }[]
    q: string
    kind: string
    state: string
    sorts: Record<'name' | 'created' | 'updated', SortLink>
    filtered: boolean
    mayWrite: boolean
    first?: string | undefined
    next?: string | undefined
  }
  'admin-client-kind': StaffPage & { kinds: readonly string[]; chosen?: string | undefined }
  'admin-client-form': StaffPage & FormLocals
  'admin-client': StaffPage & {
    client: AppHead & {
      kind: string
      state: string
      disabled: boolean
      host?: string | undefined
      logo?: string | undefined
      version: number
      createdAt: Date
      updatedAt: Date
      redirectUris: string[]
      scopes?: string[] | undefined
      policyUri?: string | undefined
      tosUri?: string | undefined
      clientUri?: string | undefined
    }
    /** Addresses to copy into the app, by message key. */
    endpoints: { key: string; url: string }[]
    secret?:
      | {
          createdAt?: Date | undefined
          expiresAt?: Date | undefined
          soon: boolean
          formerUntil?: Date | undefined
        }
      | undefined
    owners: { accountId: string; account: string; name?: string | undefined; since: Date }[]
    /** What was typed. */
    owner?: string | undefined
    life?: string | undefined
    keepDays: readonly number[]
    lifeDays: readonly number[]
    path: string
  }
  'admin-client-secret': StaffPage & {
    client: Pick<AppHead, 'id' | 'name'>
    secret: string
    formerUntil?: Date | undefined
    on: string
  }
  'admin-client-versions': StaffPage & {
    client: AppHead
    current: number
    versions: {
      version: number
      at: Date
      by?: string | undefined
      becauseKey: string
      changes: { field: string; from?: string | undefined; to?: string | undefined }[]
    }[]
    path: string
    next?: string | undefined
  }
}
