/** Values read from an upstream that are kept for a while. */

export type Fresh<T> = {
  get(): Promise<T>
  /** Reads anew, unless that was tried less than `retryMs` ago: then undefined. */
  renew(): Promise<T | undefined>
}

export type FreshRules = {
  now: () => number
  /** How long a value is good. */
  freshMs: number
  retryMs: number
  /** An old value is better than none when reading fails. */
  serveOld: boolean
}

/** Reads at the first need. Callers at the same time share one reading; a failure is forgotten. */
export function keepFresh<T>(
  read: () => Promise<T>,
  { now, freshMs, retryMs, serveOld }: FreshRules,
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
  const tooSoon = () => now() < triedAt + retryMs

  return {
    async get() {
      if (!kept) return share()
      const { value, at } = kept
      if (now() < at + freshMs) return value
      if (!serveOld) return share()
      // Nobody else waits for an upstream that has just failed to answer.
      return tooSoon() ? value : share().catch(() => value)
    },
    async renew() {
      return tooSoon() ? reading : share()
    },
  }
}
