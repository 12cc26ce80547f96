/** A connector behind a breaker: what is known to be down is not called, but for a trial now and then. */
import { UpstreamError } from '#errors.ts'
import type { Connector } from './connector.ts'
import { blameOf, healthRules, type Purpose } from './health.ts'
import type { HealthBoard } from './health-board.ts'

export type GuardPorts = {
  board: Pick<HealthBoard, 'isDown' | 'hear' | 'mayTry'>
  /** Milliseconds since 1970. */
  now: () => number
  /** Begins to measure; the share of the time since then, 0 to 1, in which this process was at work itself. */
  strain?: () => () => number
}

export function guardConnector(
  connector: Connector,
  { board, now, strain }: GuardPorts,
): Connector {
  const { id } = connector
  /** What is behind failures that were heard: many may wait for one call, and it fails them all. */
  const heard = new WeakSet<object>()

  /** Runs one call and says how it went. */
  async function judged<T>(purpose: Purpose, work: () => Promise<T>): Promise<T> {
    const began = now()
    const ownShare = strain?.() ?? (() => 0)
    const returned = purpose === 'complete'
    try {
      const result = await work()
      const ms = ownShare() > healthRules.ownShare ? 0 : Math.max(0, now() - began)
      // A departure calls nobody where everything is at hand: that it went well says nothing.
      if (purpose !== 'begin') board.hear(id, { kind: 'ok', ms, returned }, began)
      return result
    } catch (error) {
      const failure = blameOf(purpose, error)
      const late = failure === 'slow' && ownShare() > healthRules.ownShare
      if (failure && !late && isNews(error)) {
        board.hear(id, { kind: 'failed', failure, returned }, began)
      }
      throw error
    }
  }

  function isNews(error: unknown): boolean {
    const cause = error instanceof Error ? error.cause : undefined
    if (!(cause instanceof Error)) return true
    if (heard.has(cause)) return false
    heard.add(cause)
    return true
  }

  const probe = () => judged('probe', () => connector.probe())

  return {
    ...connector,
    async begin(trip) {
      if (board.isDown(id)) {
        // The trial is a call of our own, not a person sent to a county that may be dead: nobody can spoil it by
        // not coming back, or by what she brings back.
        if (!(await board.mayTry(id)))
          throw new UpstreamError(id, 'unreachable', 'is down, not tried')
        await probe()
        // Where that does not open it she is the trial herself.
      }
      return judged('begin', () => connector.begin(trip))
    },
    // Whoever left before may finish.
    complete: (arrival, memo) => judged('complete', () => connector.complete(arrival, memo)),
    probe,
  }
}
