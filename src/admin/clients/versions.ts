/** What changed from one version of a registration to the next. */
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

/** Field by field, by RFC 7591's names, in their order; nothing of what is hidden. */
export function differences(from: Metadata, to: Metadata): Difference[] {
  const fields = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()
  return fields
    .filter(
      (field) => !hidden.has(field) && JSON.stringify(from[field]) !== JSON.stringify(to[field]),
    )
    .map((field) => ({
      field,
      ...(from[field] === undefined ? {} : { from: asText(from[field]) }),
      ...(to[field] === undefined ? {} : { to: asText(to[field]) }),
    }))
}

/** The names of all that changed, but of what is hidden. */
export const changedFields = (from: Metadata, to: Metadata): string[] =>
  differences(from, to).map(({ field }) => field)

/** A list line by line, as it is typed in. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join('\n')
  return JSON.stringify(value, null, 2)
}
