/** One connection to a directory, over TLS always, for one sign-in. */
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import {
  BindRequest,
  ExtendedRequest,
  type Filter,
  SearchRequest,
  type SearchRequestMessageOptions,
  UnbindRequest,
} from 'ldapts'
import { Fault } from '../../calls/fault.ts'
import { type DirectoryEntry, readAnswer } from './answers.ts'
import { type Messages, readMessages } from './messages.ts'
import { networkFault } from './network-fault.ts'

/** RFC 4511 §4.14. */
const startTlsOid = '1.3.6.1.4.1.1466.20037'
export const success = 0

export type DirectoryAddress = {
  host: string
  port: number
  startTls: boolean
  /** PEM, in place of the system's. */
  ca: string | undefined
  /** From the first packet to the last. */
  timeoutMs: number
}

export type Wanted = Pick<SearchRequestMessageOptions, 'baseDN' | 'scope' | 'attributes'> & {
  filter: Filter
}

export type Directory = {
  /** The result code (RFC 4511 appendix A). */
  bind(dn: string, password: string): Promise<number>
  /** At most two entries: one is she, two are a doubt. */
  search(wanted: Wanted): Promise<{ code: number; entries: DirectoryEntry[] }>
}

/** Connects, works and closes, whatever comes of it. Throws a Fault. */
export async function inDirectory<T>(
  address: DirectoryAddress,
  work: (directory: Directory) => Promise<T>,
): Promise<T> {
  const { host, port, startTls, ca, timeoutMs } = address
  const plain = connect({ host, port })
  let socket: Socket = quietly(plain)
  let late: Fault | undefined
  const timer = setTimeout(() => {
    late = new Fault('slow', 'no answer within the time limit')
    socket.destroy(late)
    plain.destroy()
  }, timeoutMs)
  try {
    await once(plain, 'connect')
    if (startTls) await askForTls(plain)
    const secure = connectTls({
      socket: plain,
      host,
      // A name only: an address stands in no SNI (RFC 6066 §3).
      ...(isIP(host) === 0 && { servername: host }),
      ...(ca && { ca: ca.replaceAll('\\n', '\n') }),
      minVersion: 'TLSv1.2',
      // Said, since NODE_TLS_REJECT_UNAUTHORIZED could unsay it: whoever answers is given passwords.
      rejectUnauthorized: true,
    })
    socket = quietly(secure)
    await once(secure, 'secureConnect')
    try {
      return await work(speak(secure))
    } finally {
      secure.write(new UnbindRequest({ messageId: lastId }).write())
    }
  } catch (error) {
    throw late ?? networkFault(error)
  } finally {
    clearTimeout(timer)
    socket.destroySoon()
  }
}

/** Whoever waits for something hears of a broken connection; afterwards nobody does, and it breaks nothing. */
function quietly<S extends Duplex>(socket: S): S {
  return socket.on('error', () => {})
}

/** Throws where the directory will not: there is no way on without TLS. */
async function askForTls(plain: Socket): Promise<void> {
  const messages = readMessages(plain)
  plain.write(new ExtendedRequest({ messageId: 1, oid: startTlsOid }).write())
  const code = await resultOf(messages, 1)
  messages.stop()
  if (code !== success) throw new Fault('unreachable', `will not begin TLS (result code ${code})`)
}

const lastId = 2 ** 31 - 2

function speak(socket: Duplex): Directory {
  const messages = readMessages(socket)
  let id = 1
  return {
    bind(dn, password) {
      id++
      socket.write(new BindRequest({ messageId: id, dn, password }).write())
      return resultOf(messages, id)
    },
    async search(wanted) {
      id++
      const limits = { sizeLimit: 2, timeLimit: 10 }
      socket.write(new SearchRequest({ messageId: id, ...wanted, ...limits }).write())
      const entries: DirectoryEntry[] = []
      const code = await resultOf(messages, id, (entry) => entries.push(entry))
      return { code, entries }
    },
  }
}

/** Reads to the end of one operation. */
async function resultOf(
  messages: Messages,
  id: number,
  take?: (entry: DirectoryEntry) => void,
): Promise<number> {
  for (;;) {
    const answer = readAnswer(await messages.next())
    // Zero: it says of itself that it ends the connection (RFC 4511 §4.4.1).
    if (answer.id === 0) throw new Fault('unreachable', 'ended the connection')
    if (answer.id !== id) throw new Fault('nonsense', 'answered something else')
    if (answer.kind === 'result') return answer.code
    if (answer.kind === 'entry') {
      if (!take) throw new Fault('nonsense', 'answered something else')
      take(answer.entry)
    }
  }
}
