/** The outbox at the console: what waits to reach the outside, and what was given up. */
import {
  countMessages,
  dropOne,
  listMessages,
  type MessageShape,
  messageKinds,
  messageStates,
  readMessage,
  retryAll,
  retryOne,
} from '#admin/operations/outbox.ts'
import { reasonKeys } from '#lib/delivery.ts'
import { openReadBack } from '#lib/read-back.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { oneOf, readQuery } from '../../input.ts'
import { namesOfApps } from '../account/app-names.ts'
import { shownOf, withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'
import type { Shown } from './operations-views.ts'

const list = '/admin/outbox'
const read = { permission: 'outbox.read' } as const
const write = { permission: 'outbox.write' } as const
const grave = { ...write, dangerous: true } as const

const pathOf = ({ id = '' }: Record<string, string>) => `${list}/${encodeURIComponent(id)}`

/** Enough of it to be typed. */
const namedBy = (id: string) => id.slice(0, 8)

export function outboxRoutes({ show, act, page, done }: Console, house: House): void {
  const readBack = openReadBack(house.messages, reasonKeys)
  const whyOf = ({ lastError }: MessageShape) =>
    lastError === undefined ? undefined : readBack(lastError)

  show(list, read, async (ctx, staff) => {
    const query = readQuery(ctx)
    const asked = {
      kind: oneOf(messageKinds, query.kind),
      state: oneOf(messageStates, query.state),
      to: query.to?.trim() || undefined,
    }
    const { cursor } = query
    const [found, counted] = await Promise.all([
      staff.perform(listMessages, { ...asked, ...(cursor ? { cursor } : {}) }),
      staff.perform(countMessages, {}),
    ])
    const { items, next } = valueIn(found, list)
    const nameOf = await namesOf(house, ctx, items)
    page(ctx, staff, 'admin-outbox', {
      asked,
      counts: byKind(valueIn(counted, list).items),
      messages: items.map((one) => ({
        ...one,
        href: pathOf({ id: one.id }),
        shown: receiverOf(one, staff, nameOf),
        why: whyOf(one),
      })),
      mayWrite: staff.may('outbox.write'),
      first: cursor ? withQuery(list, asked) : undefined,
      next: next && withQuery(list, { ...asked, cursor: next }),
    })
  })

  async function showOne(
    ctx: Context,
    staff: Staff,
    problems: { field: string; problem: string }[] = [],
  ) {
    const { id = '' } = ctx.params
    const message = valueIn(await staff.perform(readMessage, { id }), list)
    const nameOf = await namesOf(house, ctx, [message])
    const locals = {
      message,
      shown: receiverOf(message, staff, nameOf),
      why: whyOf(message),
      named: namedBy(message.id),
      mayWrite: staff.may('outbox.write'),
    }
    page(ctx, staff, 'admin-message', locals, { problems })
  }

  act(`${list}/retry`, { ...write, page: () => list }, async (ctx, staff) => {
    const tried = valueIn(await staff.perform(retryAll, {}), list)
    done(ctx, list, tried.messages > 0 ? 'messages-retried' : 'messages-none')
  })

  show(`${list}/:id`, read, (ctx, staff) => showOne(ctx, staff))

  act(`${list}/:id/retry`, { ...write, page: pathOf }, async (ctx, staff) => {
    const { id = '' } = ctx.params
    valueIn(await staff.perform(retryOne, { id }), list)
    // Where it went: it may be delivered before the page is asked for.
    done(ctx, list, 'message-retried')
  })

  act(`${list}/:id/drop`, { ...grave, page: pathOf }, async (ctx, staff, { confirm = '' }) => {
    const { id = '' } = ctx.params
    if (confirm.trim() !== namedBy(id)) {
      return showOne(ctx, staff, [{ field: 'drop-confirm', problem: 'admin.problem.confirm' }])
    }
    valueIn(await staff.perform(dropOne, { id }), list)
    done(ctx, list, 'message-dropped')
  })
}

type NameOf = (clientId: string) => string

const namesOf = (house: House, ctx: Context, messages: readonly MessageShape[]): Promise<NameOf> =>
  namesOfApps(
    house,
    ctx.state.language,
    messages.filter(({ kind }) => kind === 'backchannel-logout').map(({ to }) => to),
  )

/** Logout tokens go to apps: theirs is an id with a page. */
const receiverOf = ({ kind, to }: MessageShape, staff: Staff, nameOf: NameOf): Shown =>
  kind === 'backchannel-logout'
    ? shownOf({ id: to, what: 'client', key: to, name: nameOf(to) }, staff.may)
    : { id: to }

function byKind(
  counts: { kind: string; state: 'waiting' | 'dead'; messages: number; since: string }[],
) {
  return messageKinds.map((kind) => {
    const of = counts.filter((one) => one.kind === kind)
    const count = (state: string) => of.find((one) => one.state === state)?.messages ?? 0
    const waiting = of.find(({ state }) => state === 'waiting')
    return {
      kind,
      waiting: count('waiting'),
      dead: count('dead'),
      since: waiting && new Date(waiting.since),
    }
  })
}
