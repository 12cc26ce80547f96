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
  const demo = openDemoApp({ issuer, demoUrl, clients: options.demoClients, onError })
  const servers = (
    await Promise.all([
      listen(sandboxPort, hosts, counties, 'SANDBOX_PORT'),
      listen(demoPort, hosts, demo, 'DEMO_PORT'),
    ])
  ).flat()
  return {
    demoUrl,
    countiesUrl,
    async close() {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              server.close(() => resolve())
              server.closeAllConnections()
            }),
        ),
      )
    },
  }
}

function listen(port: number, hosts: string[], handler: RequestListener, variable: string) {
  return Promise.all(
    hosts.map(
      (host) =>
        new Promise<Server[]>((resolve, reject) => {
          const server = createServer(handler)
          server.once('error', (error: NodeJS.ErrnoException) => {
            // A machine without IPv6 has no ::1; the other loopback address is enough.
            if (error.code === 'EADDRNOTAVAIL' && hosts.length > 1) return resolve([])
            const taken = `is taken by another program; set ${variable}`
            const why = error.code === 'EADDRINUSE' ? taken : error.message
            reject(new Error(`port ${port} on ${host} ${why}`))
          })
          server.listen(port, host, () => resolve([server]))
        }),
    ),
  ).then((lists) => lists.flat())
}
