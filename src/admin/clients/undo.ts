/** Brings a registration back to what it was, as a new version. */
import type { Acting, Outcome } from '../operation.ts'
import { changedMeanwhile } from './changes.ts'
import { resourceScopesOf } from './judge.ts'
import { findWithin } from './reach.ts'
import { type Registered, type RegisterPorts, replace } from './register.ts'
import { toSettings } from './registration.ts'
import { changedFields } from './versions.ts'

/** `current`: the version she looked at. What was in order then is held against the rules of today. */
export async function undoTo(
  ports: RegisterPorts,
  by: Acting,
  { id, version, current }: { id: string; version: number; current: number },
): Promise<Outcome<Registered>> {
  const before = await findWithin(ports.store, by, id)
  if (!before) return { kind: 'unknown' }
  if (before.version !== current) return changedMeanwhile
  const found = await ports.store.clientVersions.find(id, version)
  if (!found) return { kind: 'unknown' }
  // Its picture is kept once: the one it has stays.
  const { logo: _, ...then } = found.metadata
  const { logo } = before.metadata
  const metadata = { ...then, ...(logo === undefined ? {} : { logo }) }
  if (changedFields(before.metadata, metadata).length === 0) {
    return { kind: 'refused', why: 'clients.nothing-to-undo' }
  }
  const known = resourceScopesOf(ports.resources)
  const was = toSettings(before, known)
  const settings = toSettings({ ...before, metadata }, known)
  return replace(
    ports,
    by,
    { before, metadata, was, settings },
    { because: 'undo', note: String(version), details: { to: version } },
  )
}
