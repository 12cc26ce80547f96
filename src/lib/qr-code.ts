/** A text as a picture telephones read. */
import { once } from './once.ts'

const open = once(() => import('uqr'))

export type QrCode = {
  /** Modules along a side, with the margin readers want (ISO/IEC 18004 §6.3.8). */
  size: number
  /** The dark ones, as an SVG path. */
  path: string
}

export async function qrCode(text: string): Promise<QrCode> {
  const { encode } = await open()
  const { data, size } = encode(text, { ecc: 'M', border: 4 })
  const dark = data.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])),
  )
  return { size, path: dark.join('') }
}
