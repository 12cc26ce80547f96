/** Apps as a file: every setting of each, and never a secret. */
import { stringify } from 'yaml'
import { z } from 'zod'
import type { SiteFile } from '#config/schema.ts'
import { readYamlText } from '#lib/yaml.ts'
import { clientKinds } from '#store/clients.ts'
import type { ClientRow } from '#store/store.ts'
import { judge, resourceScopesOf } from '../clients/judge.ts'
import { fillIn, toMetadata, toSettings } from '../clients/registration.ts'
import { type Settings, settingFields } from '../clients/schema.ts'
import type { FieldProblem } from '../operation.ts'

type Resources = SiteFile['resources']

/** More in one file would hold everybody else up while they are written. */
const mostClients = 500
export const longestFile = 500_000
/** So many signs that give YAML its shape: of nothing but those a file would take seconds to read. */
const mostSigns = 100_000
const signs = /[[\]{}"',:%?!&*-]|\n/g

/** Our own pages sign in as these. */
const ours = ['citygate', 'citygate-console']

const id = z
  .string()
  .regex(
    // Ours may begin with an underscore.
    /^[A-Za-z0-9_][A-Za-z0-9._~-]{0,99}$/,
    'must be letters, digits, dots, hyphens, underscores or tildes, 100 at most',
  )
  .refine((one) => !ours.includes(one), { message: 'is the id of our own pages' })

const clientFile = z.strictObject({
  clients: z
    .array(z.strictObject({ id, kind: z.enum(clientKinds), ...settingFields }))
    .max(mostClients),
})

export type WrittenClient = { id: string; settings: Settings }

/** What is left out has its default, whatever it was before. */
export function readClientFile(
  text: string,
  resources: Resources,
): { clients: WrittenClient[]; problems: FieldProblem[] } {
  if ((text.match(signs)?.length ?? 0) > mostSigns) {
    const what = 'has more signs than any list of apps'
    const params = { line: 1, key: '', what }
    return { clients: [], problems: [{ field: '', message: what, code: 'app-file', params }] }
  }
  const read = readYamlText(text, '', clientFile, ({ clients }, complain) => {
    for (const [i, { id, ...given }] of clients.entries()) {
      if (clients.findIndex((one) => one.id === id) !== i) {
        complain(['clients', i, 'id'], `is the id of another app in this file`)
      }
      for (const { field, message } of judge(settingsOf(given), resources)) {
        complain(['clients', i, ...pathOf(field)], message)
      }
    }
  })
  const problems = read.problems.map(({ key, message, line = 0 }) => ({
    field: key,
    message: line > 0 ? `line ${line}: ${message}` : message,
    code: 'app-file',
    params: { line, key, what: message },
  }))
  const clients = (read.value?.clients ?? []).map(({ id, ...given }) => ({
    id,
    settings: settingsOf(given),
  }))
  return { clients, problems }
}

type Given = Omit<z.output<typeof clientFile>['clients'][number], 'id'>

const settingsOf = (given: Given): Settings =>
  fillIn(given as Partial<Settings> & Pick<Settings, 'name' | 'kind'>)

const pathOf = (field: string) =>
  field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part))

/** As a registration keeps them, so that two ways to say the same are no difference. */
export function asKept(
  settings: Settings,
  row: Pick<ClientRow, 'metadata'> | undefined,
  resources: Resources,
): Settings {
  const { name, kind } = settings
  const metadata = toMetadata(settings, row?.metadata)
  return toSettings({ name, kind, metadata }, resourceScopesOf(resources))
}

/** What differs from the defaults, in the order of the form. */
export function writeClientFile(rows: readonly ClientRow[], resources: Resources): string {
  const known = resourceScopesOf(resources)
  const clients = rows.map((row) => {
    const { name, kind, ...settings } = toSettings(row, known)
    const { scopes } = settings
    const usual: Record<string, unknown> = asKept(
      fillIn({ name, kind, scopes }),
      undefined,
      resources,
    )
    const entries = Object.entries(settings).filter(
      ([field, value]) =>
        field === 'scopes' || JSON.stringify(value) !== JSON.stringify(usual[field]),
    )
    return { id: row.id, kind, name, ...Object.fromEntries(entries) }
  })
  return stringify({ clients }, { lineWidth: 0 })
}
