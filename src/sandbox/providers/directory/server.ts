/** A small LDAP server on loopback, over TLS or with StartTLS, for pretend people. */
import { createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, TLSSocket } from 'node:tls'
import { type Attributes, fits } from './filter.ts'
import { type Request, readRequest, startTlsOid, writeEntry, writeResult } from './messages.ts'

export type LdapEntry = { dn: string; password?: string; attributes: Attributes }

/** In place of a healthy answer: bytes of any kind, or the end of the connection. */
export type Misanswer = Buffer | 'cut'

export type LdapServerRules = {
  /** PEM. */
  key: string
  certificate: string
  /** Begins in the clear; else TLS is there from the first byte. */
  startTls?: boolean
  port?: number
  /** Under whose DN everybody is. */
  baseDn: string
  entries: LdapEntry[]
  /** Hears each request before it is answered. */
  hear?: (request: Request, secure: boolean) => Promise<Misanswer | undefined> | undefined
}

export type LdapServer = { port: number; close(): Promise<void> }

const success = 0
const noSuchObject = 32
const sizeLimitExceeded = 4
const invalidCredentials = 49
const protocolError = 2

export async function openLdapServer(rules: LdapServerRules): Promise<LdapServer> {
  const secureContext = createSecureContext({ key: rules.key, cert: rules.certificate })
  const sockets = new Set<Socket>()
  const secure = (socket: Socket) => new TLSSocket(socket, { isServer: true, secureContext })
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    if (rules.startTls) answerAll(rules, socket, () => answerAll(rules, secure(socket)))
    else answerAll(rules, secure(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(rules.port ?? 0, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** Answers one request after the other. `upgrade`: takes the connection over when TLS begins on it. */
function answerAll(rules: LdapServerRules, socket: Duplex, upgrade?: () => void) {
  let held = Buffer.alloc(0)
  let turn = Promise.resolve()
  const onData = (chunk: Buffer) => {
    try {
      held = takeAll(Buffer.concat([held, chunk]))
    } catch {
      // No LDAP.
      socket.destroy()
    }
  }
  socket.on('error', () => {}).on('data', onData)

  function takeAll(bytes: Buffer): Buffer<ArrayBuffer> {
    let rest = Buffer.from(bytes)
    for (let next = readRequest(rest); next; next = readRequest(rest)) {
      const { request, length } = next
      rest = rest.subarray(length)
      turn = turn.then(() => answerOne(request)).catch(() => void socket.destroy())
    }
    return rest
  }

  async function answerOne(request: Request) {
    const instead = await rules.hear?.(request, upgrade === undefined)
    if (instead === 'cut') return void socket.destroy()
    if (instead) return void socket.write(instead)
    if (request.kind === 'unbind') return void socket.end()
    if (request.kind === 'extended') {
      const begins = upgrade !== undefined && request.oid === startTlsOid
      if (begins) socket.off('data', onData)
      socket.write(writeResult(request.id, 'extended', begins ? success : protocolError))
      if (begins) upgrade()
      return
    }
    for (const message of answersTo(rules, request)) socket.write(message)
  }
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

function answersTo(
  { entries, baseDn }: LdapServerRules,
  request: Extract<Request, { kind: 'bind' | 'search' }>,
): Buffer[] {
  const { id } = request
  if (request.kind === 'bind') {
    const { dn, password } = request
    // As lax as many are (RFC 4513 §5.1.2): without a password everybody is let in, as nobody.
    const right =
      !dn || !password || entries.some((one) => same(one.dn, dn) && one.password === password)
    return [writeResult(id, 'bind', right ? success : invalidCredentials)]
  }
  const { filter, sizeLimit, baseDN, attributes } = request.request
  if (!same(baseDN, baseDn)) return [writeResult(id, 'search', noSuchObject)]
  const found = entries.filter((one) => fits(filter, one.attributes))
  const shown = sizeLimit > 0 ? found.slice(0, sizeLimit) : found
  const code = shown.length < found.length ? sizeLimitExceeded : success
  return [
    ...shown.map((one) => writeEntry(id, one.dn, chosen(one.attributes, attributes))),
    writeResult(id, 'search', code),
  ]
}

const chosen = (attributes: Attributes, names: string[]): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).filter(([name]) => names.some((one) => same(one, name))),
  )
