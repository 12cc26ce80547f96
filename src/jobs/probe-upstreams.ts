/** Asks every upstream whether somebody could sign in there now, and looks when its certificates expire. */
import { setTimeout as sleep } from 'node:timers/promises'
import limit from 'p-limit'
import type { Connector } from '#federation/connector.ts'
import type { HealthBoard } from '#federation/health-board.ts'
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import { within } from '#lib/within.ts'
import type { CertificateExpiry } from '#outside/certificates.ts'
import type { Job } from './runner.ts'

/** `servers`: those whose certificates are looked at. */
export type Probed = Pick<Connector, 'id' | 'servers' | 'probe'>

export type ProbePorts = {
  /** Connected upstreams of today, guarded: what comes of a probe is heard. */
  upstreams: () => Probed[]
  board: Pick<HealthBoard, 'isDown' | 'hear' | 'note'>
  certificateExpiry: CertificateExpiry
  log: Log
  now: Now
  /** At least 0, less than 1. */
  random: () => number
}

/** Asked at the same time. */
const atOnce = 4
/** One probe, of as many calls as it takes. */
const patienceMs = 15_000
/** Before one is asked, and between tries: at most, so that they are not asked all in the same moment. */
const jitterMs = 2_000
/** One failure may be a moment's: it is asked again until this is clear. */
const tries = 3

const hour = 60 * 60
const day = 24 * hour
/** Days before the end on which staff are told. */
export const certificateWarnings = [1, 7, 30]

export function openProbe(ports: ProbePorts): Job {
  const { upstreams, board, certificateExpiry, log, now, random } = ports
  /** When each one's certificates were looked at last, and on which day staff were told of them. */
  const looked = new Map<string, number>()
  const warned = new Map<string, number>()

  async function ask({ id, probe }: Probed, signal: AbortSignal) {
    for (let done = 0; done < tries; done++) {
      await sleep(random() * jitterMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      const began = now()
      let well = false
      const asked = probe().then(
        () => {
          well = true
        },
        (error: unknown) => log.debug({ connector: id, err: error }, 'probe'),
      )
      const inTime = await within(patienceMs, asked)
      if (!inTime) board.hear(id, { kind: 'failed', failure: 'slow' }, began)
      if (well || board.isDown(id)) return
    }
  }

  /** The certificate that expires first. Undefined where none could be looked at. */
  async function expiryOf({ id, servers }: Probed) {
    const at = seconds(now)
    if (board.isDown(id) || at < (looked.get(id) ?? 0) + hour) return undefined
    const found: number[] = []
    for (const server of servers) {
      const expiry = await certificateExpiry(server).catch((error: unknown) => {
        log.debug({ connector: id, server, err: error }, 'a certificate could not be looked at')
      })
      if (expiry !== undefined) found.push(expiry)
    }
    if (found.length === 0) return undefined
    looked.set(id, at)
    const first = Math.min(...found)
    const days = Math.floor((first - at) / day)
    const today = Math.floor(at / day)
    if (days < Math.max(...certificateWarnings) && isDayToTell(id, days, today)) {
      warned.set(id, today)
      log.warn({ connector: id, days }, 'an upstream’s certificate expires')
    }
    return first
  }

  /** Once a day at most: when one of the numbers of days is reached, and on each of the last. */
  function isDayToTell(id: string, days: number, today: number): boolean {
    if (warned.get(id) === today) return false
    return !warned.has(id) || days < 1 || certificateWarnings.includes(days + 1)
  }

  return {
    name: 'probe-upstreams',
    everySeconds: 60,
    async run(signal) {
      const queue = limit(atOnce)
      const results = await Promise.allSettled(
        upstreams().map((upstream) =>
          queue(async () => {
            if (signal.aborted) return
            await ask(upstream, signal)
            if (signal.aborted) return
            await board.note(upstream.id, await expiryOf(upstream))
          }),
        ),
      )
      // What one of them stumbled over must not keep the others from being asked.
      const failed = results.find((one) => one.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}
