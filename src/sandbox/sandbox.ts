/** The pretend world a newcomer sees Citygate work in: five counties and a demo app. Never in production. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AdapterFactory } from 'oidc-provider'
import { countiesApp } from './counties-app.ts'
import { type DemoClient, openDemoApp } from './demo-app.ts'
import type { SandboxMemory } from './memory.ts'
import { openSwitches } from './switches.ts'

export { sandboxCounties } from './counties.ts'
export { demoClientMetadata } from './demo-app.ts'

export type SandboxOptions = {
  /** Citygate's issuer. */
  issuer: string
  demoPort: number
  sandboxPort: number
  /** Addresses to listen on. */
  hosts: string[]
  adapter: (county: string) => AdapterFactory
  memory: SandboxMemory
  demoClients: { main: DemoClient; partner: DemoClient }
  /** Citygate's redirect_uri at that county. */
  citygateCallback: (county: string) => string
  /** How late a slow county answers, in milliseconds. */
  slowMs?: number
  onError?: (error: unknown, where: string) => void
}

export type Sandbox = { demoUrl: string; countiesUrl: string; close(): Promise<void> }

/** Listens on both ports. Rejects in words when one is taken. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { issuer, demoPort, sandboxPort, hosts, memory, slowMs = 8_000 } = options
  const onError = options.onError ?? (() => {})
  const demoUrl = `http://localhost:${demoPort}`
  const countiesUrl = `http://localhost:${sandboxPort}`
  const counties = countiesApp({
    sandboxPort,
    adapter: options.adapter,
    memory,
    switches: openSwitches(memory),
    citygateCallback: options.citygateCallback,
    citygate: `${issuer}/`,
    demoUrl,
    slowMs,
    onError,
  })
  const demo = openDemoApp({
    issuer,
    demoUrl,
    clients: options.demoClients,
    memory,
    onError,
  })
  const servers = await listen(sandboxPort, hosts, counties, 'SANDBOX_PORT')
  const close = async () => void (await Promise.all(servers.map(shut)))
  try {
    servers.push(...(await listen(demoPort, hosts, demo, 'DEMO_PORT')))
  } catch (error) {
    await close()
    throw error
  }
  return { demoUrl, countiesUrl, close }
}

/** Listens on every address there is, or on none. */
async function listen(port: number, hosts: string[], handler: RequestListener, variable: string) {
  const opened = await Promise.allSettled(hosts.map((host) => listenAt(port, host, handler)))
  const servers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failures = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  // A machine without IPv6 has no ::1; the other loopback address is enough.
  const worst = failures.find(({ code }) => code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT')
  const failure = worst ?? (servers.length === 0 ? failures[0] : undefined)
  if (!failure) return servers
  await Promise.all(servers.map(shut))
  const taken = `is taken by another program; set ${variable}`
  const why = failure.code === 'EADDRINUSE' ? taken : failure.message
  throw new Error(`port ${port} on ${failure.address} ${why}`, { cause: failure })
}

function listenAt(port: number, host: string, handler: RequestListener): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(handler).once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
