/** What the pages of an app's life are given: code to copy, trying it, requests, self-registration, files. */
import type { Order } from '#admin/paging.ts'
import type { StaffPage } from '../../admin-views.ts'
import type { AppHead, OfferedScope } from './clients-views.ts'

export type ShownSnippet = {
  id: string
  title: string
  blocks: { file: string; text: string }[]
  notes: string[]
}

export type ShownDifference = { field: string; from?: string | undefined; to?: string | undefined }

/** What somebody asked for, field by field; `key` names the words. */
export type ShownWish = { key: string; values: string[] }

export type ShownToken = {
  id: string
  label: string
  state: string
  kinds: string[]
  scopes: string[]
  hosts: string[]
  used: number
  usesLeft: number
  createdAt: Date
  expiresAt: Date
}

export type AppLifeViews = {
  'admin-client-snippets': StaffPage & { client: AppHead; snippets: ShownSnippet[] }
  'admin-client-try': StaffPage & {
    client: AppHead
    /** What keeps it from being tried. */
    untried?: string | undefined
    scopes: string[]
    /** What is sent instead, for a machine. */
    request?: string | undefined
    action: string
  }
  'admin-client-tried': StaffPage & {
    client: AppHead
    request: { name: string; value: string; key: string }[]
    refused?: { error: string; detail: string } | undefined
    got?:
      | {
          tokens: { name: string; value: string; seconds?: number | undefined }[]
          header: string
          claims: { name: string; value: string }[]
          checks: { key: string; holds: boolean }[]
          userinfo: string
          scopes: {
            scope: string
            granted: boolean
            claims: { claim: string; given: boolean }[]
          }[]
          unasked: string[]
        }
      | undefined
    again: string
  }
  'admin-requests': StaffPage & {
    state: string
    order: Order
    requests: {
      id: string
      name: string
      about: string
      kind: string
      account: string
      createdAt: Date
      decidedAt?: Date | undefined
    }[]
    first?: string | undefined
    next?: string | undefined
  }
  'admin-request': StaffPage & {
    request: {
      id: string
      name: string
      state: string
      about: string
      kind: string
      account: string
      purpose: string
      createdAt: Date
      decidedAt?: Date | undefined
      decidedBy?: string | undefined
      reason?: string | undefined
      clientId?: string | undefined
      /** Of the app that would change. */
      version?: number | undefined
    }
    wishes: ShownWish[]
    differences: ShownDifference[]
    /** Ticked: what was asked for. */
    scopes: { scope: string; label: string; ticked: boolean }[]
    purposes: { scope: string; text: string }[]
    /** What was typed. */
    reason: string
    actions: { approve: string; refuse: string }
  }
  'admin-registration': StaffPage & {
    /** Switched on in `site.yaml`. */
    on: boolean
    endpoint: string
    tokens: ShownToken[]
    /** Of which tokens are wanted; of all of them: ''. */
    state: string
    values: Readonly<Record<string, string>>
    kinds: readonly string[]
    scopes: OfferedScope[]
    actions: { create: string; revoke: string }
    first?: string | undefined
    next?: string | undefined
  }
  'admin-registration-token': StaffPage & {
    token: string
    label: string
    expiresAt: Date
    endpoint: string
    on: string
  }
  'admin-clients-import': StaffPage & {
    yaml: string
    prune: boolean
    /** What would change, once it was looked at. */
    plan?: PlannedFile | undefined
    /** Letters that may be typed. */
    longest: number
    actions: { preview: string; apply: string; export: string }
  }
  'admin-clients-imported': StaffPage & { items: (PlannedItem & { secret?: string | undefined })[] }
}

export type PlannedFile = {
  digest: string
  items: PlannedItem[]
  changes: number
  /** What has to be typed where apps would be removed. */
  named: string | undefined
}

export type PlannedItem = {
  id: string
  name: string
  what: 'create' | 'change' | 'same' | 'remove'
  differences: ShownDifference[]
}
