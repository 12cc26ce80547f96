/** The key-encryption key where no operator gave one: made at first start, kept beside the database. */
import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '#config/load.ts'
import { type KeyEncryption, openKeyEncryption } from '#oidc/key-encryption.ts'

type KeyConfig = Pick<Config, 'dataDir' | 'keyEncryptionKey' | 'previousKeyEncryptionKey'>

const fileOf = ({ dataDir }: Pick<Config, 'dataDir'>) => join(dataDir, 'key-encryption-key')

/** The operator's, or our own: made if there is none. */
export function openKeyFile(config: KeyConfig): KeyEncryption {
  const { keyEncryptionKey = makeOnce(config), previousKeyEncryptionKey: before } = config
  return openKeyEncryption(keyEncryptionKey, ...(before ? [before] : []))
}

/** What seals the key ring, if it is there: makes nothing. */
export function findKeyEncryption(config: KeyConfig): KeyEncryption | undefined {
  const file = fileOf(config)
  const first = config.keyEncryptionKey ?? (existsSync(file) ? read(file) : undefined)
  const { previousKeyEncryptionKey: before } = config
  return first && openKeyEncryption(first, ...(before ? [before] : []))
}

function makeOnce(config: KeyConfig): Buffer {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const file = fileOf(config)
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
  return read(file)
}

function read(file: string): Buffer {
  const key = Buffer.from(readFileSync(file, 'utf8'), 'base64')
  if (key.length !== 32) throw new Error(`${file} is damaged: put it back from a backup`)
  return key
}
