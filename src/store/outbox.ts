/** Messages that must reach the outside, written with what causes them and kept until they were delivered. */
import { randomUUID } from 'node:crypto'
import { seal, unseal } from '#lib/crypto.ts'
import {
  inParts,
  type Row,
  type Statements,
  sizedStatements,
  statement,
  type Value,
} from './statements.ts'

export type OutboxKind = 'backchannel-logout' | 'mail' | 'request' | 'provisioning'

export type NewMessage = {
  kind: OutboxKind
  /** Who is spoken to: a client's id, a mail domain, a receiver's id. One who is slow or dead holds up nobody else. */
  target: string
  payload: Record<string, unknown>
  /** Seconds since 1970. */
  createdAt: number
  /** When it may be delivered; absent: at once. */
  dueAt?: number
}

export type OutboxRow = {
  /** The same at every try: the receiver can tell that he heard it before. */
  id: string
  kind: OutboxKind
  target: string
  state: 'waiting' | 'dead'
  createdAt: number
  dueAt: number
  /** Tries begun. */
  attempts: number
  /** Why the last one failed, in a few words, never a secret. */
  lastError?: string
}

/** Without a payload: it was sealed under another key. */
export type ClaimedMessage = OutboxRow & { claimedUntil: number; payload?: unknown }

/**
 * Which try it is: one whose claim has run out cannot speak for the next one, nor for the first one after staff began to
 * count anew. Every claim ends later than the one before it.
 */
export type Try = Pick<ClaimedMessage, 'id' | 'attempts' | 'claimedUntil'>

export type Outbox = {
  /** The message's id. */
  put(message: NewMessage): Promise<string>
  /** Many at once, in their order. */
  putAll(messages: NewMessage[]): Promise<void>
  /**
   * Takes messages that are due until `until`, each given to exactly one caller: of every target the oldest, of those
   * the ones tried least, none of a target somebody speaks to at this moment. A caller who is killed loses them then.
   */
  claim(
    kind: OutboxKind,
    range: { at: number; until: number; limit: number },
  ): Promise<ClaimedMessage[]>
  /** Takes one message, due or not. Undefined if it is not waiting or in somebody's hands. */
  take(id: string, range: { at: number; until: number }): Promise<ClaimedMessage | undefined>
  /** It was delivered, whoever else may be trying: removed. */
  done(id: string): Promise<void>
  /** Waits for another try. False if this one's claim was lost. */
  postpone(which: Try, dueAt: number, error: string): Promise<boolean>
  /** Given up until staff look at it. False if this try's claim was lost. */
  bury(which: Try, error: string): Promise<boolean>
  /** Oldest first. */
  list(state?: OutboxRow['state']): Promise<OutboxRow[]>
  /** Due at once with all its tries before it, also if it was dead. False if there is none, or it is being delivered. */
  retry(id: string, at: number): Promise<boolean>
  /** The same for all that have failed. How many. */
  retryAll(at: number): Promise<number>
  /** False if there is none. */
  drop(id: string): Promise<boolean>
  /** Removes what has been dead, counted from its last try, since before `before`. How many. */
  dropDead(before: number): Promise<number>
  counts(): Promise<Record<OutboxRow['state'], number>>
  find(id: string): Promise<OutboxRow | undefined>
  /** Oldest first, after the one that is `after` in that order. */
  page(
    filter: { kind?: string; state?: string; target?: string },
    after: number,
    limit: number,
  ): Promise<(OutboxRow & { place: number })[]>
  /** How many there are of each kind and state, and since when the oldest of them waits. */
  tally(): Promise<(Pick<OutboxRow, 'kind' | 'state'> & { messages: number; since: number })[]>
}

export type OutboxPorts = {
  /** Seals payloads: mails carry links that open accounts. */
  key: () => Buffer
  /** Hears that something was put in. */
  queued: () => void
}

const columns =
  'id, kind, target, payload, state, created_at, due_at, claimed_until, attempts, last_error'
const newColumns = 'id, kind, target, payload, created_at, due_at, state, claimed_until, attempts'
const newRow = "(?, ?, ?, ?, ?, ?, 'waiting', 0, 0)"
const puts = sizedStatements(
  'outbox.put',
  100,
  (rows) => `INSERT INTO outbox (${newColumns}) VALUES ${Array(rows).fill(newRow).join(', ')}`,
)
const ready = `kind = ? AND state = 'waiting' AND due_at <= ? AND target NOT IN (
  SELECT target FROM outbox WHERE kind = ? AND claimed_until > 0 AND claimed_until > ?)`
const claimUpdate = 'UPDATE outbox SET claimed_until = ?, attempts = attempts + 1'
const claim = statement('outbox.claim', {
  // With min(), SQLite gives the other columns of the row that has it.
  sqlite: `${claimUpdate} WHERE seq IN (
      SELECT seq FROM (SELECT min(seq) AS seq, attempts FROM outbox WHERE ${ready} GROUP BY target)
      ORDER BY attempts, seq LIMIT ?)
    AND claimed_until <= ? RETURNING ${columns}`,
  postgres: `${claimUpdate} WHERE seq = ANY (ARRAY(
      SELECT seq FROM outbox WHERE seq IN (
        SELECT seq FROM (
          SELECT DISTINCT ON (target) seq, attempts FROM outbox WHERE ${ready} ORDER BY target, seq
        ) AS oldest ORDER BY attempts, seq LIMIT ?)
      AND state = 'waiting' AND claimed_until <= ? FOR UPDATE SKIP LOCKED))
    RETURNING ${columns}`,
})
const take = statement(
  'outbox.take',
  `${claimUpdate} WHERE id = ? AND state = 'waiting' AND claimed_until <= ? RETURNING ${columns}`,
)
const remove = statement('outbox.remove', 'DELETE FROM outbox WHERE id = ? RETURNING id')
const fail = statement(
  'outbox.fail',
  `UPDATE outbox SET state = ?, due_at = coalesce(?, due_at), claimed_until = 0, last_error = ?
   WHERE id = ? AND attempts = ? AND claimed_until = ? RETURNING id`,
)
const shown = 'id, kind, target, state, created_at, due_at, attempts, last_error'
const list = statement(
  'outbox.list',
  `SELECT ${shown} FROM outbox
   WHERE ? = '' OR state = ? ORDER BY seq`,
)
const find = statement('outbox.find', `SELECT ${shown} FROM outbox WHERE id = ?`)
const page = statement(
  'outbox.page',
  `SELECT seq, ${shown} FROM outbox
   WHERE seq > ? AND (? = '' OR kind = ?) AND (? = '' OR state = ?) AND (? = '' OR target = ?)
   ORDER BY seq LIMIT ?`,
)
const tally = statement(
  'outbox.tally',
  `SELECT kind, state, count(*) AS messages, min(created_at) AS since FROM outbox
   GROUP BY kind, state ORDER BY kind, state`,
)
const revive = "UPDATE outbox SET state = 'waiting', attempts = 0, due_at = ?, claimed_until = 0"
const retry = statement(
  'outbox.retry',
  `${revive} WHERE id = ? AND claimed_until <= ? RETURNING id`,
)
const retryAll = statement(
  'outbox.retry-all',
  `${revive} WHERE attempts > 0 AND claimed_until <= ? RETURNING id`,
)
const dropDead = statement(
  'outbox.drop-dead',
  "DELETE FROM outbox WHERE state = 'dead' AND due_at < ? RETURNING id",
)
const counts = statement(
  'outbox.counts',
  'SELECT state, count(*) AS messages FROM outbox GROUP BY state',
)

export function openOutbox(statements: Statements, { key, queued }: OutboxPorts): Outbox {
  const some = async (...args: Parameters<Statements['run']>) =>
    (await statements.run(...args)).length > 0

  function open(row: Row): ClaimedMessage {
    const message = { ...read(row), claimedUntil: Number(row.claimed_until) }
    try {
      const payload = JSON.parse(unseal(key(), String(row.payload), contextOf(message.id)))
      return { ...message, payload }
    } catch {
      return message
    }
  }

  const valuesOf = (id: string, { kind, target, payload, createdAt, dueAt }: NewMessage) => {
    const sealed = seal(key(), JSON.stringify(payload), contextOf(id))
    return [id, kind, target, sealed, createdAt, dueAt ?? createdAt]
  }

  async function putRows(rows: Value[][]) {
    for (const { statement, part } of inParts(puts, rows)) {
      await statements.run(statement, part.flat())
    }
    if (rows.length > 0) queued()
  }

  return {
    async put(message) {
      const id = randomUUID()
      await putRows([valuesOf(id, message)])
      return id
    },
    putAll: (messages) => putRows(messages.map((message) => valuesOf(randomUUID(), message))),
    async claim(kind, { at, until, limit }) {
      const rows = await statements.run(claim, [until, kind, at, kind, at, limit, at])
      return rows.map(open)
    },
    async take(id, { at, until }) {
      const [row] = await statements.run(take, [until, id, at])
      return row && open(row)
    },
    async done(id) {
      await statements.run(remove, [id])
    },
    postpone: ({ id, attempts, claimedUntil }, dueAt, error) =>
      some(fail, ['waiting', dueAt, error.slice(0, 200), id, attempts, claimedUntil]),
    bury: ({ id, attempts, claimedUntil }, error) =>
      some(fail, ['dead', null, error.slice(0, 200), id, attempts, claimedUntil]),
    list: async (state) => (await statements.run(list, [state ?? '', state ?? ''])).map(read),
    retry: (id, at) => some(retry, [at, id, at]),
    retryAll: async (at) => (await statements.run(retryAll, [at, at])).length,
    drop: (id) => some(remove, [id]),
    dropDead: async (before) => (await statements.run(dropDead, [before])).length,
    async counts() {
      const found = { waiting: 0, dead: 0 }
      for (const { state, messages } of await statements.run(counts, [])) {
        found[state as OutboxRow['state']] = Number(messages)
      }
      return found
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && read(row)
    },
    async page({ kind = '', state = '', target = '' }, after, limit) {
      const filters = [kind, kind, state, state, target, target]
      const rows = await statements.run(page, [after, ...filters, limit])
      return rows.map((row) => ({ ...read(row), place: Number(row.seq) }))
    },
    async tally() {
      return (await statements.run(tally, [])).map(({ kind, state, messages, since }) => ({
        kind: kind as OutboxKind,
        state: state as OutboxRow['state'],
        messages: Number(messages),
        since: Number(since),
      }))
    },
  }
}

const contextOf = (id: string) => `outbox.payload.${id}`

const read = (row: Row): OutboxRow => ({
  id: String(row.id),
  kind: row.kind as OutboxKind,
  target: String(row.target),
  state: row.state as OutboxRow['state'],
  createdAt: Number(row.created_at),
  dueAt: Number(row.due_at),
  attempts: Number(row.attempts),
  ...(row.last_error === null ? {} : { lastError: String(row.last_error) }),
})
