/** Messages a directory answers with (RFC 4511 §4). */
import { Fault } from '../../calls/fault.ts'
import { type Element, elementsIn, partsOf, sequence } from './elements.ts'

const integer = 0x02
const octets = 0x04
const enumerated = 0x0a
const set = 0x31

export type DirectoryEntry = {
  dn: string
  /** By the names the directory gives them. */
  attributes: { name: string; values: Buffer[] }[]
}

export type DirectoryAnswer =
  | { id: number; kind: 'entry'; entry: DirectoryEntry }
  /** Where else it could be asked. We ask nobody we were not told of. */
  | { id: number; kind: 'reference' }
  /** The operation is over. */
  | { id: number; kind: 'result'; code: number }

const entryTag = 0x64
const referenceTag = 0x73
/** Of binds, searches, extended operations. */
const resultTags = [0x61, 0x65, 0x78]

export function readAnswer(message: Buffer): DirectoryAnswer {
  const [whole] = elementsIn(message)
  if (whole?.tag !== sequence) throw new Fault('nonsense', 'it is not what LDAP sends')
  const [id, operation] = elementsIn(whole.body)
  if (id?.tag !== integer || !operation) throw new Fault('nonsense', 'it is not what LDAP sends')
  const answer = readOperation(operation)
  return { id: readNumber(id.body), ...answer }
}

function readOperation(operation: Element) {
  if (operation.tag === entryTag) {
    return { kind: 'entry' as const, entry: readEntry(operation) }
  }
  if (operation.tag === referenceTag) return { kind: 'reference' as const }
  if (!resultTags.includes(operation.tag)) throw new Fault('nonsense', 'it is no answer to us')
  const [code = Buffer.alloc(0)] = partsOf(operation, enumerated, octets, octets)
  return { kind: 'result' as const, code: readNumber(code) }
}

function readEntry(operation: Element): DirectoryEntry {
  const [dn, attributes] = partsOf(operation, octets, sequence)
  return {
    dn: dn?.toString('utf8') ?? '',
    attributes: elementsIn(attributes ?? Buffer.alloc(0)).map((attribute) => {
      const [name, values] = partsOf(attribute, octets, set)
      return {
        name: name?.toString('utf8') ?? '',
        values: elementsIn(values ?? Buffer.alloc(0)).map(({ body }) => body),
      }
    }),
  }
}

function readNumber(body: Buffer): number {
  if (body.length < 1 || body.length > 4) throw new Fault('nonsense', 'it is not what LDAP sends')
  return body.readIntBE(0, body.length)
}
