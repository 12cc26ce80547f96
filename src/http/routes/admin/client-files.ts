/** Apps as a file: what would change is shown first, and that is what is applied. */
import { longestFile } from '#admin/apply/file.ts'
import { applyClients, exportClients } from '#admin/operations/client-files.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import type { Fields, Files } from '../../input.ts'
import type { Staff } from './admission.ts'
import { clientsPath } from './client-page.ts'
import type { Console } from './console.ts'
import { problemOf } from './console-problems.ts'

const path = `${clientsPath}/import`
const permission = 'clients.write'
const actions = { preview: path, apply: `${path}/apply`, export: `${clientsPath}/export` }
/** What the form stands on, whatever is typed in it. */
const form = { longest: longestFile, actions }
const rules = { permission, dangerous: true, page: () => path, letters: longestFile } as const

export function clientFileRoutes({ show, act, page, problemsFrom }: Console, house: House): void {
  // With a fresh proof from the beginning: what is typed must not be lost on the way to another one.
  show(path, { permission, dangerous: true }, (ctx, staff) =>
    page(ctx, staff, 'admin-clients-import', { yaml: '', prune: false, ...form }),
  )

  /** What was typed, or the file that was chosen. */
  function textOf({ yaml = '' }: Fields, { file }: Files): string | undefined {
    if (!file || ('bytes' in file && file.bytes.length === 0)) return yaml
    if ('tooLarge' in file) return undefined
    const text = new TextDecoder().decode(file.bytes)
    // Too long to be shown again in a field.
    return text.length > longestFile ? undefined : text
  }

  const again = (
    ctx: Context,
    staff: Staff,
    typed: { yaml: string; prune: boolean },
    problems: NonNullable<Parameters<typeof page>[4]>['problems'],
    status = 422,
  ) => page(ctx, staff, 'admin-clients-import', { ...typed, ...form }, { problems, status })

  act(path, { ...rules, files: true }, async (ctx, staff, fields, files) => {
    const yaml = textOf(fields, files)
    const prune = Boolean(fields.prune)
    if (yaml === undefined) {
      const problems = [{ field: 'file', problem: 'admin.problem.too-big' }]
      return again(ctx, staff, { yaml: '', prune }, problems)
    }
    const outcome = await staff.perform(applyClients, { yaml, prune, dryRun: true })
    if (outcome.kind === 'rejected') {
      return again(ctx, staff, { yaml, prune }, problemsFrom(outcome.problems.map(atText)))
    }
    if (outcome.kind !== 'done') throw problemOf(outcome, path)
    const { digest, items } = outcome.value
    const changes = items.filter(({ what }) => what !== 'same').length
    const plan = { digest, items, changes }
    page(ctx, staff, 'admin-clients-import', { yaml, prune, plan, ...form })
  })

  act(`${path}/apply`, { ...rules, files: true }, async (ctx, staff, fields) => {
    const { digest = '', yaml = '' } = fields
    const prune = Boolean(fields.prune)
    const outcome = await staff.perform(applyClients, { yaml, prune, digest })
    if (outcome.kind === 'rejected') {
      return again(ctx, staff, { yaml, prune }, problemsFrom(outcome.problems.map(atText)))
    }
    if (outcome.kind === 'conflict') {
      return again(ctx, staff, { yaml, prune }, [{ problem: 'admin.files.conflict' }], 409)
    }
    if (outcome.kind !== 'done') throw problemOf(outcome, path)
    page(ctx, staff, 'admin-clients-imported', { items: outcome.value.items })
  })

  show(actions.export, { permission: 'clients.read' }, async (ctx, staff) => {
    const outcome = await staff.perform(exportClients, {})
    if (outcome.kind !== 'done') throw problemOf(outcome, clientsPath)
    const text = outcome.value.yaml
    house.answer.download(ctx, { name: 'clients.yaml', type: 'application/yaml', text: [text] })
  })
}

/** Wherever it is in the text: the field is the text. */
const atText = <P extends { field: string }>(problem: P): P => ({ ...problem, field: 'yaml' })
