/** One person's page, and what can be done to her account from there. */
import { keyText } from '#accounts/people-keys.ts'
import type { Operation } from '#admin/operation.ts'
import {
  acceptIdentity,
  changePerson,
  close,
  endPersonSessions,
  getPerson,
  listPersonSignIns,
  merge,
  reactivate,
  sendReset,
  suspend,
  undoMerge,
  unlinkIdentity,
  unlock,
  unmaskPerson,
} from '#admin/operations/people.ts'
import { changeable } from '#admin/people/change.ts'
import type { StaffPage } from '../../admin-views.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, readQuery } from '../../input.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { problemOf, valueAt, valueIn } from './console-problems.ts'
import type { PeopleViews, Typed } from './people-views.ts'
import { openPersonShapes, type Person } from './person-shapes.ts'

const list = '/admin/people'
const path = `${list}/:sub`
const pathOf = (sub: string) => `${list}/${encodeURIComponent(sub)}`

type More = {
  typed?: Typed
  problems?: StaffPage['problems']
  revealed?: PeopleViews['admin-person']['revealed']
}

/** What stands in a form of the page: how its path goes on, and what it sends to its operation. */
type Act = {
  operation: Operation
  /** The name is typed. */
  confirmed?: boolean
  /** Of a path's end: `identities/:identity/unlink`. */
  of?: 'identity' | 'merge'
  fields?: readonly string[]
}

const acts: Record<string, Act> = {
  suspend: { operation: suspend, confirmed: true, fields: ['reason'] },
  reactivate: { operation: reactivate, fields: ['reason'] },
  close: { operation: close, confirmed: true, fields: ['reason'] },
  unlock: { operation: unlock },
  'end-sessions': { operation: endPersonSessions, fields: ['session'] },
  'send-reset': { operation: sendReset },
  merge: { operation: merge, confirmed: true, fields: ['other', 'reason'] },
  unlink: { operation: unlinkIdentity, confirmed: true, of: 'identity' },
  accept: { operation: acceptIdentity, of: 'identity' },
  undo: { operation: undoMerge, confirmed: true, of: 'merge', fields: ['reason'] },
}

const endOf = (name: string, { of }: Act) =>
  of === undefined
    ? name
    : of === 'identity'
      ? `identities/:identity/${name}`
      : `merges/:merge/${name}`

export function personRoutes(console: Console, house: House): void {
  const { show, act, page, done, problemsFrom } = console
  const shapes = openPersonShapes(house)

  async function find(staff: Staff, sub: string): Promise<Person> {
    return valueAt(await staff.perform(getPerson, { sub }), list)
  }

  async function showPerson(ctx: Context, staff: Staff, person: Person, more: More = {}) {
    const { typed, revealed, problems = [] } = more
    const latest = await staff.perform(listPersonSignIns, { sub: person.sub, limit: 10 })
    const signIns = valueIn(latest, list)
    const locals = {
      person: await shapes.person(ctx.state.language, person),
      path: pathOf(person.sub),
      mayWrite: staff.may('people.write'),
      mayUnmask: staff.may('people.unmask'),
      masked: shapes.maskedOptions(ctx.state.language, person),
      revealed,
      signIns: await shapes.signIns(ctx.state.language, signIns.items),
      typed,
    }
    page(ctx, staff, 'admin-person', locals, { problems })
  }

  const read = { permission: 'people.read' } as const
  show(path, read, async (ctx, staff) =>
    showPerson(ctx, staff, await find(staff, ctx.params.sub ?? '')),
  )

  show(`${path}/sign-ins`, read, async (ctx, staff) => {
    const person = await find(staff, ctx.params.sub ?? '')
    const { cursor } = readQuery(ctx)
    const input = { sub: person.sub, limit: 50, ...(cursor ? { cursor } : {}) }
    const found = valueIn(await staff.perform(listPersonSignIns, input), pathOf(person.sub))
    const here = `${pathOf(person.sub)}/sign-ins`
    const { items, next } = found
    page(ctx, staff, 'admin-person-sign-ins', {
      person: { name: person.phrase },
      path: pathOf(person.sub),
      signIns: await shapes.signIns(ctx.state.language, items),
      first: cursor ? here : undefined,
      next: next && withQuery(here, { cursor: next }),
    })
  })

  for (const [name, one] of Object.entries(acts)) {
    const { operation, confirmed = false, of, fields: wanted = [] } = one
    const { permission, dangerous = false } = operation
    const rules = { permission, dangerous, page: ({ sub = '' }) => pathOf(sub) }
    act(`${path}/${endOf(name, one)}`, rules, async (ctx, staff, fields) => {
      const { sub = '', ...rest } = ctx.params
      const which = of && rest[of]
      const form = which === undefined ? name : `${name}-${which}`
      const again = async (problems: StaffPage['problems']) =>
        showPerson(ctx, staff, await find(staff, sub), { typed: { form, fields }, problems })
      if (confirmed && !isSame((await find(staff, sub)).phrase, fields.confirm)) {
        return again([{ field: `${form}-confirm`, problem: 'admin.problem.confirm' }])
      }
      const input = Object.fromEntries(
        wanted.flatMap((field) => {
          const value = fields[field]
          return value === undefined ? [] : [[field, value]]
        }),
      )
      const more = { ...(of ? { [of]: which } : {}), ...forced(name, fields) }
      const outcome = await staff.perform(operation, { sub, ...input, ...more })
      if (outcome.kind === 'rejected') {
        const problems = problemsFrom(outcome.problems)
        return again(problems.map((slip) => ({ ...slip, field: `${form}-${slip.field}` })))
      }
      valueIn(outcome, pathOf(sub))
      done(ctx, pathOf(sub), `person-${name}`)
    })
  }

  const unmasking = { permission: 'people.unmask', dangerous: true } as const
  act(
    `${path}/unmask`,
    { ...unmasking, page: ({ sub = '' }) => pathOf(sub) },
    async (ctx, staff, fields) => {
      const { sub = '' } = ctx.params
      const { field = '', reason = '' } = fields
      const outcome = await staff.perform(unmaskPerson, { sub, field, reason })
      if (outcome.kind !== 'done' && outcome.kind !== 'rejected') {
        throw problemOf(outcome, pathOf(sub))
      }
      const person = await find(staff, sub)
      if (outcome.kind === 'rejected') {
        const problems = problemsFrom(outcome.problems).map((slip) => ({
          ...slip,
          field: `unmask-${slip.field}`,
        }))
        return showPerson(ctx, staff, person, { typed: { form: 'unmask', fields }, problems })
      }
      const options = shapes.maskedOptions(ctx.state.language, person)
      const label = options.find(({ value }) => value === field)?.label ?? field
      // In this answer and in no other: an address that shows it could be sent on.
      await showPerson(ctx, staff, person, { revealed: { label, value: outcome.value.value } })
    },
  )

  const writing = { permission: 'people.write' } as const
  function showEdit(
    ctx: Context,
    staff: Staff,
    person: Person,
    { fields, problems = [] }: { fields?: Fields; problems?: StaffPage['problems'] } = {},
  ) {
    const shown = shapes.editable(ctx.state.language, person)
    const values = fields
      ? Object.fromEntries(
          [...Object.keys(changeable), 'phoneRemove'].map((field) => [field, fields[field] ?? '']),
        )
      : shown.values
    const locals = {
      person: { name: person.name, phrase: person.phrase },
      ...shown,
      values,
      version: fields?.version ?? person.version,
      action: `${pathOf(person.sub)}/edit`,
      path: pathOf(person.sub),
    }
    page(ctx, staff, 'admin-person-edit', locals, { problems })
  }

  show(`${path}/edit`, writing, async (ctx, staff) =>
    showEdit(ctx, staff, await find(staff, ctx.params.sub ?? '')),
  )

  act(
    `${path}/edit`,
    { ...writing, page: ({ sub = '' }) => `${pathOf(sub)}/edit` },
    async (ctx, staff, fields) => {
      const { sub = '' } = ctx.params
      const { form_token: _, staff: __, phoneNumber = '', phoneRemove, ...typed } = fields
      // What cannot be seen is not removed by leaving it empty.
      const phone = phoneNumber.trim() || phoneRemove ? { phoneNumber } : {}
      const outcome = await staff.perform(changePerson, { ...typed, ...phone, sub })
      if (outcome.kind === 'rejected') {
        const problems = problemsFrom(outcome.problems)
        return showEdit(ctx, staff, await find(staff, sub), { fields, problems })
      }
      valueIn(outcome, `${pathOf(sub)}/edit`)
      done(ctx, pathOf(sub), 'person-edit')
    },
  )
}

/** As people mean it: without case, full-width letters or blanks. */
const isSame = (phrase: string, typed = '') =>
  keyText(phrase) !== '' && keyText(phrase) === keyText(typed)

const forced = (name: string, { force, passFactor }: Fields) => ({
  ...(name === 'undo' && force === 'yes' ? { force: true } : {}),
  ...(name === 'merge' && passFactor === 'yes' ? { passFactor: true } : {}),
})
