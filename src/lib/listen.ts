/** Listens on one port at several addresses, and stops in order. */
import {
  createServer,
  type RequestListener,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { Server as NetServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

export type Listening = { close(): Promise<void> }

type Where = {
  port: number
  hosts: string[]
  /** The environment variable that would choose another port. */
  variable: string
  /** How long requests still running at the end may take, in milliseconds. */
  graceMs?: number
  /** How long idle connections are left at the end to those who opened them, who may be sending just now. */
  idleMs?: number
}

/** Listens on every address there is, or on none. Rejects in words for the operator. */
export async function listenOn(
  { port, hosts, variable, ...patience }: Where,
  handler: RequestListener,
  options: ServerOptions = {},
): Promise<Listening> {
  const opened = await Promise.allSettled(
    hosts.map((host) => open({ port, host, ...patience }, handler, options)),
  )
  const servers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failures = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  // A machine without IPv6 has no ::1; the other loopback address is enough.
  const worst = failures.find(({ code }) => code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT')
  const failure = worst ?? (servers.length === 0 ? failures[0] : undefined)
  const close = async () => void (await Promise.all(servers.map((server) => server.close())))
  if (!failure) return { close }
  await close()
  // A name that could not be looked up has no address.
  const { address = failure.hostname } = failure
  throw new Error(`port ${port} on ${address} ${describe(failure, variable)}`, { cause: failure })
}

function describe({ code, message }: NodeJS.ErrnoException, variable: string): string {
  if (code === 'EADDRINUSE') return `is taken by another program; set ${variable}`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `is no address of this machine (${code}); set ${variable.replace(/PORT$/, 'HOST')}`
  }
  return code === 'EACCES' ? `is not ours to take (EACCES); set ${variable}` : message
}

type One = { port: number; host: string; graceMs?: number; idleMs?: number }

function open(
  { port, host, graceMs = 8_000, idleMs = 0 }: One,
  handler: RequestListener,
  options: ServerOptions,
): Promise<Listening> {
  const underway = new Set<ServerResponse>()
  let ending = false
  const server = createServer(options, (request, response) => {
    if (ending) response.shouldKeepAlive = false
    underway.add(response)
    response.once('close', () => underway.delete(response))
    handler(request, response)
  })

  /** Who waits at the door is let in, one in each turn of the event loop: closing sooner would cut her off. */
  async function emptyQueue() {
    const until = performance.now() + graceMs / 4
    let came = true
    const note = () => {
      came = true
    }
    server.on('connection', note)
    while (came && performance.now() < until) {
      came = false
      // The first may stand in the middle of a turn: only the second has a whole one behind it.
      await nextTurn()
      await nextTurn()
    }
    server.off('connection', note)
  }

  async function close() {
    ending = true
    // Their answers say that the connection ends with them.
    for (const response of underway) response.shouldKeepAlive = false
    await emptyQueue()
    const ended = new Promise((resolve) => server.once('close', resolve))
    // Only stops accepting: `server.close()` also cuts idle connections, on which a request may be on its way.
    NetServer.prototype.close.call(server)
    let sweep: NodeJS.Timeout | undefined
    const cut = setTimeout(() => {
      server.closeIdleConnections()
      // An answer that began before the end may have promised to keep its connection.
      sweep = setInterval(() => server.closeIdleConnections(), 100)
    }, idleMs)
    // What has not ended by then is not going to.
    const kill = setTimeout(() => server.closeAllConnections(), graceMs)
    await ended
    clearTimeout(cut)
    clearTimeout(kill)
    clearInterval(sweep)
    // Ends what the server does by the clock.
    server.close()
  }

  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve({ close }))
  })
}
