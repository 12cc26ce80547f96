/** What somebody without a staff role may ask for: the part of an app's settings that is hers to know. */
import type { z } from 'zod'
import type { SiteFile } from '#config/schema.ts'
import { isApiScope } from '#oidc/api-resource.ts'
import type { ClientRequestRow, ClientRow } from '#store/store.ts'
import { judge, resourceScopesOf } from '../clients/judge.ts'
import { fillIn, toMetadata, toSettings } from '../clients/registration.ts'
import { newSettings, type Settings, shownSettings } from '../clients/schema.ts'
import type { FieldProblem } from '../operation.ts'

const askable = {
  name: true,
  nameEn: true,
  redirectUris: true,
  postLogoutRedirectUris: true,
  backchannelLogoutUri: true,
  clientUri: true,
  tosUri: true,
  policyUri: true,
  contacts: true,
  scopes: true,
  purposes: true,
} as const
type Askable = keyof typeof askable

/** In full: what is left out is empty. */
export const wantedFields = newSettings.pick({ kind: true, ...askable })
export type Wanted = z.output<typeof wantedFields>

/** How it is kept. */
export type KeptWanted = { settings: Wanted; change: boolean }

/** `wanted` is missing where what was asked for then is nothing one may ask for today. */
export function readWanted({ wanted }: Pick<ClientRequestRow, 'wanted'>): {
  wanted?: Wanted
  name: string
  change: boolean
} {
  const { settings, change } = wanted as Partial<KeptWanted>
  const parsed = wantedFields.safeParse(settings)
  return {
    ...(parsed.success ? { wanted: parsed.data } : {}),
    name: parsed.success ? parsed.data.name : '',
    change: change === true,
  }
}

export const shownWanted = shownSettings.pick({ kind: true, ...askable })
export type ShownWanted = z.output<typeof shownWanted>

/** An app has at least these: without them it could ask for everything. */
const usualScopes = ['openid', 'profile']

type Resources = SiteFile['resources']

/** The settings of the app as it would be then. `row`: the one that is there. */
export function settingsFor(wanted: Wanted, row: ClientRow | undefined, resources: Resources) {
  const given = { ...wanted, scopes: wanted.scopes ?? usualScopes }
  if (!row) return fillIn(given as Partial<Settings> & Pick<Settings, 'name' | 'kind'>)
  const before = toSettings(row, resourceScopesOf(resources))
  const fields = Object.keys(askable) as Askable[]
  const changed = fields.map((field) => [field, given[field] ?? emptyOf(field)] as const)
  return { ...before, ...Object.fromEntries(changed) } as Settings
}

const emptyOf = (field: Askable) => {
  if (field === 'purposes') return {}
  return ['redirectUris', 'postLogoutRedirectUris', 'contacts'].includes(field) ? [] : undefined
}

/** As it would be shown: `scopes` and the like are as a registration keeps them. */
export function shownOf(
  settings: Settings,
  row: ClientRow | undefined,
  resources: Resources,
): ShownWanted {
  const { name, kind } = settings
  const metadata = toMetadata(settings, row?.metadata)
  return shownWanted.parse(toSettings({ name, kind, metadata }, resourceScopesOf(resources)))
}

/** The app as it is, in the same fields. */
export const currentOf = (row: ClientRow, resources: Resources): ShownWanted =>
  shownWanted.parse(toSettings(row, resourceScopesOf(resources)))

/** Everything that is wrong with the settings; scopes of our own API are nobody’s to ask for. */
export function problemsOf(settings: Settings, resources: Resources): FieldProblem[] {
  const beyond = (settings.scopes ?? []).flatMap((scope, i) =>
    isApiScope(scope)
      ? [{ field: `scopes.${i}`, message: 'is no scope we have', code: 'app-scope' }]
      : [],
  )
  return [...judge(settings, resources), ...beyond]
}
