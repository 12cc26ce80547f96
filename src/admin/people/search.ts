/** Staff look for people: what was typed, held against everything a person is known by. */

import { z } from 'zod'
import { normalName, signInName } from '#accounts/local.ts'
import { keyText } from '#accounts/people-keys.ts'
import { deriveKey, seal, unseal } from '#lib/crypto.ts'
import { isoTime } from '#lib/time.ts'
import {
  accountStatuses,
  type PeopleFilter,
  type PeopleOrder,
  type PeoplePlace,
  peopleOrders,
} from '#store/store.ts'
import { type Acting, done, type Outcome, rejected } from '../operation.ts'
import { paged, pageOf, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { time } from '../times.ts'
import { giveBackLookUp, type LookUpPorts, noteLookUp, personalIn, spendLookUp } from './look-up.ts'
import { withinOf } from './reach.ts'

export { peopleOrders }

const word = z.string().regex(/^[\w:.-]{1,64}$/)

export const searchInput = z.strictObject({
  /** A name, an account, an address, an upstream's subject, or how one of the first three begins. */
  q: z.string().max(300).optional(),
  school: word.optional(),
  county: word.optional(),
  status: z.enum(accountStatuses).optional(),
  kind: word.optional(),
  sort: z.enum(peopleOrders).optional(),
  ...paged,
})

export const searchOutput = pageOf(
  z.object({
    sub: z.string(),
    name: z.string(),
    /** What she signs in with. */
    accounts: z.array(z.string()),
    kind: z.string(),
    status: z.enum(accountStatuses),
    /** Ids of the upstreams she comes from. */
    counties: z.array(z.string()),
    schools: z.array(z.object({ code: z.string(), name: z.string().optional() })),
    createdAt: time,
    updatedAt: time,
  }),
)

type Search = z.output<typeof searchInput>
type FoundPeople = z.input<typeof searchOutput>

/** A text in a cursor: without control characters, which PostgreSQL may not take. */
const text = z
  .string()
  .max(300)
  .regex(/^\P{Cc}*$/u)
const places = {
  match: z.tuple([text, text, text]),
  moment: z.tuple([
    z
      .int()
      .min(0)
      .max(2 ** 40),
    text,
  ]),
}

/** A page of people within her reach; `rejected` for an order that needs `q`, or a cursor another search gave; `wait` after many look-ups. */
export async function searchPeople(
  ports: LookUpPorts & Pick<AdminPorts, 'config'>,
  by: Acting,
  input: Search,
): Promise<Outcome<FoundPeople>> {
  const { store, config, keys } = ports
  const { peopleSearch } = store
  const typed = keyText(input.q ?? '')
  const order: PeopleOrder = input.sort ?? (typed ? 'match' : 'updated')
  if (order === 'match' && !typed) {
    return rejected('sort', 'match needs q: sort by updated or created', 'people-sort')
  }
  const key = deriveKey(keys.data, 'places in a search for people')
  const after = readPlace(key, input.cursor, order)
  if (after === 'unreadable') return strangeCursor
  const filter = filterOf(by, input)
  // A further page says nothing more about whom it is.
  const personal = after ? undefined : personalIn(input.q ?? '')
  const seconds = personal === undefined ? 0 : await spendLookUp(ports, by)
  if (seconds > 0) return { kind: 'wait', why: 'people-look-ups', seconds }
  const known = typed
    ? await peopleSearch.exactly(
        { ...exactly(input.q ?? '', config.site.local_accounts.domain), personal },
        filter,
      )
    : []
  const exact = known.map(({ id }) => id)
  const begins = typed ? { begins: typed } : {}
  const { ids, next } = await peopleSearch.page({ ...filter, ...begins }, order, {
    after,
    limit: input.limit,
    except: exact,
  })
  if (personal !== undefined) {
    const hidden = known.filter((one) => one.hidden).map(({ id }) => id)
    const wasOpen = hidden.length === 0 && exact.length + ids.length > 0
    if (wasOpen) await giveBackLookUp(ports, by)
    else await noteLookUp(ports, by, personal, hidden)
  }
  const rows = await peopleSearch.describe(after ? ids : [...exact, ...ids], filter.within)
  const items = rows.map(({ id, names, connectors, createdAt, updatedAt, ...row }) => ({
    sub: id,
    accounts: names,
    counties: connectors,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    ...row,
  }))
  return done({ items, ...(next ? { next: writePlace(key, order, next) } : {}) })
}

/** A county she does not reach has nobody for her. */
function filterOf(by: Acting, { county, school, status, kind }: Search): PeopleFilter {
  const reached = withinOf(by)
  const within =
    county === undefined ? reached : (reached ?? [county]).filter((one) => one === county)
  return {
    ...(within ? { within } : {}),
    ...(school === undefined ? {} : { school }),
    ...(status === undefined ? {} : { status }),
    ...(kind === undefined ? {} : { kind }),
  }
}

/** What somebody may be known by word for word. A subject is compared letter by letter, as upstreams give it. */
function exactly(typed: string, domain: string | undefined) {
  const plain = (one: string) => one.toWellFormed().replace(/\p{Cc}/gu, '')
  const subject = plain(typed).trim()
  const names = [...new Set([normalName(subject), signInName(subject, domain)])]
  return { subject, names }
}

const placeValues = (place: PeoplePlace) => ('match' in place ? place.match : place.moment)

/** A place of one order is none of another. */
const contextOf = (order: PeopleOrder) => `people.list.cursor.${order}`

/** Sealed: it names a person who may be beyond her reach, and cursors stand in addresses, which are logged. */
const writePlace = (key: Buffer, order: PeopleOrder, place: PeoplePlace) =>
  seal(key, JSON.stringify(placeValues(place)), contextOf(order))

function readPlace(key: Buffer, cursor: string | undefined, order: PeopleOrder) {
  if (cursor === undefined) return undefined
  const values = opened(key, cursor, order)
  if (order === 'match') {
    const match = places.match.safeParse(values)
    return match.success ? { match: match.data } : 'unreadable'
  }
  const moment = places.moment.safeParse(values)
  return moment.success ? { moment: moment.data } : 'unreadable'
}

function opened(key: Buffer, cursor: string, order: PeopleOrder): unknown {
  try {
    return JSON.parse(unseal(key, cursor, contextOf(order)))
  } catch {
    return undefined
  }
}
