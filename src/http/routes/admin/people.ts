/** People: looked for, listed and added. One person's page lies in person.ts. */
import { findByName } from '#accounts/local.ts'
import { addOnePerson, listPeople } from '#admin/operations/people.ts'
import { peopleOrders } from '#admin/people/search.ts'
import { accountStatuses } from '#admin/people/shapes.ts'
import { reachesUpstream, reachOf } from '#admin/staff.ts'
import type { StaffPage } from '../../admin-views.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, oneOf, readQuery } from '../../input.ts'
import { connectorLabel } from '../account/labels.ts'
import { firstTime } from '../first-time.ts'
import { schoolLabel } from '../labels.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'
import { personRoutes } from './person.ts'

const path = '/admin/people'

export function peopleRoutes(console: Console, house: House): void {
  const { show, act, page, done, problemsFrom } = console
  const { domain } = house.config.site.local_accounts

  show(path, { permission: 'people.read' }, async (ctx, staff) => {
    const query = readQuery(ctx)
    const { cursor } = query
    const q = (query.q ?? '').slice(0, 200).trim()
    const status = oneOf(accountStatuses, query.status)
    const sort = oneOf(peopleOrders, query.sort)
    const text = { school: query.school?.trim() ?? '', county: query.county ?? '' }
    const outcome = await staff.perform(listPeople, {
      ...(q ? { q } : {}),
      ...(text.school ? { school: text.school } : {}),
      ...(text.county ? { county: text.county } : {}),
      ...(status ? { status } : {}),
      // Without something typed there is nothing to fit.
      ...(sort && (q || sort !== 'match') ? { sort } : {}),
      ...(cursor ? { cursor } : {}),
    })
    const rejected = outcome.kind === 'rejected'
    const { items, next } = rejected ? { items: [], next: undefined } : valueIn(outcome, path)
    const lang = ctx.state.language
    const here = { q, ...text, status: status ?? '', sort: sort ?? '' }
    const linkTo = (more: Record<string, string>) => withQuery(path, { ...here, ...more })
    const locals = {
      people: items.map(({ counties, schools, ...one }) => ({
        ...one,
        counties: counties.map((id) => connectorLabel(house, lang, id)),
        schools: schools.map(({ code, name }) =>
          schoolLabel(house, lang, { schoolCode: code, ...(name ? { schoolName: name } : {}) }),
        ),
        createdAt: new Date(one.createdAt),
        updatedAt: new Date(one.updatedAt),
      })),
      ...here,
      counties: countiesOf(staff, ctx),
      statuses: accountStatuses,
      filtered: Boolean(q || text.school || text.county || status),
      mayAdd: mayAdd(staff),
      first: cursor ? linkTo({}) : undefined,
      next: next ? linkTo({ cursor: next }) : undefined,
    }
    page(ctx, staff, 'admin-people', locals, {
      problems: rejected ? problemsFrom(outcome.problems) : [],
    })
  })

  /** Those whose people she reaches. */
  function countiesOf({ by }: Staff, { state: { language } }: Context) {
    const reach = reachOf(by, 'people.read')
    return house.config.connectors
      .filter(({ id }) => reachesUpstream(reach, id))
      .map(({ id }) => ({ value: id, label: connectorLabel(house, language, id) }))
  }

  /** Somebody new is of no county: see `createPerson`. */
  const mayAdd = ({ by }: Staff) => reachOf(by, 'people.write')?.kind === 'all'

  const rules = { permission: 'people.write' } as const
  const newPath = `${path}/new`

  function showNew(
    ctx: Context,
    staff: Staff,
    { account = '', name = '', recovery = '' }: Fields = {},
    problems: StaffPage['problems'] = [],
  ) {
    const locals = { values: { account, name, recovery }, action: newPath }
    page(ctx, staff, 'admin-person-new', locals, { problems })
  }

  show(newPath, rules, (ctx, staff) => showNew(ctx, staff))

  act(newPath, { ...rules, page: () => newPath }, async (ctx, staff, fields) => {
    const { account = '', name = '', recovery = '' } = fields
    const wanted = { account, name, ...(recovery.trim() ? { recovery } : {}) }
    const outcome = await firstTime(house, staff.by.actor, fields.once, () =>
      staff.perform(addOnePerson, wanted),
    )
    if (!outcome) {
      const made = await findByName(house.store, account, domain)
      return done(ctx, made ? `${path}/${made}` : path, 'person-sent-twice')
    }
    if (outcome.kind === 'rejected') {
      return showNew(ctx, staff, fields, problemsFrom(outcome.problems))
    }
    const { sub, password, to } = valueIn(outcome, path)
    // Not after a redirect: the password is in this answer and nowhere else.
    page(ctx, staff, 'admin-person-made', { name, account, password, to, on: `${path}/${sub}` })
  })

  personRoutes(console, house)
}
