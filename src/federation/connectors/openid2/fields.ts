/** The fields of an answer that came through the browser (OpenID Authentication 2.0 §5.2), before any is believed. */

import { Fault } from '../../calls/fault.ts'
import type { Arrival } from '../../connector.ts'

/** By name without `openid.`. */
export type Fields = ReadonlyMap<string, string>

const longestAnswer = 64 * 1024
const longestValue = 8 * 1024

export function readFields({ url, form }: Pick<Arrival, 'url' | 'form'>): Fields {
  const fields = new Map<string, string>()
  let size = 0
  for (const [name, value] of [...url.searchParams, ...(form ?? [])]) {
    size += Buffer.byteLength(name) + Buffer.byteLength(value)
    if (size > longestAnswer || Buffer.byteLength(value) > longestValue) {
      throw new Fault('nonsense', 'it is longer than we read')
    }
    if (!name.startsWith('openid.')) continue
    const field = name.slice('openid.'.length)
    // Which of two values counts is what an attacker would like us and the provider to disagree on.
    if (fields.has(field)) throw new Fault('forged', 'a field came twice')
    fields.set(field, value)
  }
  return fields
}
