/** What a pretend directory hears and says (RFC 4511 §4): bind, search, unbind, StartTLS. */
import { BerReader, BerWriter, BindRequest, ExtendedRequest, SearchRequest } from 'ldapts'
import type { Attributes } from './filter.ts'

export type Request =
  | { kind: 'bind'; id: number; dn: string; password: string }
  | { kind: 'search'; id: number; request: SearchRequest }
  | { kind: 'unbind'; id: number }
  | { kind: 'extended'; id: number; oid: string }

export const startTlsOid = '1.3.6.1.4.1.1466.20037'

/** The first whole request in these bytes, and how many it took. */
export function readRequest(bytes: Buffer): { request: Request; length: number } | undefined {
  const reader = new BerReader(bytes)
  if (reader.readSequence() === null || reader.remain < reader.length) return undefined
  const length = reader.offset + reader.length
  const id = reader.readInt() ?? 0
  return { request: readOperation(id, reader), length }
}

function readOperation(id: number, reader: BerReader): Request {
  const messageId = id
  switch (reader.readSequence()) {
    case 0x60: {
      const bind = new BindRequest({ messageId })
      bind.parse(reader, [])
      return { kind: 'bind', id, dn: bind.dn, password: bind.password }
    }
    case 0x63: {
      // Its filter is read over by what is parsed.
      const request = new SearchRequest({ messageId } as never)
      request.parse(reader, [])
      return { kind: 'search', id, request }
    }
    case 0x77: {
      const extended = new ExtendedRequest({ messageId })
      extended.parse(reader, [])
      return { kind: 'extended', id, oid: extended.oid }
    }
    default:
      return { kind: 'unbind', id }
  }
}

/** Which operation ends, by its answer's tag. */
const endings = { bind: 0x61, search: 0x65, extended: 0x78 }

export const writeResult = (id: number, of: keyof typeof endings, code: number): Buffer =>
  write(id, endings[of], (writer) => {
    writer.writeEnumeration(code)
    writer.writeString('')
    writer.writeString('')
  })

export const writeEntry = (id: number, dn: string, attributes: Attributes): Buffer =>
  write(id, 0x64, (writer) => {
    writer.writeString(dn)
    writer.startSequence()
    for (const [name, values] of Object.entries(attributes)) {
      writer.startSequence()
      writer.writeString(name)
      writer.startSequence(0x31)
      for (const value of values) writer.writeBuffer(Buffer.from(value), 0x04)
      writer.endSequence()
      writer.endSequence()
    }
    writer.endSequence()
  })

function write(id: number, tag: number, body: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeInt(id)
  writer.startSequence(tag)
  body(writer)
  writer.endSequence()
  writer.endSequence()
  return writer.buffer
}
