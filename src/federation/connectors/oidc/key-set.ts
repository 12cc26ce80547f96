/** The keys an upstream signs with (RFC 7517). */
import { createLocalJWKSet, type JSONWebKeySet, type LocalJWKSet } from 'jose'
import { Fault } from '../../calls/fault.ts'
import { type Fresh, keepFresh } from '../../calls/fresh.ts'
import type { Network } from '../../calls/reach.ts'
import { oldestMs, type Shelf } from '../../calls/shelf.ts'

const minute = 60 * 1000

export type KeySets = (jwksUri: string) => Fresh<LocalJWKSet>

export type KeySetPorts = { fetch: Network; now: () => number; shelf: Shelf }

/** Keeps the keys for ten minutes, and asks for newer ones at most once a minute however many unknown keys come in. */
export function openKeySets({ fetch, now, shelf }: KeySetPorts): KeySets {
  let open: { uri: string; keys: Fresh<LocalJWKSet> } | undefined
  return (uri) => {
    if (open?.uri !== uri) {
      open = { uri, keys: keysAt(uri) }
    }
    return open.keys
  }

  function keysAt(uri: string): Fresh<LocalJWKSet> {
    const read = async () => {
      const keys = await readKeys(uri, fetch)
      const set = toKeySet(keys)
      shelf.keep(JSON.stringify({ uri, keys } satisfies Kept))
      return set
    }
    const findKept = async () => {
      const kept = await shelf.find()
      const found: Kept | undefined = kept && JSON.parse(kept.text)
      return kept && found?.uri === uri ? { value: toKeySet(found.keys), at: kept.at } : undefined
    }
    // While it cannot be asked its last keys count: a token still has to come from its own token endpoint, over TLS.
    const old = { serveOld: true, oldestMs, findKept }
    return keepFresh(read, { now, freshMs: 10 * minute, retryMs: minute, ...old })
  }
}

type Kept = { uri: string; keys: JSONWebKeySet }

async function readKeys(uri: string, fetch: Network): Promise<JSONWebKeySet> {
  const response = await fetch(uri, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    redirect: 'manual',
  })
  if (response.status !== 200) throw new Fault('nonsense', `keys: HTTP ${response.status}`)
  return (await response.json().catch(() => undefined)) as JSONWebKeySet
}

function toKeySet(keys: JSONWebKeySet): LocalJWKSet {
  try {
    return createLocalJWKSet(keys)
  } catch {
    throw new Fault('nonsense', 'keys: not a JSON Web Key Set')
  }
}
