/**
 * Delivers the outbox, each message at least once. Every process delivers: a message is claimed by one of them, so
 * what a request causes leaves at once from where it was caused, and a killed process delays only what it had in hand.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '#lib/delivery.ts'
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import { within } from '#lib/within.ts'
import type { ClaimedMessage, OutboxKind, Store } from '#store/store.ts'

export type Courier = {
  kind: OutboxKind
  /** How many targets it speaks to at the same time, one message each. */
  atOnce: number
  /** The longest a try may take. */
  patienceSeconds: number
  deliver(message: Pick<ClaimedMessage, 'id' | 'payload'>, signal: AbortSignal): Promise<Outcome>
}

export type DeliveryPorts = {
  store: Pick<Store, 'outbox'>
  log: Log
  now: Now
  /** At least 0, less than 1: messages that failed together are not tried together. */
  random: () => number
}

export type Delivery = {
  begin(): void
  /** Something was put in: looks at once. Without `begin` nothing happens. */
  nudge(): void
  /** Delivers this message now, due or not. Undefined if it is in somebody else's hands, or there is none. */
  deliverNow(id: string): Promise<Outcome | undefined>
  /** Lets tries under way end, no longer than this, then cuts them off: they are due again at once. */
  close(patienceMs?: number): Promise<void>
}

/** Seconds until the next try, after each that failed: twelve tries over a day. */
export const pauses = [5, 30, 120, 600, 3600, 7200, 7200, 7200, 14_400, 14_400, 28_800]
const triesWhenRefused = 3

/** What another process put in, or a try that is due, is found so often. */
const lookEvery = 5_000
/** Between two looks, however slow the machine: milliseconds. */
const longestRest = 50
/** A claim outlives the try: who is slow to write down how it ended must not be overtaken. Seconds. */
const margin = 10
/** How long those cut off may take to write that down. */
const lastWords = 1_000

export function openDelivery(couriers: Courier[], ports: DeliveryPorts): Delivery {
  const { store, log, now, random } = ports
  const stop = new AbortController()
  const underway = new Set<Promise<unknown>>()
  const lanes = couriers.map(openLane)
  let timer: NodeJS.Timeout | undefined
  let closing = false

  function openLane(courier: Courier) {
    const { kind, atOnce } = courier
    let speaking = 0
    let asking = false
    let askAgain = false
    let deaf = false

    async function ask() {
      askAgain = true
      if (asking) return
      asking = true
      while (askAgain && !closing && speaking < atOnce) {
        askAgain = false
        const started = performance.now()
        try {
          const limit = atOnce - speaking
          for (const message of await store.outbox.claim(kind, { ...claim(courier), limit })) {
            void keep(speak(message))
          }
          deaf = false
        } catch (error) {
          if (!deaf) log.warn({ err: error, kind }, 'the outbox cannot be read')
          deaf = true
        }
        // A long backlog takes long to search: three quarters of the time belong to those who sign in.
        const took = performance.now() - started
        if (took > 1) await sleep(Math.min(3 * took, longestRest))
      }
      asking = false
    }

    async function speak(message: ClaimedMessage) {
      speaking++
      await attempt(courier, message)
      speaking--
      // His next message waited for this one.
      look()
    }

    const look = () => void keep(ask())
    return { look }
  }

  function claim({ patienceSeconds }: Courier) {
    const at = seconds(now)
    return { at, until: at + Math.ceil(patienceSeconds) + margin }
  }

  async function attempt(courier: Courier, message: ClaimedMessage): Promise<Outcome> {
    const outcome = await tryOnce(courier, message)
    const { id, kind, target, attempts } = message
    const about = { outbox: id, kind, target, attempts }
    try {
      if (outcome.kind === 'delivered') {
        await store.outbox.done(id)
        log.info(about, 'delivered')
        return outcome
      }
      const { why } = outcome
      const dueAt = stop.signal.aborted ? seconds(now) : nextTry(message, outcome.kind)
      if (dueAt === undefined) {
        await store.outbox.bury(message, why)
        log.error({ ...about, why }, 'given up: see `citygate outbox list --dead`')
      } else {
        await store.outbox.postpone(message, dueAt, why)
        log.warn({ ...about, why, again: dueAt }, 'not delivered')
      }
    } catch (error) {
      // The claim runs out, and it is tried again.
      log.error({ err: error, ...about }, 'how a delivery ended could not be written down')
    }
    return outcome
  }

  async function tryOnce(courier: Courier, message: ClaimedMessage): Promise<Outcome> {
    if (message.payload === undefined) {
      return { kind: 'refused', why: 'it does not open: it was sealed under another key' }
    }
    // Counted when it began: whatever ends the process each time must not do so for ever.
    if (message.attempts > pauses.length + 1) {
      return { kind: 'refused', why: 'the process ended in the middle of its last try' }
    }
    const patience = AbortSignal.timeout(courier.patienceSeconds * 1000)
    try {
      return await courier.deliver(message, AbortSignal.any([stop.signal, patience]))
    } catch (error) {
      if (stop.signal.aborted) return { kind: 'failed', why: 'the process was stopped' }
      if (patience.aborted) return { kind: 'failed', why: 'it took too long' }
      log.error({ err: error, outbox: message.id, kind: message.kind }, 'a courier failed')
      return { kind: 'failed', why: 'an error of our own: see the log' }
    }
  }

  function nextTry({ attempts }: ClaimedMessage, how: 'failed' | 'refused'): number | undefined {
    const pause = pauses[attempts - 1]
    if (pause === undefined || (how === 'refused' && attempts >= triesWhenRefused)) return undefined
    return seconds(now) + Math.ceil(pause * (0.8 + 0.4 * random()))
  }

  function keep<T>(work: Promise<T>): Promise<T> {
    underway.add(work)
    const forget = () => underway.delete(work)
    work.then(forget, forget)
    return work
  }

  const lookAll = () => {
    for (const { look } of lanes) look()
  }

  return {
    begin() {
      timer = setInterval(lookAll, lookEvery).unref()
      lookAll()
    },
    nudge() {
      if (timer) lookAll()
    },
    async deliverNow(id) {
      const row = (await store.outbox.list()).find((one) => one.id === id)
      const courier = couriers.find(({ kind }) => kind === row?.kind)
      const message = courier && (await store.outbox.take(id, claim(courier)))
      return message && keep(attempt(courier, message))
    },
    async close(patienceMs = 2_000) {
      closing = true
      clearInterval(timer)
      if (await within(patienceMs, allOf(underway))) return
      stop.abort()
      await within(lastWords, allOf(underway))
    },
  }
}

/** Those that begin while we wait are waited for as well. */
async function allOf(underway: Set<Promise<unknown>>): Promise<void> {
  while (underway.size > 0) await Promise.allSettled(underway)
}
