/** A deployment that may call apps inside our own network. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { ExecutionContext } from 'ava'
import { temporaryFolder } from './database.ts'
import { plainRules } from './plain-rules.ts'

const root = join(import.meta.dirname, '..', '..')

/** The environment of a deployment that may call these origins: back-channel logout goes out from us. */
export function allowingCallsTo(t: ExecutionContext, ...origins: string[]): NodeJS.ProcessEnv {
  const folder = temporaryFolder(t)
  cpSync(plainRules(), folder, { recursive: true })
  const site = join(folder, 'site.yaml')
  writeFileSync(
    site,
    `${readFileSync(site, 'utf8')}\noutbound:\n  allow: ${JSON.stringify(origins)}\n`,
  )
  return { CITYGATE_CONFIG: relative(root, folder) }
}
