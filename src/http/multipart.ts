/** Reads `multipart/form-data` (RFC 7578) as it comes, and never keeps more of it than it may have. */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import busboy from 'busboy'
import { clip } from '#lib/prose.ts'
import { plainBytes } from './form-size.ts'
import { Problem } from './problem.ts'

const kB = 1024
const MB = 1024 * kB

export const limits = {
  fields: 200,
  fieldBytes: 64 * kB,
  /** Of all fields together. */
  fieldsBytes: 512 * kB,
  files: 3,
  fileBytes: 5 * MB,
  /** Of the whole request: past this nobody can say what was typed. */
  bytes: 12 * MB,
}

/** `name` and `type` are what the browser says: to show, not to believe. */
export type Upload = { bytes: Buffer; name: string; type: string }

/** Too large to keep; everything else in the form is there, so that it can be shown again. */
export type TooLarge = { tooLarge: true; name: string }

export type Multipart = {
  fields: [name: string, value: string][]
  files: [name: string, file: Upload | TooLarge][]
}

/**
 * Throws a Problem for what is too much, cut off or not what RFC 7578 allows; what still comes then is read and dropped,
 * so that the browser hears the answer. Files are dropped as they come if nobody asks for them.
 */
export function readMultipart(
  req: IncomingMessage,
  { keepFiles, letters = 0 }: { keepFiles: boolean; letters?: number | undefined },
): Promise<Multipart> {
  // All that may be typed may stand in one field.
  const mostOfOne = letters > 0 ? plainBytes(letters) : limits.fieldBytes
  const mostOfAll = Math.max(limits.fieldsBytes, mostOfOne)
  return new Promise((resolve, reject) => {
    const read: Multipart = { fields: [], files: [] }
    let bytes = 0
    let fieldsBytes = 0

    const fail = (status: 400 | 413, cause?: unknown) => {
      req.off('data', count)
      req.unpipe()
      req.resume()
      reject(new Problem(status, status === 413 ? 'too-large' : 'incomplete', { cause }))
    }
    const tooMuch = () => fail(413)
    const count = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limits.bytes) tooMuch()
    }

    // What says that it is too much need not be begun.
    if (Number(req.headers['content-length']) > limits.bytes) return tooMuch()
    let parser: busboy.Busboy
    try {
      parser = busboy({
        headers: req.headers,
        defParamCharset: 'utf8',
        limits: {
          fields: limits.fields,
          fieldSize: mostOfOne,
          files: limits.files,
          // A file that has just as much as it may is not told from one that goes on.
          fileSize: limits.fileBytes + 1,
        },
      })
    } catch (cause) {
      return fail(400, cause)
    }

    parser.on('field', (name, value, { valueTruncated }) => {
      fieldsBytes += Buffer.byteLength(value)
      if (valueTruncated || fieldsBytes > mostOfAll) return tooMuch()
      read.fields.push([name ?? '', value])
    })
    if (keepFiles) {
      parser.on('file', (field, stream, { filename = '', mimeType }) => {
        const name = clip(filename)
        collect(stream, (bytes) => {
          // A file field nobody filled in is sent as an empty file without a name.
          if (bytes?.length === 0 && !name) return
          const file = bytes
            ? { bytes, name, type: clip(mimeType) }
            : { tooLarge: true as const, name }
          read.files.push([field ?? '', file])
        })
      })
    }
    parser.on('fieldsLimit', tooMuch)
    parser.on('filesLimit', tooMuch)
    parser.on('error', (cause) => fail(400, cause))
    parser.on('close', () => resolve(read))
    req.on('data', count)
    // The browser went away: nobody reads the answer, but whoever waits for us must not wait for ever.
    req.on('close', () => {
      if (!req.complete) fail(400)
    })
    req.pipe(parser)
  })
}

/** The file, or nothing where it is too large. One that is cut off never ends: the parser tells of it. */
function collect(stream: Readable, done: (bytes: Buffer | undefined) => void) {
  let chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= limits.fileBytes) chunks.push(chunk)
    else chunks = []
  })
  stream.on('error', () => {})
  stream.on('end', () => done(size > limits.fileBytes ? undefined : Buffer.concat(chunks)))
}
