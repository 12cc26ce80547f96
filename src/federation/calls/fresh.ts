/** Values read from an upstream that are kept for a while. */

export type Fresh<T> = {
  get(): Promise<T>
  /** Reads anew, unless that was tried less than `retryMs` ago: then undefined. */
  renew(): Promise<T | undefined>
  /** Reads anew whenever that was tried last: a probe has a pace of its own. */
  reread(): Promise<T>
}

export type FreshRules<T> = {
  now: () => number
  /** How long a value is good. */
  freshMs: number
  retryMs: number
  /** An old value is better than none when reading fails. */
  serveOld: boolean
  /** … as long as it is not older than this. */
  oldestMs?: number
  /** The last value of an earlier process, and when it was read: looked for when there is none and none can be read. */
  findKept?: () => Promise<{ value: T; at: number } | undefined>
}

/** Reads at the first need. Callers at the same time share one reading; a failure is forgotten. */
export function keepFresh<T>(
  read: () => Promise<T>,
  { now, freshMs, retryMs, serveOld, oldestMs = Infinity, findKept }: FreshRules<T>,
): Fresh<T> {
  let kept: { value: T; at: number } | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  let reading: Promise<T> | undefined

  const readAnew = async () => {
    triedAt = now()
    try {
      const value = await read()
      kept = { value, at: now() }
      return value
    } finally {
      reading = undefined
    }
  }
  const share = () => {
    reading ??= readAnew()
    return reading
  }
  /** A clock that was put back must not make anything last longer. */
  const isWithin = (ms: number, at: number) => Math.abs(now() - at) < ms
  const tooSoon = () => isWithin(retryMs, triedAt)
  const isGood = ({ at }: { at: number }) => serveOld && isWithin(oldestMs, at)

  async function readOrFind() {
    try {
      return await share()
    } catch (error) {
      const found = await findKept?.().catch(() => undefined)
      if (!found || !isGood(found)) throw error
      if (!kept || kept.at < found.at) kept = found
      return found.value
    }
  }

  return {
    async get() {
      if (kept && isWithin(freshMs, kept.at)) return kept.value
      if (!kept || !isGood(kept)) return readOrFind()
      const { value } = kept
      // Nobody else waits for an upstream that has just failed to answer.
      return tooSoon() ? value : share().catch(() => value)
    },
    async renew() {
      return tooSoon() ? reading : share()
    },
    reread: share,
  }
}
