/**
 * One request's dealings with the payload table. What is asked for in one breath is read in one statement, with what
 * it stands on; what is saved leaves in one statement, before the answer does. Whatever decides a race (`consume`,
 * `claim`, `replace`, `bury`) goes to the database at once, after the saves before it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Found, PayloadRow, Payloads, StoredPayload } from '#store/payloads.ts'
import type { AccountRow, Store } from '#store/store.ts'

/** From where a request comes. */
export type From = { agent: string; address: string }

type Unit = {
  from: From | undefined
  /** Saved and not yet written, by row id. */
  unwritten: Map<string, PayloadRow>
  /** Read along with something else, given out once: who gets a payload may change it. */
  company: Map<string, StoredPayload>
  sessions: Map<string, StoredPayload>
  accounts: Map<string, AccountRow>
  /** Asked for in this turn of the loop, and what will answer. */
  asked: Set<string>
  answer?: Promise<Map<string, Found>>
}

const units = new AsyncLocalStorage<Unit>()

export type UnitPayloads = Pick<
  Payloads,
  'findByUid' | 'claim' | 'consume' | 'replace' | 'bury' | 'destroy' | 'destroyGrant'
> & {
  save(row: PayloadRow): Promise<void>
  find(id: string): Promise<StoredPayload | undefined>
  findByUserCode(userCode: string): Promise<StoredPayload | undefined>
}

/** Runs a request as one unit. What it saved is written when `work` resolves, or rejects with its own error. */
export async function inUnit<T>(
  payloads: Payloads,
  work: () => Promise<T>,
  from?: From,
): Promise<T> {
  const unit: Unit = {
    from,
    unwritten: new Map(),
    company: new Map(),
    sessions: new Map(),
    accounts: new Map(),
    asked: new Set(),
  }
  return units.run(unit, async () => {
    try {
      return await work()
    } finally {
      await write(payloads, unit)
    }
  })
}

export const fromInHand = (): From | undefined => units.getStore()?.from

/** The account, if this request read it already; else from the table. */
export async function findAccount(
  store: Pick<Store, 'accounts'>,
  id: string,
): Promise<AccountRow | undefined> {
  return units.getStore()?.accounts.get(id) ?? (await store.accounts.find(id))
}

async function write(payloads: Payloads, unit: Unit) {
  if (unit.unwritten.size === 0) return
  const rows = [...unit.unwritten.values()]
  unit.unwritten.clear()
  await payloads.save(rows)
}

/** The table as a request sees it; outside of one, the table as it is. */
export function openUnitPayloads(payloads: Payloads): UnitPayloads {
  /** What goes to the database at once: what was read of the row before no longer holds. */
  const atOnce = async <T>(id: string, verb: () => Promise<T>) => {
    const unit = units.getStore()
    if (unit) {
      await write(payloads, unit)
      unit.company.delete(id)
    }
    return verb()
  }

  return {
    async save(row) {
      const unit = units.getStore()
      if (!unit) return payloads.save([row])
      unit.company.delete(row.id)
      unit.unwritten.set(row.id, row)
    },
    async find(id) {
      const unit = units.getStore()
      if (!unit) return (await payloads.find([id]))[0]
      const unwritten = unit.unwritten.get(id)
      if (unwritten) return { id, payload: structuredClone(unwritten.payload) }
      return take(unit.company, id) ?? ask(payloads, unit, id)
    },
    async findByUid(uid) {
      const unit = units.getStore()
      if (!unit) return payloads.findByUid(uid)
      await write(payloads, unit)
      return take(unit.sessions, uid) ?? payloads.findByUid(uid)
    },
    findByUserCode: (userCode) => payloads.findByUserCode(userCode),
    replace: (row) => atOnce(row.id, () => payloads.replace(row)),
    claim: (row) => atOnce(row.id, () => payloads.claim(row)),
    consume: (id, at) => atOnce(id, () => payloads.consume(id, at)),
    bury: (id, at) => atOnce(id, () => payloads.bury(id, at)),
    destroy: (id) => atOnce(id, () => payloads.destroy(id)),
    async destroyGrant(grantId, model) {
      const unit = units.getStore()
      if (unit) {
        await write(payloads, unit)
        unit.company.clear()
      }
      await payloads.destroyGrant(grantId, model)
    },
  }
}

function take<T>(map: Map<string, T>, key: string): T | undefined {
  const found = map.get(key)
  map.delete(key)
  return found
}

/** Gathers until the current turn is over: an introspection asks for three kinds of token at once. */
async function ask(payloads: Payloads, unit: Unit, id: string): Promise<StoredPayload | undefined> {
  unit.asked.add(id)
  unit.answer ??= Promise.resolve().then(() => read(payloads, unit))
  return (await unit.answer).get(id)
}

async function read(payloads: Payloads, unit: Unit): Promise<Map<string, Found>> {
  const ids = [...unit.asked]
  unit.asked.clear()
  unit.answer = undefined
  const rows = await payloads.find(ids)
  for (const { grant, session, account } of rows) {
    if (grant) unit.company.set(grant.id, grant)
    if (session) unit.sessions.set(String(session.payload.uid), session)
    if (account) unit.accounts.set(account.id, account)
  }
  return new Map(rows.map((row) => [row.id, row]))
}
