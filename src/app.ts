/** The composition root: the only file that knows every room. */

import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openPasswords } from '#accounts/passwords.ts'
import type { Config } from '#config/load.ts'
import type { ConnectorConfig } from '#config/schema.ts'
import { openConnectors } from '#federation/registry.ts'
import { openAnswer } from '#http/answer.ts'
import { openAssets } from '#http/assets.ts'
import type { House } from '#http/house.ts'
import { formToken } from '#http/input.ts'
import { openProviderPages } from '#http/pages.ts'
import { openRenderer } from '#http/render.ts'
import { callbackPath } from '#http/routes/upstream.ts'
import { openHttp } from '#http/server.ts'
import { type Listening, listenOn } from '#lib/listen.ts'
import type { Log } from '#lib/log.ts'
import { openMessages } from '#lib/messages.ts'
import { openKeys } from '#oidc/keys.ts'
import { cookieNames, openProvider } from '#oidc/provider.ts'
import { findQuestion } from '#oidc/questions.ts'
import { openGuardedFetch } from '#outside/fetch.ts'
import { openStore } from '#store/store.ts'

const views = join(import.meta.dirname, '..', 'views')

export type AppPorts = {
  log: Log
  /** Milliseconds since 1970. */
  now?: () => number
  /** Origins that may be called although they are inside our network: the sandbox's. */
  allowOrigins?: string[]
  /** Upstreams in place of config's: the sandbox connects some. */
  connectors?: ConnectorConfig[]
}

export type App = { house: House; close(): Promise<void> }

/** Opens everything but the port: files, database, schema, keys. Throws when one of them cannot be had. */
export async function openApp(config: Config, ports: AppPorts): Promise<App> {
  const { log, now = Date.now } = ports
  const store = openStore(join(config.dataDir, 'citygate.sqlite3'))
  try {
    const migrated = await store.migrate()
    if (migrated.length > 0) log.info({ migrated }, 'schema is up to date')
    const keys = await openKeys(store, config.keyEncryptionKey ?? ownKek(config.dataDir), now)
    const fetch = openGuardedFetch({
      allow: [...config.site.outbound.allow, ...(ports.allowOrigins ?? [])],
    })
    const messages = openMessages(join(views, 'messages'))
    const assets = openAssets(join(views, 'assets'))
    const render = openRenderer({ viewsDir: views, messages, assets, site: config.site })
    const answer = openAnswer({
      render,
      messages,
      tokenFor: (ctx) => formToken(keys.form, ctx.state.device ?? ''),
    })
    const provider = openProvider(config.issuer, config.site, {
      store,
      keys,
      now,
      fetch,
      pages: openProviderPages(answer),
    })
    const connectors = ports.connectors ?? config.connectors
    const house: House = {
      config: { ...config, connectors },
      store,
      provider,
      keys,
      trips: {
        store,
        now,
        dataKey: keys.data,
        connectors: openConnectors(connectors, { fetch, now }),
        findQuestion: (uid) => findQuestion(provider, uid),
        callbackUrl: (connector) => `${config.issuer}${callbackPath(connector)}`,
        tripSeconds: config.site.lifetimes.upstream_trip_seconds,
        acr: config.site.acr.upstream,
      },
      passwords: openPasswords(),
      messages,
      assets,
      answer,
      log,
      now,
      cookies: cookieNames(config.issuer),
    }
    return { house, close: () => store.close() }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Outside production the key-encryption key is made at first start and stays beside the database. */
function ownKek(dataDir: string): Buffer {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'key-encryption-key')
  if (!existsSync(file)) {
    // Whole or not at all, and of two first starts the first one's.
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, randomBytes(32).toString('base64'), { mode: 0o400 })
    try {
      linkSync(draft, file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    } finally {
      unlinkSync(draft)
    }
  }
  const key = Buffer.from(readFileSync(file, 'utf8'), 'base64')
  if (key.length !== 32) throw new Error(`${file} is damaged: put it back from a backup`)
  return key
}

/** Serves the house on every configured address. Rejects in words when the port is taken. */
export function listen(house: House): Promise<Listening> {
  const { port, hosts } = house.config
  return listenOn({ port, hosts, variable: 'PORT' }, openHttp(house).callback(), {
    // Slow clients are cut off (slowloris); no request of ours needs large headers.
    headersTimeout: 15_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 5_000,
    maxHeaderSize: 16_384,
  })
}
