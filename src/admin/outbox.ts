/** What staff do with messages that wait to reach the outside. What they say stays sealed. */
import type { AuditEvent, Circumstances, Store } from '#store/store.ts'

export type OutboxPorts = {
  store: Pick<Store, 'transaction'>
  /** Seconds since 1970. */
  at: number
  /** Who the audit trail says did it, and from where. */
  actor: string
  where?: Circumstances
}

/** Due at once, all its tries before it. False if there is none, or it is being delivered just now. */
export const retryMessage = (ports: OutboxPorts, id: string): Promise<boolean> =>
  ports.store.transaction(async ({ outbox, audit }) => {
    const found = await outbox.retry(id, ports.at)
    if (found) await audit.record(acted(ports, 'outbox.retry', `message:${id}`))
    return found
  })

/** The same for all that have failed. How many. */
export const retryMessages = (ports: OutboxPorts): Promise<number> =>
  ports.store.transaction(async ({ outbox, audit }) => {
    const messages = await outbox.retryAll(ports.at)
    if (messages > 0) {
      await audit.record({ ...acted(ports, 'outbox.retry', 'outbox'), details: { messages } })
    }
    return messages
  })

/** Nobody will hear of it. False if there is none. */
export const dropMessage = (ports: OutboxPorts, id: string): Promise<boolean> =>
  ports.store.transaction(async ({ outbox, audit }) => {
    const found = await outbox.find(id)
    if (!(found && (await outbox.drop(id)))) return false
    const { kind, target, state, attempts } = found
    // To whom it was: an app or a receiver. A mail's domain may be one person's alone.
    const details = { kind, state, attempts, ...(kind === 'mail' ? {} : { to: target }) }
    await audit.record({ ...acted(ports, 'outbox.drop', `message:${id}`), details })
    return true
  })

const acted = ({ at, actor, where }: OutboxPorts, action: string, target: string): AuditEvent => ({
  at,
  actor,
  action,
  target,
  outcome: 'ok',
  ...where,
})
