/** Lists and objects in every way they are sent: as such, as the only item, as JSON in a text. */
import type { Claims } from '../profile.ts'
import { asList, asRecord, isBlank } from './shape.ts'
import { isWord, text } from './text.ts'
import { readJson } from './tolerant-json.ts'

/** Its items, and texts among them only where they are words. `lost` is called when something cannot be read. */
export function readList(value: unknown, lost: () => void, layers = 2): unknown[] {
  return asList(value).flatMap((item) => {
    if (isBlank(item)) return []
    if (typeof item !== 'string') return [item]
    const line = text(item) ?? ''
    if (isWord(line)) return [line]
    const read = layers > 0 ? readJson(item) : undefined
    if (read !== undefined) return readList(read, lost, layers - 1)
    lost()
    return []
  })
}

/** The object, with `lost` called for what stands there in its place. */
export function readRecord(value: unknown, lost: () => void): Claims {
  const record = asRecord(typeof value === 'string' ? readJson(value) : value)
  if (!record && !isBlank(value)) lost()
  return record ?? {}
}
