/** Which row of a file named something first: eight bytes for each name, however long it is, and four for the row. */
import { hash } from 'node:crypto'

/** The row that named it before, if one did; else this one is remembered. */
export type Seen = (name: string, row: number) => number | undefined

/** Begins with no names. */
export function openSeen(): Seen {
  let slots = 1 << 12
  let names = new BigUint64Array(slots)
  let rows = new Uint32Array(slots)
  let count = 0

  /** The place of the name, or the empty one where it belongs. */
  function placeOf(name: bigint): number {
    let at = Number(name & BigInt(slots - 1))
    while (rows[at] !== 0 && names[at] !== name) at = (at + 1) & (slots - 1)
    return at
  }

  function grow() {
    const before = { names, rows }
    slots *= 2
    names = new BigUint64Array(slots)
    rows = new Uint32Array(slots)
    for (const [i, row] of before.rows.entries()) {
      if (row === 0) continue
      const name = before.names[i] ?? 0n
      const at = placeOf(name)
      names[at] = name
      rows[at] = row
    }
  }

  return (text, row) => {
    if (2 * count > slots) grow()
    // Nobody can make two names meet but by trying four billion.
    const name = hash('sha256', text, 'buffer').readBigUInt64LE()
    const at = placeOf(name)
    const first = rows[at]
    if (first) return first
    names[at] = name
    rows[at] = row
    count++
    return undefined
  }
}
