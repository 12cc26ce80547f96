/** Reads the audit trail: is it whole, and what happened. */
import { type AuditReads, type AuditRow, auditHash, type Head } from '#store/audit.ts'

export type AuditPorts = { auditReads: AuditReads; key: Buffer }

/** What is wrong with the first bad event of a chain. */
export type Fault = {
  chain: string
  seq: number
  kind: FaultKind
  message: string
}

export type FaultKind =
  /** An event, or its whole chain, is not there although a later one or a kept head says it was. */
  | 'missing'
  /** The event that belongs here stands elsewhere in its chain. */
  | 'moved'
  /** Its words are not those that were written. */
  | 'changed'
  /** It was not written with the audit key, or no longer follows what stands before it. */
  | 'forged'
  /** The chain ends before an event that somebody saw. */
  | 'cut'

/** Words for each of their messages, for whoever reads no English. */
export const faultKeys: readonly string[] = [
  'missing-one',
  'missing',
  'moved',
  'changed',
  'forged',
  'gone',
  'cut',
  'other',
].map((one) => `admin.audit.check.fault.${one}`)

/** A chain's last event, as far as everything before it is whole. */
export type Heads = Record<string, [seq: number, hash: string]>

export type Verdict = { events: number; heads: Heads; faults: Fault[] }

/** Events of one chain that are read at a time. */
const part = 500

/** For who walks while others work. */
export type WalkHooks = {
  /** Told after each part how many events were found whole so far; it goes on when that answers. */
  walked?(events: number): Promise<void>
  signal?: AbortSignal
}

/**
 * Walks every chain and reports the first bad event of each. `anchor` holds heads that were kept elsewhere; beside
 * them, every chain's first event and each checkpoint hold the heads of the others.
 */
export async function verifyAudit(
  ports: AuditPorts,
  anchor: Heads = {},
  { walked = async () => {}, signal }: WalkHooks = {},
): Promise<Verdict> {
  const heads: Heads = {}
  const faults: Fault[] = []
  const seen = new Map<string, Sighting>()
  let events = 0
  for (const [chain, [seq, hash]] of Object.entries(anchor)) {
    see(seen, { chain, seq, hash, by: 'the anchor' })
  }

  /** From where it stopped the last time: somebody may be writing while we read. */
  async function goOn(chain: string) {
    signal?.throwIfAborted()
    const [seq, hash] = heads[chain] ?? [0, '']
    const { head, fault } = await walk(
      ports,
      { chain, seq, hash },
      (row) => {
        events++
        for (const one of headsIn(row)) see(seen, { ...one, by: `chain ${row.chain}` })
      },
      async () => {
        signal?.throwIfAborted()
        await walked(events)
      },
    )
    if (head.seq > 0) heads[chain] = [head.seq, head.hash]
    if (fault) faults.push(fault)
  }

  for (const chain of await ports.auditReads.chains()) await goOn(chain)
  const isBroken = (chain: string) => faults.some((fault) => fault.chain === chain)
  for (const sighting of seen.values()) {
    const { chain, seq } = sighting
    if (!isBroken(chain) && (heads[chain]?.[0] ?? 0) < seq) await goOn(chain)
    if (isBroken(chain)) continue
    const fault = await compare(ports, sighting, heads[chain])
    if (fault) faults.push(fault)
  }
  return { events, heads, faults }
}

type Sighting = Head & { by: string }

/** The furthest one counts: the chain leads to it through all the others. */
function see(seen: Map<string, Sighting>, sighting: Sighting) {
  const known = seen.get(sighting.chain)
  if (!known || known.seq < sighting.seq) seen.set(sighting.chain, sighting)
}

function headsIn({ action, details }: AuditRow): Head[] {
  if (action !== 'audit.begin' && action !== 'audit.checkpoint') return []
  const heads = (details.heads ?? {}) as Heads
  return Object.entries(heads).map(([chain, [seq, hash]]) => ({ chain, seq, hash }))
}

async function walk(
  { auditReads, key }: AuditPorts,
  from: Head,
  whole: (row: AuditRow) => void,
  rest: () => Promise<void>,
): Promise<{ head: Head; fault?: Fault }> {
  let head = from
  for (;;) {
    const rows = await auditReads.read(head.chain, head.seq, part)
    for (const row of rows) {
      if (row.seq !== head.seq + 1 || row.hash !== auditHash(key, head.hash, row)) {
        const after = await auditReads.read(row.chain, row.seq, part)
        return { head, fault: diagnose(key, head, row, after) }
      }
      whole(row)
      head = row
    }
    if (rows.length < part) return { head }
    await rest()
  }
}

function diagnose(key: Buffer, before: Head, row: AuditRow, after: AuditRow[]): Fault {
  const { chain } = row
  const seq = before.seq + 1
  if (row.seq !== seq) {
    const gone = row.seq === seq + 1 ? `event ${seq} is` : `events ${seq} to ${row.seq - 1} are`
    return { chain, seq, kind: 'missing', message: `${gone} missing` }
  }
  const belongs = after.find((one) => one.hash === auditHash(key, before.hash, { ...one, seq }))
  if (belongs) {
    const message = `the event that belongs at ${seq} stands at ${belongs.seq}`
    return { chain, seq, kind: 'moved', message }
  }
  const [next] = after
  if (next?.seq === seq + 1 && next.hash === auditHash(key, row.hash, next)) {
    // Whoever changed it could not make its hash anew: the next event still follows the old one.
    return { chain, seq, kind: 'changed', message: `event ${seq} was changed` }
  }
  const message = `event ${seq} is not what was written: it was changed, or made without the audit key`
  return { chain, seq, kind: 'forged', message }
}

async function compare(
  { auditReads }: AuditPorts,
  { chain, seq, hash, by }: Sighting,
  end: Heads[string] | undefined,
): Promise<Fault | undefined> {
  if (!end) {
    return { chain, seq: 1, kind: 'missing', message: `is gone; ${by} saw its event ${seq}` }
  }
  const [last] = end
  if (last < seq) {
    const message = `ends at event ${last}, but ${by} saw its event ${seq}: its end was cut off`
    return { chain, seq: last + 1, kind: 'cut', message }
  }
  const [row] = await auditReads.read(chain, seq - 1, 1)
  if (row?.seq === seq && row.hash === hash) return undefined
  return { chain, seq, kind: 'forged', message: `event ${seq} is not the one ${by} saw` }
}
