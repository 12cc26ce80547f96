/** Joins the pretend world to ours: connected upstreams, two registered apps, and what to say on the screen. */
import { join } from 'node:path'
import type { Config } from '#config/load.ts'
import { callbackPath } from '#federation/own-addresses.ts'
import type { House } from '#http/house.ts'
import { randomToken, sha256 } from '#lib/crypto.ts'
import { seconds } from '#lib/time.ts'
import { openAdapter } from '#oidc/adapter.ts'
import { openStore, type Store } from '#store/store.ts'
import { connectAll } from './connections.ts'
import { directory } from './counties.ts'
import { keptCertificate, type SandboxMemory } from './memory.ts'
import { accountsEnding } from './people.ts'
import { connectReceivers, openPost } from './post.ts'
import { openDirectory } from './providers/directory.ts'
import { demoClientMetadata, openSandbox, type Sandbox } from './sandbox.ts'
import { openSwitches } from './switches.ts'

type Ports = NonNullable<Config['sandbox']>

/** How late what is slow answers, in milliseconds. */
const slowMs = 8_000

/**
 * What the app must know before it opens, and how the sandbox opens after it. Every process wants the former; what is
 * made then, once, the others must find: the first process is done with it before there is a second one.
 */
export async function prepareSandbox(config: Config, { demoPort, sandboxPort }: Ports) {
  // A file of its own: pretend people never stand in the real tables.
  const store = openStore({ engine: 'sqlite', file: join(config.dataDir, 'sandbox.sqlite3') })
  try {
    await store.migrate()
    const memory = openMemory(store)
    const switches = openSwitches(memory)
    const [serviceProvider, school] = await Promise.all([
      keptCertificate(memory, 'service-provider', { commonName: 'Citygate in the sandbox' }),
      openDirectory(directory, { memory, switches, slowMs }),
    ])
    const made = { sandboxPort, serviceProvider, directory: school }
    return {
      appPorts: {
        connectors: connectAll(config.connectors, made),
        // The sandbox lives on loopback over http, which the guarded client refuses to everyone else.
        allowOrigins: [`http://localhost:${sandboxPort}`, `http://localhost:${demoPort}`],
        ...(config.mail ? {} : { sendMail: openPost(sandboxPort) }),
        provisioning: connectReceivers(config.provisioning, sandboxPort),
      },
      async open(house: House) {
        const { now } = house
        const metadata = demoClientMetadata(demoPort)
        const [main, partner] = await Promise.all([
          registerDemo(house, `citygate-demo-${demoPort}`, metadata.main),
          registerDemo(house, `citygate-partner-${demoPort}`, metadata.partner),
        ])
        const sandbox = await openSandbox({
          issuer: config.issuer,
          demoPort,
          sandboxPort,
          hosts: config.hosts,
          adapter: (county) =>
            openAdapter(store, { now, dataKey: house.keys.data, realm: `${county}:` }),
          memory,
          directoryUrl: school.url,
          slowMs,
          now,
          mailsGoElsewhere: config.mail !== undefined,
          demoClients: { main, partner },
          citygateCallback: (county) => `${config.issuer}${callbackPath(county)}`,
        })
        return { lines: onTheScreen(config, sandbox), close: sandbox.close }
      },
      async close() {
        await school.close()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

function onTheScreen({ mail }: Config, { demoUrl, countiesUrl }: Sandbox): string[] {
  const who = (word: string) => accountsEnding(word).join(' ')
  return [
    `demo app       ${demoUrl}`,
    `counties       ${countiesUrl}  (everybody in them, and switches to break one)`,
    `mails          ${countiesUrl}/mail${mail ? '  (empty: SMTP_URL is set)' : ''}`,
    `people         ${who('test')} teachers`,
    `               ${who('pupil')} pupils`,
    `               ${who('two')} teach in two schools`,
    `               ${who('na')} have no e-mail`,
    '               the password is the account',
  ]
}

/** The demo's secret is new at every start; its port is in its id, so that two copies on one database do not meet. */
async function registerDemo(
  { store, now }: House,
  clientId: string,
  metadata: Record<string, unknown>,
) {
  const clientSecret = randomToken()
  const at = seconds(now)
  await store.clients.put({
    id: clientId,
    metadata,
    secretHash: sha256(clientSecret),
    createdAt: at,
    updatedAt: at,
  })
  return { clientId, clientSecret }
}

function openMemory({ payloads }: Store): SandboxMemory {
  const id = (key: string) => sha256(`sandbox:${key}`)
  return {
    async get(key) {
      const value = (await payloads.find([id(key)]))[0]?.payload.value
      return typeof value === 'string' ? value : undefined
    },
    set: (key, value) => payloads.save([{ id: id(key), model: 'Sandbox', payload: { value } }]),
  }
}
