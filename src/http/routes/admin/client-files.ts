/** Apps as a file: what would change is shown first, and that is what is applied. */
import type { z } from 'zod'
import { longestFile } from '#admin/apply/file.ts'
import { applyClients, exportClients } from '#admin/operations/client-files.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import type { Fields, Files } from '../../input.ts'
import { firstTime } from '../first-time.ts'
import type { Staff } from './admission.ts'
import { clientsPath } from './client-page.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'

type Applied = z.output<typeof applyClients.output>

const path = `${clientsPath}/import`
const permission = 'clients.write'
const actions = { preview: path, apply: `${path}/apply`, export: `${clientsPath}/export` }
/** What the form stands on, whatever is typed in it. */
const form = { longest: longestFile, actions }
const rules = { permission, dangerous: true, page: () => path, letters: longestFile } as const

export function clientFileRoutes(
  { show, act, page, done, problemsFrom }: Console,
  house: House,
): void {
  // With a fresh proof from the beginning: what is typed must not be lost on the way to another one.
  show(path, { permission, dangerous: true }, (ctx, staff) =>
    page(ctx, staff, 'admin-clients-import', { yaml: '', prune: false, ...form }),
  )

  const tooLong = { key: 'admin.problem.too-long', params: { most: longestFile } }

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
      const problems = [{ field: 'file', problem: tooLong }]
      return again(ctx, staff, { yaml: '', prune }, problems)
    }
    const outcome = await staff.perform(applyClients, { yaml, prune, dryRun: true })
    if (outcome.kind === 'rejected') {
      return again(ctx, staff, { yaml, prune }, problemsFrom(outcome.problems.map(atText)))
    }
    const plan = planOf(valueIn(outcome, path))
    page(ctx, staff, 'admin-clients-import', { yaml, prune, plan, ...form })
  })

  act(`${path}/apply`, { ...rules, files: true }, async (ctx, staff, fields) => {
    const { digest = '', yaml = '', confirm = '', once } = fields
    const prune = Boolean(fields.prune)
    const looked = prune && (await staff.perform(applyClients, { yaml, prune, dryRun: true }))
    if (looked && looked.kind === 'done' && looked.value.digest === digest) {
      const plan = planOf(looked.value)
      if (plan.named !== undefined && confirm.trim() !== plan.named) {
        const problems = [{ field: 'apply-confirm', problem: 'admin.problem.confirm' }]
        return page(
          ctx,
          staff,
          'admin-clients-import',
          { yaml, prune, plan, ...form },
          { problems },
        )
      }
    }
    const outcome = await firstTime(house, staff.by.actor, once, () =>
      staff.perform(applyClients, { yaml, prune, digest }),
    )
    if (!outcome) return done(ctx, path, 'files-sent-twice')
    if (outcome.kind === 'rejected') {
      return again(ctx, staff, { yaml, prune }, problemsFrom(outcome.problems.map(atText)))
    }
    if (outcome.kind === 'conflict') {
      return again(ctx, staff, { yaml, prune }, [{ problem: 'admin.files.conflict' }], 409)
    }
    const { items } = valueIn(outcome, path)
    page(ctx, staff, 'admin-clients-imported', { items })
  })

  show(actions.export, { permission: 'clients.read' }, async (ctx, staff) => {
    const { yaml: text } = valueIn(await staff.perform(exportClients, {}), clientsPath)
    house.answer.download(ctx, { name: 'clients.yaml', type: 'application/yaml', text: [text] })
  })
}

/** `named`: what has to be typed where apps would be removed: the one's name, of several how many. */
function planOf({ digest, items }: Applied) {
  const removed = items.filter(({ what }) => what === 'remove')
  const [first] = removed
  const named = removed.length === 1 ? first?.name.trim() : first && String(removed.length)
  return { digest, items, changes: items.filter(({ what }) => what !== 'same').length, named }
}

/** Wherever it is in the text: the field is the text. */
const atText = <P extends { field: string }>(problem: P): P => ({ ...problem, field: 'yaml' })
