/** Reads YAML files of the operator's. */
import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { type Check, type Read, readYamlText } from '#lib/yaml.ts'

/** The file's value, or every problem in it. Never throws for what an operator may have written. */
export function readYaml<T>(file: string, schema: z.ZodType<T>, check?: Check<T>): Read<T> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'
    return {
      value: undefined,
      problems: [{ file, key: '', message: `cannot be read (${reason})` }],
    }
  }
  return readYamlText(text, file, schema, check)
}
