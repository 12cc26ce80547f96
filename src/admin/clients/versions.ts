/** What differs between two registrations, or between two sets of settings, as text. */
import { z } from 'zod'
import type { ClientRow } from '#store/store.ts'

type Metadata = ClientRow['metadata']

/** A setting's name, and what it was and is, as text; absent where there was or is none. */
export const difference = z.object({
  field: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
})
export type Difference = z.output<typeof difference>

/** Ours to keep, nobody's to read. */
const hidden = new Set(['logo'])

type Values = Readonly<Record<string, unknown>>

/** One entry for each field that differs, first those of `from`; `from` or `to` is absent where there is no value. */
export const differencesOf = (from: Values, to: Values): Difference[] =>
  [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((field) => JSON.stringify(from[field]) !== JSON.stringify(to[field]))
    .map((field) => ({
      field,
      ...(from[field] === undefined ? {} : { from: asText(from[field]) }),
      ...(to[field] === undefined ? {} : { to: asText(to[field]) }),
    }))

/** Between two registrations, by RFC 7591's names in alphabetical order; nothing of what is hidden. */
export const differences = (from: Metadata, to: Metadata): Difference[] =>
  differencesOf(from, to)
    .filter(({ field }) => !hidden.has(field))
    .sort((a, b) => (a.field < b.field ? -1 : 1))

/** The names of all that changed, but of what is hidden. */
export const changedFields = (from: Metadata, to: Metadata): string[] =>
  differences(from, to).map(({ field }) => field)

/** A list line by line, as it is typed in. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join('\n')
  return JSON.stringify(value, null, 2)
}
