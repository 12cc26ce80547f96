/** Reads a JSON text as data and nothing else: bounded, no name twice, none that means more to JavaScript. */

export type ReadJson =
  | { kind: 'read'; value: Record<string, unknown> }
  | { kind: 'bad'; why: string }

const deepest = 16
const mostParts = 50_000

/** Strings, and what gives a JSON text its shape. */
const parts = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:,]/g

/** The object in a body; `why` is English. */
export function readJson(bytes: Buffer): ReadJson {
  const bad = (why: string): ReadJson => ({ kind: 'bad', why })
  let text: string
  try {
    // RFC 8259 §8.1: a byte order mark may be ignored.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return bad('the body is not UTF-8')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return bad('the body is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return bad('the body is not a JSON object')
  }
  const complaint = findComplaint(text)
  return complaint ? bad(complaint) : { kind: 'read', value: value as Record<string, unknown> }
}

/** Call it with valid JSON only: a string without an end would make the search take quadratic time. */
function findComplaint(text: string): string | undefined {
  const open: Set<string>[] = []
  let last = ''
  let count = 0
  for (const [part] of text.matchAll(parts)) {
    if (++count > mostParts) return 'the body has too many parts'
    if (part === '{' || part === '[') {
      open.push(new Set())
      if (open.length > deepest) return 'the body is nested too deeply'
    } else if (part === '}' || part === ']') {
      open.pop()
    } else if (part === ':') {
      const name: string = JSON.parse(last)
      const names = open.at(-1)
      if (name === '__proto__') return 'no field is called __proto__'
      // Which of the two would count? RFC 8259 §4 leaves it open, so programs disagree.
      if (names?.has(name)) return 'a name stands twice in the same object'
      names?.add(name)
    } else if (part !== ',') last = part
  }
  return undefined
}
