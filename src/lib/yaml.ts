/** Reads YAML against a schema so that every complaint carries file, line and key. */
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import type { ConfigProblem } from '#errors.ts'
import { inWords } from './complaints.ts'

/** Says what is wrong with a value the schema allows, and where in it. */
export type Check<T> = (value: T, complain: (path: PropertyKey[], message: string) => void) => void

export type Read<T> = { value: T; problems: [] } | { value: undefined; problems: ConfigProblem[] }

/** Problems of one text that are named: whoever mended so many looks again. */
const mostBroken = 100

/** Where keys stand that were there before in the same map. */
function keysTwice(document: ReturnType<typeof parseDocument>): number[] {
  const places: number[] = []
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) places.push(key.range?.[0] ?? 0)
        seen.add(key.value)
      }
    },
  })
  return places
}

/** The text's value, or every problem in it. Never throws for what an operator may have written. */
export function readYamlText<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
  check?: Check<T>,
): Read<T> {
  const lines = new LineCounter()
  let document: ReturnType<typeof parseDocument>
  let value: unknown
  let twice: number[] = []
  try {
    // Both take the square of a text made for it: to compare every key with every other, and to draw each line there is
    // an error in.
    document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false })
    if (document.errors.length === 0) twice = keysTwice(document)
    value = document.errors.length + twice.length > 0 ? undefined : document.toJS()
  } catch {
    // Made to be expensive: nesting without end, or anchors that repeat anchors.
    const message = 'is nested too deeply, or repeats itself too often'
    return { value: undefined, problems: [{ file, key: '', message }] }
  }
  const broken = [
    ...document.errors.map(({ pos, message }) => ({ offset: pos[0], message })),
    ...twice.map((offset) => ({ offset, message: 'Map keys must be unique' })),
  ]
  if (broken.length > 0) {
    const problems = broken.slice(0, mostBroken).map(({ offset, message }) => ({
      file,
      line: lines.linePos(offset).line,
      key: '',
      message,
    }))
    return { value: undefined, problems }
  }

  const lineOf = (path: PropertyKey[]): number | undefined => {
    let node: unknown = document.contents
    let found: unknown = node
    for (const step of path) {
      const pair = isMap(node)
        ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
        : undefined
      const next = isSeq(node) ? node.items[Number(step)] : pair?.value
      // A missing key has no line of its own: the nearest parent that exists is where to add it.
      if (!pair && !next) return startOf(node)
      found = pair?.key ?? next
      node = next
    }
    return startOf(found)
  }
  const startOf = (node: unknown) =>
    isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined
  const at = (path: PropertyKey[], message: string): ConfigProblem => ({
    file,
    line: lineOf(path),
    key: path.join('.'),
    message,
  })

  const problems: ConfigProblem[] = []
  let parsed = schema.safeParse(value, { error: inWords })
  if (!parsed.success) {
    // A key nobody knows hides nothing that is wrong with the others.
    for (const path of parsed.error.issues.flatMap(unknownKeys).slice(0, mostBroken)) {
      problems.push(at(path, 'is not a key we know; remove it or mend its spelling'))
      remove(value, path)
    }
    if (problems.length > 0) parsed = schema.safeParse(value, { error: inWords })
  }
  if (parsed.success) check?.(parsed.data, (path, message) => problems.push(at(path, message)))
  else {
    for (const { path, message } of parsed.error.issues.flatMap(innermost).slice(0, mostBroken)) {
      problems.push(at(path, message))
    }
  }
  if (parsed.success && problems.length === 0) return { value: parsed.data, problems: [] }
  return { value: undefined, problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

type Issue = z.core.$ZodIssue

const unknownKeys = (issue: Issue): PropertyKey[][] =>
  innermost(issue).flatMap((one) =>
    one.code === 'unrecognized_keys' ? one.keys.map((key) => [...one.path, key]) : [],
  )

/** Of a value that may be of several kinds, what is wrong inside the kind it is. */
function innermost(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const inside = issue.errors.find((way) => way.length > 0 && way.every(isInside))
  if (!inside) return [issue]
  return inside.flatMap((one) => innermost({ ...one, path: [...issue.path, ...one.path] }))
}

const isInside = ({ path, code }: Issue) => path.length > 0 || code === 'unrecognized_keys'

function remove(value: unknown, path: PropertyKey[]): void {
  const [key, ...rest] = path
  if (typeof value !== 'object' || value === null || key === undefined) return
  if (rest.length === 0) Reflect.deleteProperty(value, key)
  else remove(Reflect.get(value, key), rest)
}
