/** JSON as counties put it into a text: bare keys, single quotes, escaped once more. It is parsed, never run. */
import JSON5 from 'json5'
import { deepest } from './shape.ts'

/** Characters; nobody's titles come near it. */
const longest = 16 * 1024

const readers: ((text: string) => unknown)[] = [
  (text) => JSON.parse(text),
  // 基隆 {sid:"173637",title:["教師"]} · 臺南 [{sid:'213303',gradeId:'3'}]
  (text) => JSON5.parse(text),
  // 南投 [{\"id\":\"084719a1\"}]: escaped, and the quotes around it lost.
  (text) => JSON.parse(`"${text}"`),
]

/** What the text says, or undefined where that cannot be told for sure. */
export function readJson(text: string): unknown {
  if (text.length > longest) return undefined
  const value = parse(text.trim(), 2)
  return isSound(value, 0) ? value : undefined
}

function parse(text: string, layers: number): unknown {
  for (const read of readers) {
    const value = attempt(read, text)
    if (value === undefined || value === text) continue
    // JSON in a JSON string.
    return typeof value === 'string' && layers > 1 ? (parse(value, layers - 1) ?? value) : value
  }
  return undefined
}

function attempt(read: (text: string) => unknown, text: string): unknown {
  try {
    return read(text)
  } catch {
    return undefined
  }
}

/** Not too deep, and without the name that reaches an object's prototype in careless hands. */
function isSound(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth >= deepest) return false
  return Object.entries(value).every(
    ([name, inner]) => name !== '__proto__' && isSound(inner, depth + 1),
  )
}
