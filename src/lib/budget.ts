/**
 * One limit kept by several processes that hardly ever ask each other. A process gives away a little of every window
 * on its own; who wants more is served from points it draws from the common counter, a chunk at a time and ahead of
 * need. Nobody waits for a draw, and no request costs one: a few too many pass, never the double.
 */

export type BudgetRules = {
  /** How many points a window has. */
  points: number
  /** How long it lasts. */
  seconds: number
}

export type Budget = {
  /** Takes a point. Zero, or how many seconds until there are points again. */
  take(key: string, rules?: BudgetRules): number
  /** The last point was for nothing. */
  giveBack(key: string): void
}

export type BudgetPorts = {
  /** Milliseconds since 1970. */
  now: () => number
  /** Adds to the common counter. How it stands after, and how long its window still lasts. */
  draw: (
    key: string,
    points: number,
    seconds: number,
  ) => Promise<{ points: number; leftSeconds: number }>
  failed: (error: unknown) => void
}

type Window = {
  /** Below zero while a draw is under way. */
  left: number
  /** Milliseconds since 1970. */
  ends: number
  /** The common counter has no more. */
  empty: boolean
  drawing: boolean
  /** What was given away before the common counter was told. */
  untold: number
}

/** More windows than this are not kept: the oldest is forgotten. */
const mostWindows = 20_000

export function openBudget(standard: BudgetRules, { now, draw, failed }: BudgetPorts): Budget {
  const windows = new Map<string, Window>()

  function open(key: string, { points, seconds }: BudgetRules): Window {
    windows.delete(key)
    if (windows.size >= mostWindows) windows.delete(windows.keys().next().value ?? '')
    const free = Math.ceil(points / 20)
    const ends = now() + seconds * 1000
    const window = { left: free, ends, empty: false, drawing: false, untold: free }
    windows.set(key, window)
    return window
  }

  async function refill(key: string, window: Window, { points, seconds }: BudgetRules) {
    window.drawing = true
    const wanted = Math.ceil(points / 10)
    const { untold } = window
    try {
      const common = await draw(key, wanted + untold, seconds)
      const over = Math.max(0, common.points - points)
      window.left += Math.max(0, wanted - over)
      window.empty = common.points >= points
      window.ends = Math.min(window.ends, now() + common.leftSeconds * 1000)
      window.untold = 0
    } catch (error) {
      // A limit that cannot be looked up must not stop everybody: the next window asks again.
      window.left += points
      failed(error)
    } finally {
      window.drawing = false
    }
  }

  return {
    take(key, rules = standard) {
      const known = windows.get(key)
      const window = known && known.ends > now() ? known : open(key, rules)
      if (window.left <= 0 && window.empty) return Math.ceil((window.ends - now()) / 1000)
      window.left--
      if (window.left <= 0 && !window.empty && !window.drawing) void refill(key, window, rules)
      return 0
    },
    giveBack(key) {
      const window = windows.get(key)
      if (window) window.left++
    },
  }
}
