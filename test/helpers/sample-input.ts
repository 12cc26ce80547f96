/** An input that is in order, for any operation: of its schema, and by hand where a rule wants more than a schema says. */
import type { Operation } from '#admin/operation.ts'
import { type JsonSchema, shapeOf } from '#http/api/shape.ts'

/** A PNG of 64 × 64 pixels. */
const picture =
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAMAAACdt4HsAAAAA1BMVEURIjOi/NOrAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAG0lEQVRYw+3BgQAAAADDoPlT3+AEVQEAAAB8AxBAAAEZszF2AAAAAElFTkSuQmCC'

/** What no schema tells. */
const byHand: Record<string, object> = {
  'clients.logo.put': { image: picture },
  'people.unmask': { field: 'profile:email' },
}

export function sampleOf(operation: Operation): Record<string, unknown> {
  const { input } = shapeOf(operation)
  const made = input.type === 'object' ? (sample(input, input) as object) : {}
  return { ...made, ...byHand[operation.id] }
}

function sample(schema: JsonSchema, root: JsonSchema): unknown {
  if (typeof schema.$ref === 'string') {
    const defined = (root.$defs as Record<string, JsonSchema>)[schema.$ref.replace('#/$defs/', '')]
    return sample(defined ?? {}, root)
  }
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined) return schema.default
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const one = ((schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined)?.[0]
  if (one) return sample(one, root)
  switch (schema.type) {
    case 'string':
      return text(schema)
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    case 'array':
      return Array.from({ length: Number(schema.minItems ?? 0) }, () =>
        sample(schema.items as JsonSchema, root),
      )
    case 'object': {
      const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
      const required = (schema.required ?? []) as string[]
      return Object.fromEntries(
        required.map((name) => [name, sample(properties[name] ?? {}, root)]),
      )
    }
    default:
      return 'x'
  }
}

const formats: Record<string, string> = {
  'date-time': '2026-11-21T00:00:00Z',
  date: '2026-11-21',
  uri: 'https://app.example/x',
  email: 'someone@mail.edu.tw',
  uuid: '00000000-0000-4000-8000-000000000000',
  base64: 'AAAA',
}

function text({ format, contentEncoding, minLength = 1 }: JsonSchema): string {
  const known = formats[String(format ?? contentEncoding ?? '')]
  return known ?? 'x'.repeat(Math.max(1, Number(minLength)))
}
