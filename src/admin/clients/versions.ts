/** What changed from one version of a registration to the next. */
import type { ClientRow } from '#store/store.ts'

type Metadata = ClientRow['metadata']

/** RFC 7591's name of a setting, and what it was and is, as text; absent where there was or is none. */
export type Difference = { field: string; from?: string; to?: string }

/** Ours to keep, nobody's to read. */
const hidden = new Set(['logo'])

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

export const changedFields = (from: Metadata, to: Metadata): string[] =>
  differences(from, to).map(({ field }) => field)

/** A list line by line, as it is typed in. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join('\n')
  return JSON.stringify(value, null, 2)
}
