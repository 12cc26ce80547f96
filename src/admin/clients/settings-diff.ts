/** What changes from one set of settings to another, field by field, as people write it. */
import type { Difference } from './versions.ts'

type AnySettings = Readonly<Record<string, unknown>>

export function settingsDiff(from: AnySettings, to: AnySettings): Difference[] {
  const fields = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return fields
    .filter((field) => JSON.stringify(from[field]) !== JSON.stringify(to[field]))
    .map((field) => ({
      field,
      ...(from[field] === undefined ? {} : { from: written(from[field]) }),
      ...(to[field] === undefined ? {} : { to: written(to[field]) }),
    }))
}

/** A list line by line. */
function written(value: unknown): string {
  if (Array.isArray(value)) return value.join('\n')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
