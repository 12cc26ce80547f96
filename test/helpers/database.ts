/** A store of one's own for each test, on a file that goes with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { openStore, type Store } from '#store/store.ts'

export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'citygate-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function buildStore(t: ExecutionContext): Promise<Store> {
  const store = openStore(join(temporaryFolder(t), 'test.sqlite3'))
  await store.migrate()
  t.teardown(() => store.close())
  return store
}
