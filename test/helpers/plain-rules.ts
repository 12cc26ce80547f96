/** The Edu Cloud's rules without its ways to join and its terms, for tests about something else. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const educloud = join(import.meta.dirname, '..', '..', 'config', 'educloud')
let folder: string | undefined

/** A folder of rules, made once per process: who comes from a county has an account at once, and nobody is asked for terms. */
export function plainRules(): string {
  if (folder) return folder
  const made = mkdtempSync(join(tmpdir(), 'citygate-rules-'))
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  cpSync(educloud, made, { recursive: true })
  rmSync(join(made, 'enrolments'), { recursive: true })
  const site = join(made, 'site.yaml')
  const text = readFileSync(site, 'utf8')
  const plain = text.replace(/^agreements: .*\n/m, '')
  if (plain === text) throw new Error('the Edu Cloud has no agreements to leave out')
  writeFileSync(site, plain)
  folder = made
  return made
}
