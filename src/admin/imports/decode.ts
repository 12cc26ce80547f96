/** Bytes of a file into text: UTF-8, with or without a mark, UTF-16 with one, or Big5 as Taiwanese Excel writes it. */
import { FileProblem } from './problems.ts'

/** So much from the first letter that is no ASCII decides what it is. */
const decisive = 64 * 1024

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'big5'

/** Throws FileProblem. Letters Big5 has no meaning for become U+FFFD: their rows are refused, the others are not. */
export async function* decode(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const source = bytes[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  let over = false
  async function more() {
    const { done, value } = await source.next()
    if (done) over = true
    else held = Buffer.concat([held, value])
  }
  try {
    while (!over && held.length < 4) await more()
    refuseOthers(held)
    let encoding = encodingByMark(held)
    while (!encoding) {
      const beyond = held.findIndex((byte) => byte > 0x7f)
      const plain = held.subarray(0, beyond < 0 ? held.length : beyond)
      if (plain.length > 0) yield refuseNul(plain.toString('latin1'))
      held = held.subarray(plain.length)
      if (held.length >= decisive || (over && held.length > 0)) encoding = guess(held)
      else if (over) return
      else await more()
    }
    const decoder = new TextDecoder(encoding, { fatal: encoding === 'utf-8' })
    for (;;) {
      yield refuseNul(decodeWith(decoder, held, !over))
      if (over) return
      held = Buffer.alloc(0)
      await more()
    }
  } finally {
    await source.return?.()
  }
}

function decodeWith(decoder: TextDecoder, bytes: Buffer, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream })
  } catch {
    throw new FileProblem('file-mixed')
  }
}

/** An .xlsx or .ods is a zip, an old .xls a compound file. */
function refuseOthers(head: Buffer) {
  const signature = head.subarray(0, 4).toString('hex')
  if (signature === '504b0304' || signature === 'd0cf11e0') throw new FileProblem('file-workbook')
}

function refuseNul(text: string): string {
  if (text.includes('\0')) throw new FileProblem('file-text')
  return text
}

function encodingByMark(head: Buffer): Encoding | undefined {
  const [first, second, third] = head
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}

/** What is no UTF-8 is Big5, if that makes letters of nearly all of it. */
function guess(bytes: Buffer): Encoding {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return 'utf-8'
  } catch {
    const text = new TextDecoder('big5').decode(bytes, { stream: true })
    const foreign = text.match(/[^\p{ASCII}]/gu)?.length ?? 0
    const unread = text.match(/\ufffd/gu)?.length ?? 0
    if (unread > foreign / 10) throw new FileProblem('file-text')
    return 'big5'
  }
}
