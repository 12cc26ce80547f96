/** Registers an app in two steps, and changes one: everything typed stays until it is in order. */

import { type ClientKind, clientKinds } from '#admin/clients/schema.ts'
import { checkClient, createClient, getClient, updateClient } from '#admin/operations/clients.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, readQuery } from '../../input.ts'
import { firstTime } from '../first-time.ts'
import type { Staff } from './admission.ts'
import {
  atField,
  emptyValues,
  formOf,
  lettersOfForm,
  linesOf,
  readSettings,
  valuesOf,
} from './client-form.ts'
import { clientPath, clientsPath } from './client-page.ts'
import type { FormLocals, FormShape } from './clients-views.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'

const newPath = `${clientsPath}/new`
const checkPath = `${clientsPath}/check`

const kindOf = (typed: string | undefined): ClientKind | undefined =>
  clientKinds.find((one) => one === typed)

export function clientEditing(console: Console, house: House): void {
  const { show, act, page, done, problemsFrom } = console
  const { answer, messages } = house
  const rules = { permission: 'clients.write', letters: lettersOfForm(house) } as const

  /** Each address as it stands there, and what is wrong with it. */
  async function checksOf(staff: Staff, kind: ClientKind, text: string | undefined) {
    const redirectUris = linesOf(text)
      .slice(0, 100)
      .map((uri) => uri.slice(0, 2000))
    const outcome = await staff.perform(checkClient, { kind, redirectUris })
    if (outcome.kind !== 'done') return []
    return outcome.value.items.map(({ uri, problem }) => ({
      uri,
      problem: problem && `admin.problem.${problem.code}`,
    }))
  }

  type Form = Omit<FormLocals, keyof FormShape | 'checks'> & { kind: ClientKind }

  async function showForm(
    ctx: Context,
    staff: Staff,
    form: Form,
    more: Parameters<typeof page>[4] = {},
  ) {
    const checks = await checksOf(staff, form.kind, form.values.redirectUris)
    const shape = formOf(house, ctx.state.language, staff, form.kind)
    const problems = more.problems ?? []
    page(
      ctx,
      staff,
      'admin-client-form',
      { ...shape, ...form, checks },
      { ...more, problems, connect: true },
    )
  }

  const newForm = (kind: ClientKind, values: Fields): Form => ({
    kind,
    values,
    actions: { save: newPath, check: checkPath, back: newPath },
  })

  show(newPath, { permission: 'clients.write' }, async (ctx, staff) => {
    const query = readQuery(ctx)
    const kind = kindOf(query.kind)
    if (kind) return showForm(ctx, staff, newForm(kind, emptyValues))
    const problems =
      query.kind === undefined ? [] : [{ field: 'kind', problem: 'admin.problem.app-kind' }]
    page(ctx, staff, 'admin-client-kind', { kinds: clientKinds }, { problems })
  })

  act(newPath, { ...rules, page: () => newPath }, async (ctx, staff, fields) => {
    const kind = kindOf(fields.kind)
    if (!kind) return answer.redirect(ctx, `${newPath}?kind=`)
    const shape = formOf(house, ctx.state.language, staff, kind)
    const settings = readSettings(fields, shape)
    const outcome = await firstTime(house, staff.by.actor, fields.once, () =>
      staff.perform(createClient, { kind, ...settings }),
    )
    if (!outcome) return done(ctx, clientsPath, 'client-sent-twice')
    if (outcome.kind === 'rejected') {
      const problems = problemsFrom(outcome.problems.map(atField))
      return showForm(ctx, staff, newForm(kind, fields), { problems })
    }
    const { id, secret } = valueIn(outcome, newPath)
    if (secret === undefined) return done(ctx, clientPath(id), 'client-created')
    const client = { id, name: settings.name }
    page(ctx, staff, 'admin-client-secret', { client, secret, on: clientPath(id) })
  })

  act(checkPath, { ...rules, page: () => newPath, aside: true }, async (ctx, staff, fields) => {
    const checks = await checksOf(staff, kindOf(fields.kind) ?? 'web', fields.redirectUris)
    const words = checks.map(({ problem }, i): [string, string] => [
      String(i),
      problem ? messages.translate(ctx.state.language, problem) : '',
    ])
    answer.data(ctx, Object.fromEntries(words))
  })

  async function findApp(staff: Staff, id: string | undefined) {
    return valueIn(await staff.perform(getClient, { id: id ?? '' }), clientsPath)
  }
  type App = Awaited<ReturnType<typeof findApp>>

  const editForm = ({ id, name, kind, version }: App, values: Fields): Form => ({
    client: { id, name, mayWrite: true },
    version,
    kind,
    values,
    actions: { save: `${clientPath(id)}/edit`, check: checkPath, back: clientPath(id) },
  })

  const editPath = `${clientsPath}/:id/edit`

  show(editPath, { permission: 'clients.write' }, async (ctx, staff) => {
    const app = await findApp(staff, ctx.params.id)
    await showForm(ctx, staff, editForm(app, valuesOf(app.settings)))
  })

  act(
    editPath,
    { ...rules, page: ({ id }) => `${clientPath(id)}/edit` },
    async (ctx, staff, fields) => {
      const app = await findApp(staff, ctx.params.id)
      const { id } = app
      const shape = formOf(house, ctx.state.language, staff, app.kind)
      const settings = readSettings(fields, shape, app.settings)
      const version = Number(fields.version)
      const outcome = await firstTime(house, staff.by.actor, fields.once, () =>
        staff.perform(updateClient, { id, version, ...settings }),
      )
      if (!outcome) return done(ctx, clientPath(id), 'client-changed-twice')
      if (outcome.kind === 'rejected') {
        const problems = problemsFrom(outcome.problems.map(atField))
        // Looked at then, not now: she still has to hear of what others changed.
        return showForm(ctx, staff, { ...editForm(app, fields), version }, { problems })
      }
      if (outcome.kind === 'conflict') {
        const problems = [{ problem: 'admin.clients.conflict' }]
        return showForm(ctx, staff, editForm(app, fields), { status: 409, problems })
      }
      const { secret } = valueIn(outcome, clientPath(id))
      if (secret === undefined) return done(ctx, clientPath(id), 'client-changed')
      const client = { id, name: settings.name }
      page(ctx, staff, 'admin-client-secret', { client, secret, on: clientPath(id) })
    },
  )
}
