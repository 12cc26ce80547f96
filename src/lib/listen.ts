/** Listens on one port at several addresses, and stops in order. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'

export type Listening = { close(): Promise<void> }

type Where = {
  port: number
  hosts: string[]
  /** The environment variable that would choose another port. */
  variable: string
  /** How long requests still running at the end may take, in milliseconds. */
  graceMs?: number
}

/** Listens on every address there is, or on none. Rejects in words for the operator. */
export async function listenOn(
  { port, hosts, variable, graceMs = 8_000 }: Where,
  handler: RequestListener,
  options: ServerOptions = {},
): Promise<Listening> {
  const opened = await Promise.allSettled(hosts.map((host) => open(port, host, handler, options)))
  const servers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failures = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  // A machine without IPv6 has no ::1; the other loopback address is enough.
  const worst = failures.find(({ code }) => code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT')
  const failure = worst ?? (servers.length === 0 ? failures[0] : undefined)
  const close = async () => void (await Promise.all(servers.map((server) => shut(server, graceMs))))
  if (!failure) return { close }
  await close()
  const taken = `is taken by another program; set ${variable}`
  const why = failure.code === 'EADDRINUSE' ? taken : failure.message
  throw new Error(`port ${port} on ${failure.address} ${why}`, { cause: failure })
}

function open(port: number, host: string, handler: RequestListener, options: ServerOptions) {
  return new Promise<Server>((resolve, reject) => {
    const server = createServer(options, handler).once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}

function shut(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    // What has not ended by then is not going to.
    setTimeout(() => server.closeAllConnections(), graceMs).unref()
  })
}
