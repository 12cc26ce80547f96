/** Counts sign-ins a day from the audit trail, whoever wrote it: each of its events once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dayIn } from '#lib/taiwan-days.ts'
import type { CountedEvent, SignInCount, Uncounted } from '#store/sign-in-counts.ts'
import type { Store } from '#store/store.ts'
import type { Job } from './runner.ts'

/** Events of a chain that are read at a time: a trail of years is counted in such parts. */
const part = 500

export function openSignInCounting(
  store: Pick<Store, 'signInCounts' | 'transaction'>,
  events = part,
): Job {
  /** False if somebody else counts this chain at the moment. */
  async function count(chain: string, from: number, to: number): Promise<boolean> {
    const counts = countUp(await store.signInCounts.signIns(chain, from, to))
    return store.transaction(async ({ signInCounts }) => {
      if (!(await signInCounts.advance(chain, from, to))) return false
      await signInCounts.add(counts)
      return true
    })
  }

  async function countChain({ chain, counted, last }: Uncounted, signal: AbortSignal) {
    for (let from = counted; from < last && !signal.aborted; from += events) {
      const started = performance.now()
      if (!(await count(chain, from, Math.min(from + events, last)))) return
      // Three quarters of the time belong to those who sign in.
      const rest = Math.min(100, 3 * (performance.now() - started))
      if (from + events < last) await sleep(rest, undefined, { signal }).catch(() => {})
    }
  }

  return {
    name: 'count-sign-ins',
    everySeconds: 60,
    async run(signal) {
      for (const chain of await store.signInCounts.uncounted()) await countChain(chain, signal)
    },
  }
}

function countUp(events: CountedEvent[]): SignInCount[] {
  const counts = new Map<string, SignInCount>()
  for (const event of events) {
    const kind = kindOf(event)
    const key = JSON.stringify(Object.values(kind))
    const known = counts.get(key)
    if (known) known.count++
    else counts.set(key, { ...kind, count: 1 })
  }
  return [...counts.values()]
}

/** No longer than their columns: what an event says is an operator's or a release's word, not ours alone. */
const kindOf = ({ at, target, outcome, details }: CountedEvent) => ({
  day: dayIn(at),
  way: wordOf(details.way, 16),
  connector: wordOf(details.connector, 32),
  clientId: target.startsWith('client:') ? target.slice('client:'.length) : '',
  outcome: wordOf(outcome, 16),
})

const wordOf = (value: unknown, longest: number): string =>
  typeof value === 'string' ? value.slice(0, longest) : ''
