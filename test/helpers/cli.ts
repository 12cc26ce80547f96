/** The command line, as an operator would call it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

export type Ran = { exit: number | null; out: string; err: string }

/** Runs to its end. It sees no variable but these. */
export function runCli(
  args: string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/citygate.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    input,
    env: { PATH: process.env.PATH, SANDBOX: 'off', ...env },
  })
  return { exit: status, out: stdout, err: stderr }
}
