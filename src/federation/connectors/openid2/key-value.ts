/** Key-Value Form Encoding (OpenID Authentication 2.0 §4.1.1): what is signed, and what providers answer us directly. */
import { Fault } from '../../calls/fault.ts'

export function writeKeyValue(pairs: Iterable<readonly [string, string]>): string {
  let text = ''
  for (const [key, value] of pairs) {
    // With a line end in it one signed text would read as several fields, or as others.
    if (/[:\n]/.test(key) || value.includes('\n')) {
      throw new Fault('forged', 'a field has a line end in it')
    }
    text += `${key}:${value}\n`
  }
  return text
}

/** Throws for what is none: an error page. Of a key that comes twice nobody knows which one counts. */
export function readKeyValue(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const at = line.indexOf(':')
    const key = line.slice(0, at).trim()
    if (at < 1 || fields.has(key)) throw new Fault('nonsense', 'is not in key-value form')
    fields.set(key, line.slice(at + 1).trim())
  }
  return fields
}
