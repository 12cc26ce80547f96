/** Reads a form with one large file (RFC 7578): its fields first, then the file as it comes, as fast as it is taken. */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import busboy from 'busboy'
import { clip } from '#lib/prose.ts'
import { limits } from './multipart.ts'
import { Problem } from './problem.ts'

export type StreamedUpload = {
  /** Those that stand before the file in the form. */
  fields: [name: string, value: string][]
  /**
   * Absent where none was chosen. It has to be read, or the request thrown away; when the browser goes away in the
   * middle, reading it rejects.
   */
  file?: { name: string; bytes: AsyncIterable<Uint8Array> }
}

/** Throws a Problem for what is no such form. How large the file may be is for whoever reads it to say. */
export function readStreamedUpload(req: IncomingMessage): Promise<StreamedUpload> {
  return new Promise((resolve, reject) => {
    const fields: StreamedUpload['fields'] = []
    let bytes = 0
    let file: Readable | undefined

    const fail = (status: 400 | 413, cause?: unknown) => {
      req.unpipe()
      req.resume()
      const problem = new Problem(status, status === 413 ? 'too-large' : 'incomplete', { cause })
      file?.destroy(problem)
      reject(problem)
    }
    let parser: busboy.Busboy
    try {
      const { fields: most, fieldBytes: fieldSize } = limits
      parser = busboy({
        headers: req.headers,
        defParamCharset: 'utf8',
        limits: { fields: most, fieldSize, files: 1, parts: most + 1 },
      })
    } catch (cause) {
      return fail(400, cause)
    }

    parser.on('field', (name, value, { valueTruncated }) => {
      bytes += Buffer.byteLength(value)
      if (valueTruncated || bytes > limits.fieldsBytes) return fail(413)
      // What comes after the file was not there when it was decided who may send it.
      if (file) return fail(400)
      fields.push([name ?? '', value])
    })
    parser.on('file', (_field, stream, { filename = '' }) => {
      file = stream
      // Told by whoever reads it; until then nobody listens.
      stream.on('error', () => {})
      const name = clip(filename)
      resolve(name ? { fields, file: { name, bytes: wholeOf(stream, req) } } : { fields })
      if (!name) stream.resume()
    })
    parser.on('error', (cause) => fail(400, cause))
    parser.on('close', () => resolve({ fields }))
    req.on('close', () => {
      if (!req.complete) fail(400)
    })
    req.pipe(parser)
  })
}

/** All of it, or it rejects; of what nobody wants any more the rest is dropped as it comes. */
async function* wholeOf(stream: Readable, req: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk
  } finally {
    req.unpipe()
    req.resume()
  }
}
