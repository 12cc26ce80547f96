/**
 * What many tests begin from and takes a while to make: a migrated database, signing keys, certificates. `npm test` has
 * it made before the first file (make-templates.ts), in a folder all files read; a file that runs alone makes its own.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from '#lib/once.ts'

const ours = once(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'citygate-templates-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
})

/** Gives the folder of that name, after `make` has filled it if nobody had. */
export const madeOnce = (
  name: string,
  make: (folder: string) => Promise<void>,
): (() => Promise<string>) =>
  once(async () => {
    const folder = join(process.env.TEST_TEMPLATES ?? (await ours()), name)
    if (existsSync(folder)) return folder
    mkdirSync(folder)
    await make(folder)
    return folder
  })
