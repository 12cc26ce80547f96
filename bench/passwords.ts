/** How long machines wait for a token while a crowd's passwords are checked. */
import type { CallTo } from './ipc.ts'
import type { PasswordResult } from './passwords-load.ts'
import { type Section, table } from './report.ts'
import type { Target } from './targets.ts'

/** A machine must not notice the crowd: the 99th percentile it may see, in milliseconds. */
const limit = 50

export async function passwordSection(
  load: CallTo,
  targets: Target[],
  crowd: number,
): Promise<Section> {
  const rows: string[][] = []
  const failures: string[] = []
  for (const { name, site, call } of targets) {
    await call('addPeople', crowd)
    const result = await load<PasswordResult>('passwords', { site, crowd })
    failures.push(...result.failures)
    rows.push([
      `${result.signedIn} of ${crowd}`,
      name,
      (result.signedIn / result.seconds).toFixed(1),
      result.alone.p99.toFixed(1),
      result.during.p50.toFixed(1),
      result.during.p99.toFixed(1),
      result.during.p99 < limit ? 'yes' : 'NO',
    ])
  }
  const head = [
    'sign-ins waiting',
    'server',
    'sign-ins per s',
    'token p99 ms alone',
    'token p50 ms',
    'token p99 ms',
    `below ${limit} ms`,
  ]
  const lines = [table(head, rows), ...failures.slice(0, 3)]
  return { text: lines.join('\n'), failed: failures.length }
}
