/** Reads YAML files against a schema so that every complaint carries file, line and key. */
import { readFileSync } from 'node:fs'
import { isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import type { ConfigProblem } from '../errors.ts'

type Read<T> = { value: T; problems: [] } | { value: undefined; problems: ConfigProblem[] }

/** The file's value, or every problem in it. Never throws for what an operator may have written. */
export function readYaml<T>(file: string, schema: z.ZodType<T>): Read<T> {
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
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      line: lines.linePos(error.pos[0]).line,
      key: '',
      message: error.message.split('\n')[0] ?? 'is not YAML',
    }))
    return { value: undefined, problems }
  }

  const lineOf = (path: PropertyKey[]): number | undefined => {
    // A missing key has no line of its own: the nearest parent that exists is where to add it.
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
    }
    return undefined
  }
  const parsed = schema.safeParse(document.toJS())
  if (parsed.success) return { value: parsed.data, problems: [] }
  const problems = parsed.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const path = [...issue.path, key]
        return {
          file,
          line: lineOf(path),
          key: path.join('.'),
          message: 'is not a key we know; remove it or mend its spelling',
        }
      })
    }
    return [{ file, line: lineOf(issue.path), key: issue.path.join('.'), message: issue.message }]
  })
  return { value: undefined, problems }
}
