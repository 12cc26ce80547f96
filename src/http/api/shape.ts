/** What an operation looks like from outside: its schemas as JSON Schema, and where each field stands. */
import { z } from 'zod'
import type { Operation } from '#admin/operation.ts'

export type JsonSchema = { [name: string]: unknown }

export type Shape = {
  /** Fields of the path, in order. */
  path: string[]
  /** The others stand in the query, not in a body. */
  inQuery: boolean
  /** Of the fields, as far as the input is an object. */
  fields: Record<string, JsonSchema>
  required: string[]
  input: JsonSchema
  output: JsonSchema
  /** It says nothing but that it is done. */
  saysNothing: boolean
}

const known = new WeakMap<Operation, Shape>()

/** Made at the first call: a start has no use for it. */
export function shapeOf(operation: Operation): Shape {
  const before = known.get(operation)
  if (before) return before
  const input = toJsonSchema(operation.input, 'input')
  const output = toJsonSchema(operation.output, 'output')
  const shape: Shape = {
    path: pathFields(operation.path),
    inQuery: operation.method === 'GET' || operation.method === 'DELETE',
    fields: (input.properties ?? {}) as Record<string, JsonSchema>,
    required: (input.required ?? []) as string[],
    input,
    output,
    saysNothing: output.type === 'object' && Object.keys(output.properties ?? {}).length === 0,
  }
  known.set(operation, shape)
  return shape
}

const pathFields = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ jsonSchema }) {
      // A program must not stumble over a field that a later release adds.
      if (io === 'output' && jsonSchema.additionalProperties === false) {
        delete jsonSchema.additionalProperties
      }
    },
  })
  return rest
}

/** A POST that gives an `id` to something one can GET below the same path. */
export function createsOf(operations: readonly Operation[]) {
  const shown = new Set(
    operations
      .filter(({ method }) => method === 'GET')
      .map(({ path }) => path.replace(/\/\{\w+\}$/, '/')),
  )
  return (operation: Operation): boolean =>
    operation.method === 'POST' &&
    shown.has(`${operation.path}/`) &&
    Object.hasOwn((shapeOf(operation).output.properties as object) ?? {}, 'id')
}
