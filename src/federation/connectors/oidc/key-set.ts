/** The keys an upstream signs with (RFC 7517). */
import { createLocalJWKSet, type JSONWebKeySet, type LocalJWKSet } from 'jose'
import { Fault } from './fault.ts'
import { type Fresh, keepFresh } from './fresh.ts'
import type { Network } from './reach.ts'

const minute = 60 * 1000

export type KeySets = (jwksUri: string) => Fresh<LocalJWKSet>

/** Keeps the keys for ten minutes, and asks for newer ones at most once a minute however many unknown keys come in. */
export function openKeySets(ports: { fetch: Network; now: () => number }): KeySets {
  let open: { uri: string; keys: Fresh<LocalJWKSet> } | undefined
  return (uri) => {
    if (open?.uri !== uri) {
      const rules = { now: ports.now, freshMs: 10 * minute, retryMs: minute, serveOld: false }
      open = { uri, keys: keepFresh(() => readKeys(uri, ports.fetch), rules) }
    }
    return open.keys
  }
}

async function readKeys(uri: string, fetch: Network): Promise<LocalJWKSet> {
  const response = await fetch(uri, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    redirect: 'manual',
  })
  if (response.status !== 200) throw new Fault('nonsense', `keys: HTTP ${response.status}`)
  try {
    return createLocalJWKSet((await response.json()) as JSONWebKeySet)
  } catch {
    throw new Fault('nonsense', 'keys: not a JSON Web Key Set')
  }
}
