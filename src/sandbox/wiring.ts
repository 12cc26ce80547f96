/** Joins the pretend world to ours: connected counties, two registered apps, and what to say on the screen. */
import { join } from 'node:path'
import type { ConnectorConfig } from '#config/connector.ts'
import type { Config } from '#config/load.ts'
import { callbackPath } from '#federation/own-addresses.ts'
import type { House } from '#http/house.ts'
import { randomToken, sha256 } from '#lib/crypto.ts'
import { seconds } from '#lib/time.ts'
import { openAdapter } from '#oidc/adapter.ts'
import { openStore, type Store } from '#store/store.ts'
import type { SandboxMemory } from './memory.ts'
import { connectReceivers, openPost } from './post.ts'
import { demoClientMetadata, openSandbox, sandboxCounties } from './sandbox.ts'

type Ports = NonNullable<Config['sandbox']>

/** What the app must know before it opens, and how the sandbox opens after it. */
export function prepareSandbox(config: Config, { demoPort, sandboxPort }: Ports) {
  const counties = sandboxCounties(sandboxPort)
  return {
    appPorts: {
      connectors: config.connectors.map((connector) => connect(connector, counties)),
      // The sandbox lives on loopback over http, which the guarded client refuses to everyone else.
      allowOrigins: [`http://localhost:${sandboxPort}`, `http://localhost:${demoPort}`],
      ...(config.mail ? {} : { sendMail: openPost(sandboxPort) }),
      provisioning: connectReceivers(config.provisioning, sandboxPort),
    },
    async open(house: House) {
      const { now } = house
      // A file of its own: pretend people never stand in the real tables.
      const store = openStore({ engine: 'sqlite', file: join(config.dataDir, 'sandbox.sqlite3') })
      await store.migrate()
      const metadata = demoClientMetadata(demoPort)
      const who = (kind: string) =>
        Object.keys(counties)
          .map((id) => `${id}${kind}`)
          .join(' ')
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
        memory: openMemory(store),
        now,
        mailsGoElsewhere: config.mail !== undefined,
        demoClients: { main, partner },
        citygateCallback: (county) => `${config.issuer}${callbackPath(county)}`,
      })
      return {
        lines: [
          `demo app       ${sandbox.demoUrl}`,
          `counties       ${sandbox.countiesUrl}  (everybody in them, and switches to break one)`,
          `mails          ${sandbox.countiesUrl}/mail${config.mail ? '  (empty: SMTP_URL is set)' : ''}`,
          `people         ${who('test')} teachers · ${who('pupil')} pupils`,
          `               ${who('two')} teach in two schools · ${who('na')} have no e-mail`,
          '               the password is the account',
        ],
        async close() {
          await sandbox.close()
          await store.close()
        },
      }
    },
  }
}

/** A county of the sandbox is connected, unless the operator connected the real one. */
function connect(
  connector: ConnectorConfig,
  counties: ReturnType<typeof sandboxCounties>,
): ConnectorConfig {
  const pretend = counties[connector.id]
  if (connector.type !== 'oidc' || connector.credentials || !pretend) return connector
  const { issuer, clientId, clientSecret, claimsCallUrl: url } = pretend
  const call = connector.settings.claims_call
  return {
    ...connector,
    settings: {
      ...connector.settings,
      issuer,
      ...(call && url ? { claims_call: { ...call, url } } : {}),
    },
    credentials: { clientId, clientSecret },
    insecure: true,
  }
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
