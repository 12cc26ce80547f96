/** The console about staff: who has which role, who is invited, and who lost her second factor. */
import {
  findStaffMember,
  grantRole,
  inviteStaff,
  listStaffInvitations,
  listStaffMembers,
  removeStaffInvitation,
  resetSecondFactors,
  revokeRole,
} from '#admin/operations/staff.ts'
import type { StaffMember } from '#admin/staff/roles.ts'
import { narrowings, type Role, roles } from '#admin/staff.ts'
import type { StaffPage } from '../../admin-views.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, oneOf, readQuery } from '../../input.ts'
import { connectorLabel } from '../account/labels.ts'
import { firstTime } from '../first-time.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { problemOf, valueIn } from './console-problems.ts'
import type { RoleChoice, ShownRole, ShownStaff } from './staff-views.ts'

const list = '/admin/staff'
const invitePath = `${list}/invite`
const programPath = `${list}/program`
const read = { permission: 'staff.read' } as const
const write = { permission: 'staff.write' } as const
const grave = { ...write, dangerous: true } as const

const memberPath = (holder: string) => `${list}/${encodeURIComponent(holder)}`

/** In a select: none of this role. */
const none = '-'

/** `owner `, `support county:ntpc`: a role and its reach as one choice. */
const readChoice = (choice: string): { role: Role; reach: string } | undefined => {
  const [name, reach = ''] = choice.split(' ', 2)
  const role = roles.find((one) => one === name)
  return role && { role, reach }
}

export function staffRoutes(console: Console, house: House): void {
  const { show, act, page, done, problemsFrom } = console
  const { config, messages } = house
  const countyIds = config.connectors.map(({ id }) => id)

  /** Every role with how far it may reach. */
  function choicesFor({ state: { language } }: Context): RoleChoice[] {
    const say = (key: string) => messages.translate(language, key)
    return roles.map((role) => ({
      role,
      reaches: [
        { value: '', label: say('admin.staff.everywhere') },
        ...narrowings[role].flatMap((kind) =>
          kind === 'own'
            ? [{ value: 'own', label: say('admin.staff.own') }]
            : config.connectors.map(({ id }) => ({
                value: `county:${id}`,
                label: connectorLabel(house, language, id),
              })),
        ),
      ],
    }))
  }

  const shownRole = (ctx: Context, { role, reach }: { role: Role; reach: string }): ShownRole => ({
    role,
    reach,
    own: reach === 'own',
    county: reach.startsWith('county:')
      ? connectorLabel(house, ctx.state.language, reach.slice('county:'.length))
      : undefined,
  })

  const shownStaff = (ctx: Context, member: StaffMember): ShownStaff => ({
    ...member,
    roles: member.roles.map((one) => ({
      ...shownRole(ctx, one),
      grantedAt: new Date(one.grantedAt),
    })),
  })

  /** What of the filter was chosen; what there is none of is left out. */
  function askedOf({ role, county, name = '' }: Fields) {
    const known = { role: oneOf(roles, role), county: oneOf(countyIds, county) }
    const given = Object.entries({ ...known, name: name.trim().slice(0, 200) })
    return Object.fromEntries(given.flatMap(([key, value]) => (value ? [[key, value]] : [])))
  }

  show(list, read, async (ctx, staff) => {
    const query = readQuery(ctx)
    const asked = askedOf(query)
    const { cursor } = query
    const found = await staff.perform(listStaffMembers, { ...asked, ...(cursor ? { cursor } : {}) })
    const { items, next } = valueIn(found, list)
    const invited = valueIn(await staff.perform(listStaffInvitations, {}), list)
    page(ctx, staff, 'admin-staff', {
      people: items.map((one) => shownStaff(ctx, one)),
      invitations: invited.items.map(({ id, email, roles, holder, ...times }) => ({
        id,
        email,
        roles: roles.map((one) => shownRole(ctx, one)),
        again: holder !== undefined,
        createdAt: new Date(times.createdAt),
        expiresAt: new Date(times.expiresAt),
      })),
      mayWrite: staff.may('staff.write'),
      asked,
      counties: config.connectors.map(({ id }) => ({
        value: id,
        label: connectorLabel(house, ctx.state.language, id),
      })),
      next: next && withQuery(list, { ...asked, cursor: next }),
      first: cursor && withQuery(list, asked),
      actions: { withdraw: `${list}/withdraw` },
    })
  })

  type More = { fields?: Fields; problems?: StaffPage['problems'] }

  function showInvite(ctx: Context, staff: Staff, { fields = {}, problems = [] }: More = {}) {
    const chosen = roles.map((role) => [role, fields[`role-${role}`] ?? none])
    const locals = {
      email: fields.email ?? '',
      language: fields.language ?? ctx.state.language,
      choices: choicesFor(ctx),
      chosen: Object.fromEntries(chosen),
      action: invitePath,
    }
    page(ctx, staff, 'admin-staff-invite', locals, { problems })
  }

  show(invitePath, grave, (ctx, staff) => showInvite(ctx, staff))

  act(invitePath, { ...grave, page: () => invitePath }, async (ctx, staff, fields) => {
    const wanted = roles.flatMap((role) => {
      const reach = fields[`role-${role}`] ?? none
      return reach === none ? [] : [{ role, reach }]
    })
    if (wanted.length === 0) {
      const problem = { field: 'role-owner', problem: 'admin.problem.no-role' }
      return showInvite(ctx, staff, { fields, problems: [problem] })
    }
    const { email = '', language } = fields
    const invited = await firstTime(house, staff.by.actor, fields.once, () =>
      staff.perform(inviteStaff, {
        email,
        roles: wanted,
        language: language === 'en' ? 'en' : 'zh-TW',
      }),
    )
    if (!invited) return done(ctx, list, 'staff-sent-twice')
    if (invited.kind === 'rejected') {
      // `roles.1` is the second one she chose.
      const at = (field: string) => {
        const [, index] = /^roles\.(\d+)/.exec(field) ?? []
        return index === undefined ? field : `role-${wanted[Number(index)]?.role ?? 'owner'}`
      }
      const problems = problemsFrom(invited.problems).map((one) => ({
        ...one,
        field: at(one.field ?? ''),
      }))
      return showInvite(ctx, staff, { fields, problems })
    }
    valueIn(invited, invitePath)
    done(ctx, list, 'staff-invited')
  })

  act(`${list}/withdraw`, { ...write, page: () => list }, async (ctx, staff, { id = '' }) => {
    valueIn(await staff.perform(removeStaffInvitation, { id }), list)
    done(ctx, list, 'staff-withdrawn')
  })

  function showProgram(ctx: Context, staff: Staff, { fields = {}, problems = [] }: More = {}) {
    const { client = '', grant = '' } = fields
    const locals = { client, role: grant, action: programPath, choices: choicesFor(ctx) }
    page(ctx, staff, 'admin-staff-program', locals, { problems })
  }

  show(programPath, grave, (ctx, staff) => showProgram(ctx, staff))

  act(programPath, { ...grave, page: () => programPath }, async (ctx, staff, fields) => {
    const client = (fields.client ?? '').trim()
    const wrong = (field: string, problem: string) =>
      showProgram(ctx, staff, { fields, problems: [{ field, problem }] })
    const wanted = readChoice(fields.grant ?? '')
    if (!client) return wrong('client', 'admin.problem.empty')
    if (!wanted) return wrong('grant', 'admin.problem.no-role')
    const given = await staff.perform(grantRole, { holder: `client:${client}`, ...wanted })
    if (given.kind === 'unknown') return wrong('client', 'admin.problem.no-client')
    if (given.kind === 'rejected') {
      const ofClient = given.problems.some(({ field }) => field === 'holder')
      return ofClient
        ? wrong('client', 'admin.problem.no-client')
        : wrong('grant', 'admin.problem.reach')
    }
    valueIn(given, programPath)
    done(ctx, memberPath(`client:${client}`), 'staff-granted')
  })

  async function showMember(
    ctx: Context,
    staff: Staff,
    holder: string,
    problems: StaffPage['problems'] = [],
  ) {
    const found = valueIn(await staff.perform(findStaffMember, { holder }), list)
    const member = shownStaff(ctx, found)
    const path = memberPath(holder)
    const locals = {
      member,
      mayWrite: staff.may('staff.write'),
      isHerself: holder === staff.account.id,
      named: namedBy(member),
      choices: choicesFor(ctx),
      actions: { grant: `${path}/grant`, revoke: `${path}/revoke`, reset: `${path}/reset` },
    }
    page(ctx, staff, 'admin-staff-member', locals, { problems })
  }

  show(`${list}/:holder`, read, (ctx, staff) => showMember(ctx, staff, ctx.params.holder ?? ''))

  type Change = (ctx: Context, staff: Staff, holder: string, fields: Fields) => Promise<void>
  const change = (what: string, handle: Change) =>
    act(
      `${list}/:holder/${what}`,
      { ...grave, page: ({ holder = '' }) => memberPath(holder) },
      (ctx, staff, fields) => handle(ctx, staff, ctx.params.holder ?? '', fields),
    )

  change('grant', async (ctx, staff, holder, { grant = '' }) => {
    const wanted = readChoice(grant)
    const wrong = (problem: string) => showMember(ctx, staff, holder, [{ field: 'grant', problem }])
    if (!wanted) return wrong('admin.problem.no-role')
    const given = await staff.perform(grantRole, { holder, ...wanted })
    if (given.kind === 'rejected') return wrong('admin.problem.reach')
    valueIn(given, memberPath(holder))
    done(ctx, memberPath(holder), 'staff-granted')
  })

  /** What has to be typed: what the page calls her. Undefined where it was. */
  async function unconfirmed(staff: Staff, holder: string, id: string, confirm = '') {
    const found = valueIn(await staff.perform(findStaffMember, { holder }), list)
    if (confirm.trim() === namedBy(found)) return undefined
    return [{ field: `${id}-confirm`, problem: 'admin.problem.confirm' }]
  }

  change('revoke', async (ctx, staff, holder, { role = '', reach = '', confirm }) => {
    const wanted = readChoice(`${role} ${reach}`)
    if (!wanted) throw problemOf({ kind: 'unknown' }, memberPath(holder))
    const id = revokeId(wanted)
    const problems = await unconfirmed(staff, holder, id, confirm)
    if (problems) return showMember(ctx, staff, holder, problems)
    valueIn(await staff.perform(revokeRole, { holder, ...wanted }), memberPath(holder))
    // With her last role she leaves the list.
    const left = await staff.perform(findStaffMember, { holder })
    done(ctx, left.kind === 'done' ? memberPath(holder) : list, 'staff-revoked')
  })

  change('reset', async (ctx, staff, holder, { confirm }) => {
    const problems = await unconfirmed(staff, holder, 'reset', confirm)
    if (problems) return showMember(ctx, staff, holder, problems)
    valueIn(await staff.perform(resetSecondFactors, { holder }), memberPath(holder))
    done(ctx, memberPath(holder), 'staff-reset')
  })
}

const namedBy = ({ name, account, holder }: Pick<StaffMember, 'name' | 'account' | 'holder'>) =>
  account || name || holder

/** A form's id, of the role it takes away. */
const revokeId = ({ role, reach }: { role: string; reach: string }) =>
  `revoke-${role}${reach ? `-${reach.replace(':', '-')}` : ''}`
