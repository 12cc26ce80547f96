/** Ours, as `citygate serve` runs it, with one county whose network is left out. */
import { enableCompileCache } from 'node:module'
import { answerCalls } from './ipc.ts'
import type { Site } from './site.ts'

enableCompileCache()
const [
  { openApp },
  { listen },
  { loadConfig },
  { openLog },
  { addApps, addPeople },
  { openStubCounty },
] = await Promise.all([
  import('../src/app.ts'),
  import('../src/opening/listening.ts'),
  import('#config/load.ts'),
  import('#lib/log.ts'),
  import('./house.ts'),
  import('./stub-county.ts'),
])

const config = loadConfig(process.env)
const app = await openApp(config, { log: openLog(config.logLevel) })
const { house } = app
const stub = openStubCounty()
house.trips.connectors = new Map([[stub.id, stub]])

answerCalls({
  async open(): Promise<Site> {
    const apps = await addApps(house)
    await listen(house)
    return { origin: `http://127.0.0.1:${config.port}`, issuer: config.issuer, ...apps }
  },
  addPeople: (count: number) => addPeople(house, count),
  statements: () => house.store.statements(),
  async stop() {
    await app.close()
    setImmediate(() => process.exit(0))
  },
})
