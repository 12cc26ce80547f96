/** How every upstream fares, as all processes together see it: kept in memory, shared by the store in the background. */
import type { Log } from '#lib/log.ts'
import { day, type Now, seconds } from '#lib/time.ts'
import { type Health, healthRules, hear, type Outcome, unheard } from './health.ts'

/** Times are seconds since 1970. */
export type Standing = {
  connector: string
  state: Health['state']
  since: number
  checkedAt: number
  failure?: string
  /** Milliseconds its last good answer took. */
  took?: number
  certificateExpiresAt?: number
  /** It answers us, and fails those who come back. */
  relapsed?: boolean
}

/** What staff say of an upstream, and when it holds: seconds since 1970. */
export type Notice = {
  id: string
  connector: string
  text: Record<string, string>
  startsAt: number
  endsAt: number
}

/** What somebody looks up when he asks how it came about. */
export type Change = Standing & {
  /** How it was before, and since when. */
  before: { state: Health['state']; since: number }
}

export type HealthBoardPorts = {
  /** Those there are. */
  connectors: string[]
  statuses: {
    change(standing: Standing): Promise<boolean>
    note(standing: Standing): Promise<void>
    look(at: number): Promise<{
      statuses: Standing[]
      notices: Notice[]
      /** What staff switched off, and when. */
      switches: { connector: string; offAt: number }[]
    }>
  }
  /** True for one caller of all processes until so many seconds are over. */
  trial(connector: string, seconds: number): Promise<boolean>
  /** Told once of all processes' that an upstream went down or came back. */
  changed(standing: Standing): Promise<void>
  /** Told once of all processes' of every change of its state. */
  remember(change: Change): Promise<void>
  log: Log
  now: Now
  /** At least 0, less than 1. */
  random: () => number
}

export type HealthBoard = {
  /** From memory; undefined while nothing was ever heard of it. */
  find(connector: string): Standing | undefined
  isDown(connector: string): boolean
  /** Notices of now and of the next day, from memory. */
  notices(connector: string): Notice[]
  /** Since when staff have it switched off, from memory; undefined while it is on. */
  offSince(connector: string): number | undefined
  /** `began`: when the call was made, in milliseconds. */
  hear(connector: string, outcome: Outcome, began?: number): void
  /** True for the one who may try now whether it is back. */
  mayTry(connector: string): Promise<boolean>
  /** Writes down what was seen of it just now. */
  note(connector: string, certificateExpiresAt?: number): Promise<void>
  /** Takes over what others wrote down. Never rejects: without a database it goes on by what it knows. */
  look(): Promise<void>
  /** Looks every few seconds from now on. */
  follow(): void
  close(): Promise<void>
}

/** Others' news is this old at most. */
const lookEveryMs = 3_000
/** Where it is not this process's turn to try, the database is not asked at once again: many may come. */
const turnEveryMs = 1_000
/** A notice is shown so long before it begins. */
const aheadSeconds = day

type Known = {
  health: Health
  certificateExpiresAt?: number
  /** A change of ours that is not written down yet. */
  unsaved: boolean
  /** … and by it went down or came back. */
  turned: boolean
  /** Nobody of this process need ask before whether it may try. */
  noTurnBefore: number
  /** How many changes of ours there were. */
  changes: number
  /** How it was before those that are not written down. */
  before: Change['before']
}

/** Does no I/O by itself before `look` or `follow`. */
export function openHealthBoard(ports: HealthBoardPorts): HealthBoard {
  const { statuses, log, now, random } = ports
  const known = new Map<string, Known>(
    ports.connectors.map((id) => [
      id,
      {
        health: unheard(now()),
        unsaved: false,
        turned: false,
        noTurnBefore: 0,
        changes: 0,
        before: { state: 'ok', since: seconds(now) },
      },
    ]),
  )
  let notices: Notice[] = []
  let off = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let working = Promise.resolve()
  let open = true
  let shared = true

  function standingOf(connector: string, { health, certificateExpiresAt }: Known): Standing {
    const { state, since, at, failure, took, relapsed } = health
    return {
      connector,
      state,
      since: Math.floor(since / 1000),
      checkedAt: Math.floor((at ?? since) / 1000),
      ...(failure === undefined ? {} : { failure }),
      ...(took === undefined ? {} : { took }),
      ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt }),
      ...(relapsed ? { relapsed } : {}),
    }
  }

  async function saveAll() {
    for (const [connector, one] of known) {
      if (!one.unsaved) continue
      const { changes, turned, health, before } = one
      // What could not be told while it was news is none: the others know better by now.
      const old = now() > (health.at ?? 0) + healthRules.windowMs
      const standing = standingOf(connector, one)
      const first = !old && (await statuses.change(standing))
      if (one.changes === changes) Object.assign(one, { unsaved: false, turned: false })
      if (first) await ports.remember({ ...standing, before })
      if (first && turned) await tell(standing)
    }
  }

  async function tell(standing: Standing) {
    const { connector, state, failure } = standing
    if (state === 'down') log.warn({ connector, failure }, 'upstream is down')
    else log.info({ connector, state }, 'upstream answers')
    await ports.changed(standing)
  }

  async function lookOnce() {
    try {
      await saveAll()
      const before = new Map([...known].map(([id, { changes }]) => [id, changes]))
      const found = await statuses.look(seconds(now))
      notices = found.notices
      off = new Map(found.switches.map(({ connector, offAt }) => [connector, offAt]))
      for (const status of found.statuses) {
        const one = known.get(status.connector)
        // What we learnt while we read is younger.
        if (one && one.changes === before.get(status.connector)) adopt(one, status)
      }
      shared = true
    } catch (error) {
      const says = 'how upstreams fare cannot be shared; going on with what we know'
      if (shared) log.warn({ err: error }, says)
      shared = false
    }
  }

  function adopt(one: Known, status: Standing) {
    const { state, since, checkedAt, failure, took, certificateExpiresAt, relapsed } = status
    if (certificateExpiresAt !== undefined) one.certificateExpiresAt = certificateExpiresAt
    if (one.unsaved) return
    const { health } = one
    if (health.state !== state || health.at === undefined) {
      one.health = {
        state,
        since: since * 1000,
        at: checkedAt * 1000,
        recent: [],
        ...(health.state === 'down' && state !== 'down' ? { backAt: now() } : {}),
        ...(failure === undefined ? {} : { failure: failure as NonNullable<Health['failure']> }),
        ...(took === undefined ? {} : { took }),
        ...(relapsed ? { relapsed } : {}),
      }
    } else one.health = { ...health, since: since * 1000, relapsed: relapsed === true }
  }

  function look() {
    working = working.then(() => (open ? lookOnce() : undefined))
    return working
  }

  function plan() {
    if (!open) return
    // Processes that were started together do not ask together.
    const wait = lookEveryMs * (0.75 + random() / 2)
    timer = setTimeout(() => void look().then(plan), wait).unref()
  }

  return {
    find(connector) {
      const one = known.get(connector)
      return one?.health.at === undefined ? undefined : standingOf(connector, one)
    },
    isDown: (connector) => known.get(connector)?.health.state === 'down',
    notices(connector) {
      const at = seconds(now)
      return notices.filter(
        (one) =>
          one.connector === connector && one.endsAt > at && one.startsAt <= at + aheadSeconds,
      )
    },
    offSince: (connector) => off.get(connector),
    hear(connector, outcome, began) {
      const one = known.get(connector)
      if (!one) return
      const before = one.health
      one.health = hear(before, outcome, now(), began)
      if (one.health.state === before.state) return
      if (!one.unsaved) one.before = { state: before.state, since: Math.floor(before.since / 1000) }
      one.unsaved = true
      one.turned ||= (before.state === 'down') !== (one.health.state === 'down')
      one.changes++
      // Nobody who signs in waits for it.
      working = working
        .then(() => saveAll())
        .catch((error: unknown) => {
          log.warn({ err: error, connector }, 'how an upstream fares could not be written down')
        })
    },
    async mayTry(connector) {
      const { trialEverySeconds } = healthRules
      const one = known.get(connector)
      const at = now()
      if (!one || (at < one.noTurnBefore && one.noTurnBefore <= at + trialEverySeconds * 1000)) {
        return false
      }
      one.noTurnBefore = at + turnEveryMs
      // Where the database cannot say whose turn it is, it is nobody's.
      const mine = await ports.trial(connector, trialEverySeconds).catch(() => false)
      if (mine) one.noTurnBefore = at + trialEverySeconds * 1000
      return mine
    },
    async note(connector, certificateExpiresAt) {
      const one = known.get(connector)
      if (!one) return
      if (certificateExpiresAt !== undefined) one.certificateExpiresAt = certificateExpiresAt
      await working
      await statuses.note(standingOf(connector, one))
    },
    look,
    follow: () => void look().then(plan),
    async close() {
      clearTimeout(timer)
      open = false
      await working
    },
  }
}
