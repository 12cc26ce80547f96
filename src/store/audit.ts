/**
 * The audit trail. Each process writes a chain of its own, so that no two wait for each other: every event's hash
 * covers the one before it, and a chain's first event holds the heads of the others as it found them. A missing,
 * changed or moved event breaks its chain; a chain cut at its end no longer has the head another one saw.
 */
import { hmac, randomToken } from '#lib/crypto.ts'
import {
  inParts,
  type LentStatements,
  places,
  type Row,
  type Statements,
  sizedStatements,
  statement,
} from './statements.ts'

export type AuditEvent = {
  /** Seconds since 1970. */
  at: number
  /** An account's id, `client:<id>`, `operator:<name>`, `system`, or `unknown`. */
  actor: string
  /** `session.sign-in`, `client.create`, `key.rotate` … */
  action: string
  /** What it was done to: an account's id, `client:<id>`, `key:<kid>` … */
  target?: string
  outcome: string
  /** Where the request came from. */
  address?: string
  /** The request's reference. */
  ref?: string
  /** Never a secret, a code, a token or a personal number. */
  details?: Record<string, unknown>
}

/** What is known of a request that led to an event. */
export type Circumstances = Pick<AuditEvent, 'address' | 'ref'>

export type AuditRow = Required<AuditEvent> & { chain: string; seq: number; hash: string }

export type Head = { chain: string; seq: number; hash: string }

/** The hash of an event under the audit key: who can write the table but has no key can forge no chain. */
export function auditHash(key: Buffer, before: string, row: Omit<AuditRow, 'hash'>): string {
  const { chain, seq, at, actor, action, target, outcome, address, ref, details } = row
  const fields = [before, chain, seq, at, actor, action, target, outcome, address, ref]
  return hmac(key, JSON.stringify([...fields, JSON.stringify(details)]))
}

export type Audit = {
  /** Writes the event; in a transaction with all else it does, at its end. */
  record(event: AuditEvent): Promise<void>
}

/** Where in the order of a list an event stands. */
export type AuditPlace = Pick<AuditRow, 'at' | 'chain' | 'seq'>

export type AuditReads = {
  /** Newest first. */
  list(filter: {
    limit: number
    actor?: string
    action?: string
    target?: string
    since?: number
    until?: number
  }): Promise<AuditRow[]>
  /** A person's sign-ins, newest first; those after `after` in that order, if given. */
  signIns(actor: string, after: AuditPlace | undefined, limit: number): Promise<AuditRow[]>
  chains(): Promise<string[]>
  /** One chain in order, a part at a time. */
  read(chain: string, after: number, limit: number): Promise<AuditRow[]>
  /** The last event of each chain that was written to since. */
  heads(since: number): Promise<Head[]>
}

const columns = ['chain', 'seq', 'at', 'actor', 'action', 'target', 'outcome', 'address', 'ref']
export const auditColumns = [...columns, 'details', 'hash']
const inserts = sizedStatements(
  'audit.insert',
  8,
  (rows) =>
    `INSERT INTO audit_event (${auditColumns.join(', ')}) VALUES ${places(auditColumns.length, rows)}`,
)

export async function insertAudit(statements: Statements, rows: AuditRow[]): Promise<void> {
  for (const { statement: insert, part } of inParts(inserts, rows)) {
    const values = part.flatMap((row) => [
      row.chain,
      row.seq,
      row.at,
      row.actor,
      row.action,
      row.target,
      row.outcome,
      row.address,
      row.ref,
      JSON.stringify(row.details),
      row.hash,
    ])
    await statements.run(insert, values)
  }
}

export type Held = {
  /** Makes the chain's next rows, on the holder's own connection. */
  append(statements: Statements, events: AuditEvent[]): Promise<AuditRow[]>
  /** Says what became of them. Where nobody knows, the process goes on with a new chain. */
  release(kept: boolean): void
}

export type Pen = {
  /**
   * Lends the pen to one caller at a time: the next waits until this one's rows are kept. Whoever takes it has his
   * connection already: were he to wait for one while those who have one wait for the pen, nobody would go on.
   */
  take(): Promise<Held>
}

/** How many other chains a chain's first event names. */
const mostHeads = 50

/** This process's place in the trail. */
export function openPen(key: Buffer): Pen {
  let head: Head | undefined
  let last = Promise.resolve()

  function appendOne(event: AuditEvent): AuditRow {
    if (!head) throw new Error('the chain has not begun')
    const seq = head.seq + 1
    const row = {
      chain: head.chain,
      seq,
      at: event.at,
      actor: event.actor,
      action: event.action,
      target: event.target ?? '',
      outcome: event.outcome,
      address: event.address ?? '',
      ref: event.ref ?? '',
      details: event.details ?? {},
    }
    const hash = auditHash(key, head.hash, row)
    head = { chain: row.chain, seq, hash }
    return { ...row, hash }
  }

  async function begin(statements: Statements, at: number): Promise<AuditRow> {
    const others = await openAuditReads(statements).heads(at - 48 * 60 * 60)
    head = { chain: randomToken().slice(0, 22), seq: 0, hash: '' }
    // Every command at the command line is a chain: the checkpoints name them all.
    const heard = Object.fromEntries(
      others.slice(0, mostHeads).map(({ chain, seq, hash }) => [chain, [seq, hash]]),
    )
    const details = { heads: heard }
    return appendOne({ at, actor: 'system', action: 'audit.begin', outcome: 'ok', details })
  }

  return {
    async take() {
      const before = last
      let done = () => {}
      last = new Promise((resolve) => {
        done = resolve
      })
      await before
      let appended = false
      return {
        async append(statements, events) {
          const [first] = events
          if (!first) return []
          appended = true
          const rows = head ? [] : [await begin(statements, first.at)]
          return [...rows, ...events.map(appendOne)]
        },
        release(kept) {
          if (appended && !kept) head = undefined
          done()
        },
      }
    },
  }
}

/** Events of several requests at once share one statement: while one is being kept, the others gather. */
export function openAuditQueue(pen: Pen, { lend }: LentStatements): Audit {
  let gathered: { event: AuditEvent; done: () => void; fail: (error: unknown) => void }[] = []
  let writing = false

  async function drain() {
    writing = true
    while (gathered.length > 0) {
      const batch = gathered
      gathered = []
      try {
        await lend(async (statements) => {
          const { append, release } = await pen.take()
          let kept = false
          try {
            const events = batch.map(({ event }) => event)
            await insertAudit(statements, await append(statements, events))
            kept = true
          } finally {
            release(kept)
          }
        })
        for (const { done } of batch) done()
      } catch (error) {
        for (const { fail } of batch) fail(error)
      }
    }
    writing = false
  }

  return {
    record: (event) =>
      new Promise((done, fail) => {
        gathered.push({ event, done, fail })
        if (!writing) void drain()
      }),
  }
}

const heads = statement(
  'audit.heads',
  `SELECT e.chain, e.seq, e.hash FROM audit_event e
   JOIN (SELECT chain, max(seq) AS seq FROM audit_event WHERE at >= ? GROUP BY chain) last
     ON last.chain = e.chain AND last.seq = e.seq
   ORDER BY e.at DESC`,
)
/** `known`: every chain, found from one to the next along the index, since the trail itself may be of years. */
export const knownChains = `WITH RECURSIVE known (chain) AS (
       SELECT min(chain) FROM audit_event
       UNION ALL
       SELECT (SELECT min(e.chain) FROM audit_event e WHERE e.chain > known.chain) FROM known
       WHERE known.chain IS NOT NULL
     )`

const chains = statement(
  'audit.chains',
  `SELECT chain FROM (
     ${knownChains}
     SELECT known.chain AS chain,
       (SELECT e.at FROM audit_event e WHERE e.chain = known.chain ORDER BY e.seq LIMIT 1) AS at
     FROM known WHERE known.chain IS NOT NULL
   ) AS chains ORDER BY at, chain`,
)
const part = statement(
  'audit.read',
  `SELECT ${auditColumns.join(', ')} FROM audit_event WHERE chain = ? AND seq > ? ORDER BY seq LIMIT ?`,
)
const list = statement(
  'audit.list',
  `SELECT ${auditColumns.join(', ')} FROM audit_event
   WHERE (? = '' OR actor = ?) AND (? = '' OR action = ?) AND (? = '' OR target = ?) AND at BETWEEN ? AND ?
   ORDER BY at DESC, chain, seq DESC LIMIT ?`,
)

// The action stands in the text: a partial index is found by what a statement says, not by what it is given.
const signIns = statement(
  'audit.sign-ins',
  `SELECT ${auditColumns.join(', ')} FROM audit_event
   WHERE action = 'session.sign-in' AND actor = ? AND at <= ?
     AND (at < ? OR chain > ? OR (chain = ? AND seq < ?))
   ORDER BY at DESC, chain, seq DESC LIMIT ?`,
)

export function openAuditReads(statements: Statements): AuditReads {
  return {
    async heads(since) {
      return (await statements.run(heads, [since])).map(readHead)
    },
    async chains() {
      return (await statements.run(chains, [])).map((row) => String(row.chain))
    },
    async read(chain, after, limit) {
      return (await statements.run(part, [chain, after, limit])).map(readAuditRow)
    },
    async signIns(actor, after, limit) {
      const { at, chain, seq } = after ?? { at: 2 ** 40, chain: '', seq: 0 }
      return (await statements.run(signIns, [actor, at, at, chain, chain, seq, limit])).map(
        readAuditRow,
      )
    },
    async list({ limit, actor = '', action = '', target = '', since = 0, until = 2 ** 40 }) {
      const filters = [actor, actor, action, action, target, target]
      return (await statements.run(list, [...filters, since, until, limit])).map(readAuditRow)
    },
  }
}

const readHead = (row: Row): Head => ({
  chain: String(row.chain),
  seq: Number(row.seq),
  hash: String(row.hash),
})

export const readAuditRow = (row: Row): AuditRow => ({
  ...readHead(row),
  at: Number(row.at),
  actor: String(row.actor),
  action: String(row.action),
  target: String(row.target),
  outcome: String(row.outcome),
  address: String(row.address),
  ref: String(row.ref),
  details: readDetails(String(row.details)),
})

/** What somebody made unreadable is shown as it is: its hash no longer fits, and the reader must get that far. */
function readDetails(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text)
  } catch {
    return { unreadable: text }
  }
}
