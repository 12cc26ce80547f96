/** An app's versions: who changed what and when, and the way back to one. */
import type { FieldProblem } from '#admin/operation.ts'
import { getClient, listClientVersions, undoClient } from '#admin/operations/clients.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { readQuery } from '../../input.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import { clientPath, clientsPath } from './client-page.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'

export function clientHistory(
  { show, act, page, done, problemsFrom }: Console,
  { messages }: Pick<House, 'messages'>,
): void {
  type More = NonNullable<Parameters<typeof page>[4]>

  async function showHistory(ctx: Context, staff: Staff, more: More = {}) {
    const id = ctx.params.id ?? ''
    const { cursor } = ctx.method === 'GET' ? readQuery(ctx) : {}
    const { name, version: current } = valueIn(await staff.perform(getClient, { id }), clientsPath)
    const input = { id, limit: 20, ...(cursor ? { cursor } : {}) }
    const { items, next } = valueIn(await staff.perform(listClientVersions, input), clientPath(id))
    const path = `${clientPath(id)}/versions`
    page(
      ctx,
      staff,
      'admin-client-versions',
      {
        client: { id, name, mayWrite: staff.may('clients.write') },
        current,
        versions: items.map(({ version, at, changedBy, changedByName, because, changes }) => ({
          version,
          at: new Date(at),
          by: changedBy === 'unknown' ? undefined : (changedByName ?? changedBy),
          becauseKey: `admin.clients.versions.because.${because}`,
          changes,
        })),
        path,
        next: next && withQuery(path, { cursor: next }),
      },
      more,
    )
  }

  /** The settings by the names people know. */
  function settingsIn(language: string, problems: readonly FieldProblem[]): string {
    const names = problems.map(({ field }) => {
      const [setting = ''] = field.split('.')
      const key = `admin.wish.${setting}`
      return messages.has(key) ? messages.translate(language, key) : setting
    })
    return new Intl.ListFormat(language).format(new Set(names))
  }

  show(`${clientsPath}/:id/versions`, { permission: 'clients.read' }, (ctx, staff) =>
    showHistory(ctx, staff),
  )

  act(
    `${clientsPath}/:id/undo`,
    { permission: 'clients.write', page: ({ id }) => `${clientPath(id)}/versions` },
    async (ctx, staff, fields) => {
      const id = ctx.params.id ?? ''
      const version = Number(fields.version)
      const current = Number(fields.current)
      const outcome = await staff.perform(undoClient, { id, version, current })
      if (outcome.kind === 'rejected') {
        const { language } = ctx.state
        const params = { fields: settingsIn(language, outcome.problems) }
        // There is no form to lead her to: each reason once.
        const why = new Map(
          problemsFrom(outcome.problems).map(({ problem }) => [JSON.stringify(problem), problem]),
        )
        const said = [{ key: 'admin.clients.undo-refused', params }, ...why.values()]
        return showHistory(ctx, staff, { problems: said.map((problem) => ({ problem })) })
      }
      const { secret } = valueIn(outcome, `${clientPath(id)}/versions`)
      if (secret === undefined) return done(ctx, clientPath(id), 'client-undone')
      const found = await staff.perform(getClient, { id })
      const name = found.kind === 'done' ? found.value.name : id
      page(ctx, staff, 'admin-client-secret', { client: { id, name }, secret, on: clientPath(id) })
    },
  )
}
