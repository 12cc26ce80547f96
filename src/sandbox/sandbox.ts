/** The pretend world a newcomer sees Citygate work in: counties and a demo app. Never in production. */
import type { AdapterFactory } from 'oidc-provider'
import { listenOn } from '#lib/listen.ts'
import type { Now } from '#lib/time.ts'
import { countiesApp } from './counties-app.ts'
import { type DemoClient, openDemoApp } from './demo-app.ts'
import { openMailbox } from './mailbox.ts'
import type { SandboxMemory } from './memory.ts'
import { openSwitches } from './switches.ts'

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
  /** Where the directory listens, for its card on the index. */
  directoryUrl?: string
  /** How late a slow county answers, in milliseconds. */
  slowMs?: number
  now?: Now
  /** An operator's mail server takes the mails. */
  mailsGoElsewhere?: boolean
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
    directoryUrl: options.directoryUrl,
    slowMs,
    mailbox: openMailbox(memory),
    now: options.now ?? Date.now,
    mailsGoElsewhere: options.mailsGoElsewhere ?? false,
    onError,
  })
  const demo = openDemoApp({
    issuer,
    demoUrl,
    mailsUrl: `${countiesUrl}/mail`,
    clients: options.demoClients,
    memory,
    onError,
  })
  const at = { hosts, graceMs: 0 }
  const first = await listenOn({ ...at, port: sandboxPort, variable: 'SANDBOX_PORT' }, counties)
  try {
    const second = await listenOn({ ...at, port: demoPort, variable: 'DEMO_PORT' }, demo)
    const close = async () => {
      await Promise.all([first.close(), second.close()])
    }
    return { demoUrl, countiesUrl, close }
  } catch (error) {
    await first.close()
    throw error
  }
}
