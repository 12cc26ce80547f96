/** Closes one thing after the other. What hangs, or fails, is named in the log and left: the rest is closed all the same. */
import type { Log } from './log.ts'
import { within } from './within.ts'

export async function closeInTime(
  closings: readonly (readonly [what: string, close: () => unknown])[],
  log: Log,
  /** For each of them. */
  patienceMs = 5_000,
): Promise<void> {
  for (const [what, close] of closings) {
    try {
      const ended = await within(patienceMs, Promise.resolve(close()))
      if (!ended) log.warn({ what }, 'did not end in time')
    } catch (error) {
      log.warn({ what, err: error }, 'could not be closed')
    }
  }
}
