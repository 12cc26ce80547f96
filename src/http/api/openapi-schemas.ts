/** Schemas as they stand in the API's document. */
import type { JsonSchema } from './shape.ts'

export type Schemas = Record<string, JsonSchema>

export const refTo = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/** A schema where it stands in the document: what it defines for itself moves to the components. */
export function placed(
  schema: JsonSchema,
  root: JsonSchema,
  schemas: Schemas,
  name: string,
): JsonSchema {
  const move = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(move)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(
      Object.entries(node)
        .filter(([key]) => key !== '$defs')
        .map(([key, value]) =>
          key === '$ref' && typeof value === 'string' ? [key, pointer(value)] : [key, move(value)],
        ),
    )
  }
  const pointer = (ref: string) => {
    if (ref === '#') return refTo(name).$ref
    const part = ref.replace('#/$defs/', '')
    const own = `${name}.${part}`
    const defined = (root.$defs as Record<string, JsonSchema> | undefined)?.[part]
    if (defined && !schemas[own]) {
      // Said before it is gone into: it may name itself.
      schemas[own] = {}
      schemas[own] = move(defined) as JsonSchema
    }
    return refTo(own).$ref
  }
  return move(schema) as JsonSchema
}

/** RFC 9457, with what we add. */
export const problemSchema: JsonSchema = {
  type: 'object',
  properties: {
    type: { type: 'string', description: 'What kind of problem it is: stays the same.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What happened, for people.' },
    code: { type: 'string', description: 'Which rule said no.' },
    problems: {
      type: 'array',
      description: 'What is wrong with which field.',
      items: {
        type: 'object',
        properties: {
          field: { type: 'string' },
          message: { type: 'string' },
          code: { type: 'string' },
        },
        required: ['field', 'message'],
      },
    },
    ref: { type: 'string', description: 'Under this the log tells more.' },
  },
  required: ['type', 'title', 'status', 'ref'],
}
