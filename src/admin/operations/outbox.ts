/** What staff can do about messages that wait to reach the outside: never what they say, nor to whom a mail goes. */
import { z } from 'zod'
import { maskHost } from '#lib/mask.ts'
import { isoTime } from '#lib/time.ts'
import type { OutboxRow } from '#store/store.ts'
import { type Acting, done, nothing, type Operation, operation, unknown } from '../operation.ts'
import { dropMessage, retryMessage, retryMessages } from '../outbox.ts'
import { cutPage, paged, pageOf, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { time } from '../times.ts'

export const messageKinds = ['backchannel-logout', 'mail', 'request', 'provisioning'] as const
export const messageStates = ['waiting', 'dead'] as const

const message = z.object({
  id: z.string(),
  kind: z.enum(messageKinds),
  state: z.enum(messageStates),
  /** An app’s id, a receiver’s, or a mail server’s name with most of it left out. */
  to: z.string(),
  createdAt: time,
  /** When it is tried next; of one given up, when it was tried last. */
  dueAt: time,
  attempts: z.int(),
  lastError: z.string().optional(),
})
export type MessageShape = z.infer<typeof message>

const id = z.string().max(64)

export const listMessages = operation({
  id: 'outbox.list',
  summary: 'Lists messages that wait or were given up, oldest first.',
  permission: 'outbox.read',
  method: 'GET',
  path: '/messages',
  input: z.strictObject({
    kind: z.enum(messageKinds).optional(),
    state: z.enum(messageStates).optional(),
    /** An app’s or a receiver’s id. */
    to: z.string().max(255).optional(),
    ...paged,
  }),
  output: pageOf(message),
  async run({ store }, _by, { kind, state, to, cursor, limit }) {
    const place = cursor === undefined ? [0] : readCursor(cursor, z.tuple([z.int()]))
    if (!place) return strangeCursor
    const filter = {
      ...(kind ? { kind } : {}),
      ...(state ? { state } : {}),
      ...(to ? { target: to } : {}),
    }
    const rows = await store.outbox.page(filter, place[0] ?? 0, limit + 1)
    const page = cutPage(rows, limit, (row) => [row.place])
    return done({ ...page, items: page.items.map(shapeOf) })
  },
})

export const countMessages = operation({
  id: 'outbox.count',
  summary: 'Counts messages by kind and state.',
  permission: 'outbox.read',
  method: 'GET',
  path: '/messages/counts',
  input: z.strictObject({}),
  output: z.object({
    items: z.array(
      z.object({
        kind: z.enum(messageKinds),
        state: z.enum(messageStates),
        messages: z.int(),
        /** Since when the oldest of them is there. */
        since: time,
      }),
    ),
  }),
  async run({ store }) {
    const counts = await store.outbox.tally()
    return done({ items: counts.map((one) => ({ ...one, since: isoTime(one.since) })) })
  },
})

export const readMessage = operation({
  id: 'outbox.get',
  summary: 'Reads one message: where it stands, never what it says.',
  permission: 'outbox.read',
  method: 'GET',
  path: '/messages/{id}',
  input: z.strictObject({ id }),
  output: message,
  async run({ store }, _by, input) {
    const found = await store.outbox.find(input.id)
    return found ? done(shapeOf(found)) : unknown
  },
})

export const retryOne = operation({
  id: 'outbox.retry',
  summary: 'Makes one message due at once, and gives it all its tries again.',
  permission: 'outbox.write',
  method: 'POST',
  path: '/messages/{id}/retry',
  input: z.strictObject({ id }),
  output: nothing,
  async run(ports, by, input) {
    const found = await ports.store.outbox.find(input.id)
    if (!found) return unknown
    if (!(await retryMessage(portsOf(ports, by), input.id))) {
      return { kind: 'conflict', why: 'it is being delivered just now, or was delivered' }
    }
    ports.background.deliver()
    return done({})
  },
})

export const retryAll = operation({
  id: 'outbox.retryAll',
  summary: 'Makes every message that failed due at once.',
  permission: 'outbox.write',
  method: 'POST',
  path: '/messages/retry',
  input: z.strictObject({}),
  output: z.object({ messages: z.int() }),
  async run(ports, by) {
    const messages = await retryMessages(portsOf(ports, by))
    ports.background.deliver()
    return done({ messages })
  },
})

export const dropOne = operation({
  id: 'outbox.drop',
  summary: 'Removes one message: it is never delivered.',
  permission: 'outbox.write',
  dangerous: true,
  method: 'DELETE',
  path: '/messages/{id}',
  input: z.strictObject({ id }),
  output: nothing,
  async run(ports, by, input) {
    return (await dropMessage(portsOf(ports, by), input.id)) ? done({}) : unknown
  },
})

export const outboxOperations: readonly Operation[] = [
  listMessages,
  countMessages,
  readMessage,
  retryOne,
  retryAll,
  dropOne,
]

const portsOf = ({ store }: AdminPorts, { at, actor, where }: Acting) => ({
  store,
  at,
  actor,
  where,
})

const shapeOf = (row: OutboxRow): MessageShape => ({
  id: row.id,
  kind: row.kind,
  state: row.state,
  to: row.kind === 'mail' ? maskHost(row.target) : row.target,
  createdAt: isoTime(row.createdAt),
  dueAt: isoTime(row.dueAt),
  attempts: row.attempts,
  // Ours are words of our own; should anybody's answer ever come through, it names nobody.
  ...(row.lastError === undefined
    ? {}
    : { lastError: row.lastError.replaceAll(/\S+@\S+/g, '•••') }),
})
