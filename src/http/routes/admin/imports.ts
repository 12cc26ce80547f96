/** People brought in from a file, and taken out as one. */
import { byteOrderMark, openCsv } from '#admin/csv.ts'
import { columns, example, written } from '#admin/imports/columns.ts'
import { exportColumns, exportFilter, exportPeople } from '#admin/imports/export.ts'
import { fileProblems } from '#admin/imports/problems.ts'
import { receiveImport } from '#admin/imports/receive.ts'
import { importReport } from '#admin/imports/report.ts'
import { most, existing as options } from '#admin/imports/rules.ts'
import type { Operation } from '#admin/operation.ts'
import {
  getImport,
  importStates,
  listImportNotes,
  listImportReasons,
  listImports,
  type PeopleImport,
  removeImport,
  resumeImport,
  startImport,
  stopImport,
} from '#admin/operations/imports.ts'
import { visibleLetters } from '#lib/prose.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { oneOf, readQuery } from '../../input.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { valueAt, valueIn } from './console-problems.ts'

const list = '/admin/imports'
const fresh = `${list}/new`
const exporting = `${list}/export`
const one = `${list}/:id`
const rules = { permission: 'people.import' } as const
const csv = 'text/csv; charset=utf-8'

export function importRoutes(console: Console, house: House): void {
  const { show, act, receive, page, done, problemsFrom } = console
  const { store, config, answer, messages } = house

  show(list, rules, async (ctx, staff) => {
    const query = readQuery(ctx)
    const { cursor } = query
    const state = oneOf(importStates, query.state)
    const asked = { ...(cursor ? { cursor } : {}), ...(state ? { state } : {}) }
    const found = valueAt(await staff.perform(listImports, asked), list)
    const mayExport = staff.may('people.export')
    page(ctx, staff, 'admin-imports', {
      imports: found.items,
      state: state ?? '',
      states: importStates,
      mayExport,
      ...pagesOf(list, { state, cursor }, found.next),
    })
  })

  show(fresh, rules, (ctx, staff) =>
    page(ctx, staff, 'admin-import-new', { existing: 'skip', options, columns }),
  )

  show(`${list}/template`, rules, async (ctx) => {
    const write = await openCsv()
    const rows = example.map((cells) => written.map((column) => cells[column] ?? ''))
    const text = byteOrderMark + write([written, ...rows])
    answer.download(ctx, { name: 'people.csv', type: csv, text: [text] })
  })

  show(exporting, { permission: 'people.export', dangerous: true }, (ctx, staff) =>
    showExport(ctx, staff, { county: '', school: '', status: '' }),
  )

  act(
    exporting,
    { permission: 'people.export', dangerous: true, page: () => exporting },
    async (ctx, staff, { county = '', school = '', status = '' }) => {
      const values = { county, school: school.trim(), status }
      const given = Object.entries(values).filter(([, value]) => value !== '')
      const outcome = await exportPeople(house, staff.by, Object.fromEntries(given))
      if (outcome.kind === 'rejected') {
        showExport(ctx, staff, values, problemsFrom(outcome.problems))
        return
      }
      const name = `${config.site.id}-people-${dayOf(house)}.csv`
      answer.download(ctx, { name, type: csv, text: valueIn(outcome, exporting) })
    },
  )

  receive(
    list,
    { ...rules, page: fresh, bytes: most.bytes },
    async (ctx, staff, { existing = 'skip' }, file) => {
      const outcome = file
        ? await receiveImport(house, staff.by, file.bytes, { file: file.name, existing })
        : rejectedFile('file-missing')
      if (outcome.kind === 'rejected') {
        const problems = problemsFrom(outcome.problems)
        page(ctx, staff, 'admin-import-new', { existing, options, columns }, { problems })
        return
      }
      done(ctx, `${list}/${valueIn(outcome, list).id}`, 'import-received')
    },
  )

  /** What is to be said of its rows: one by one, or by reason where one fits many of them. */
  async function notesOf(ctx: Context, staff: Staff, id: string) {
    const path = `${list}/${id}`
    const { cursor, reason: asked } = ctx.method === 'GET' ? readQuery(ctx) : {}
    const { items } = valueAt(await staff.perform(listImportReasons, { id }), list)
    const wanted = items.find((one) => keyOf(one) === asked)
    const repeated = items.some(({ rows, examples }) => rows > examples.length)
    const rowByRow = !repeated || Boolean(cursor) || asked === everyRow
    const reason = wanted && keyOf(wanted)
    const shown = reason ?? (rowByRow ? everyRow : undefined)
    const input = { id, ...(cursor ? { cursor } : {}), ...(reason ? { reason } : {}) }
    const notes =
      shown === undefined ? undefined : valueAt(await staff.perform(listImportNotes, input), list)
    return {
      reasons: items.map((one) => ({ ...one, href: withQuery(path, { reason: keyOf(one) }) })),
      reason: wanted,
      everyRow: withQuery(path, { reason: everyRow }),
      everyReason: repeated ? path : undefined,
      notes: notes?.items,
      ...pagesOf(path, { reason: repeated ? shown : undefined, cursor }, notes?.next),
    }
  }

  async function showOne(
    ctx: Context,
    staff: Staff,
    shown: PeopleImport,
    problems?: ReturnType<typeof problemsFrom>,
  ) {
    const { id, createdBy, startedBy, resumedBy } = shown
    const actors = [createdBy, startedBy, resumedBy].flatMap((one) => one ?? [])
    const names = await store.auditSearch.names({ accounts: actors, clients: [] })
    const nameOf = (actor: string) => names.get(actor) ?? actor
    page(
      ctx,
      staff,
      'admin-import',
      {
        import: shown,
        progress: words(ctx, progressOf(shown)),
        createdBy: nameOf(createdBy),
        startedBy: startedBy && nameOf(startedBy),
        resumedBy: resumedBy && nameOf(resumedBy),
        ...(await notesOf(ctx, staff, id)),
      },
      { connect: true, ...(problems ? { problems } : {}) },
    )
  }

  show(one, rules, async (ctx, staff) =>
    showOne(ctx, staff, valueAt(await staff.perform(getImport, idOf(ctx)), list)),
  )

  // For the page's script, which moves the bar.
  show(`${one}/progress`, { ...rules, unattended: true }, async (ctx, staff) => {
    const shown = valueAt(await staff.perform(getImport, idOf(ctx)), list)
    const { state, total, checked, done: through } = shown
    answer.data(ctx, {
      state,
      total: String(total),
      behind: String(state === 'checking' ? checked : through),
      words: words(ctx, progressOf(shown)),
    })
  })

  show(`${one}/report`, rules, async (ctx, staff) => {
    const { id } = valueAt(await staff.perform(getImport, idOf(ctx)), list)
    const say = (key: string, params = {}) =>
      messages.translate(ctx.state.language, `admin.imports.${key}`, params)
    const text = importReport(store, id, {
      heading: [say('column.row'), say('outcome'), say('problems')],
      outcome: (outcome) => say(`outcomes.${outcome}`),
      problem: ({ field, code, row = 0 }) =>
        `${say(`column.${field}`)}: ${say(`problem.${code}`, { row })}`,
    })
    answer.download(ctx, { name: `import-${id.slice(0, 8)}.csv`, type: csv, text })
  })

  const words = (ctx: Context, { key, params }: ReturnType<typeof progressOf>) =>
    messages.translate(ctx.state.language, key, params)

  /** What is done to one of them by a button. */
  function button(what: string, operation: Operation, how: { dangerous?: true; after?: string }) {
    const { dangerous = false, after } = how
    act(
      `${one}/${what}`,
      { ...rules, dangerous, page: ({ id = '' }) => `${list}/${id}` },
      async (ctx, staff, { confirm = '' }) => {
        const { id } = idOf(ctx)
        const shown = valueAt(await staff.perform(getImport, { id }), list)
        if (confirmed.has(what) && visibleLetters(confirm) !== visibleLetters(shown.file)) {
          const problem = { field: `import-${what}-confirm`, problem: 'admin.problem.confirm' }
          await showOne(ctx, staff, shown, [problem])
          return
        }
        valueAt(await staff.perform(operation, { id }), `${list}/${id}`)
        done(ctx, after ?? `${list}/${id}`, `import-${what}`)
      },
    )
  }

  button('start', startImport, { dangerous: true })
  button('stop', stopImport, {})
  button('resume', resumeImport, { dangerous: true })
  button('remove', removeImport, { after: list })

  function showExport(
    ctx: Context,
    staff: Staff,
    values: { county: string; school: string; status: string },
    problems?: ReturnType<typeof problemsFrom>,
  ) {
    const { language } = ctx.state
    const counties = config.connectors.map(({ id, label }) => ({ id, label: label[language] }))
    const statuses = exportFilter.shape.status.unwrap().options
    const locals = { counties, values, statuses, columns: exportColumns }
    page(ctx, staff, 'admin-export', locals, problems ? { problems } : {})
  }
}

/** Acts for which the file's name is typed. */
const confirmed = new Set(['start', 'remove'])

/** A reason as an address names it; and all of them. */
const keyOf = ({ field, code }: { field: string; code: string }) => `${field}:${code}`
const everyRow = 'all'

const idOf = ({ params: { id = '' } }: Context) => ({ id })

const rejectedFile = (code: keyof typeof fileProblems) => ({
  kind: 'rejected' as const,
  problems: [{ field: 'file', message: fileProblems[code], code }],
})

const pagesOf = (
  path: string,
  asked: Record<string, string | undefined> & { cursor: string | undefined },
  next: string | undefined,
) => ({
  first: asked.cursor ? withQuery(path, { ...asked, cursor: undefined }) : undefined,
  next: next && withQuery(path, { ...asked, cursor: next }),
})

/** How far it is, in words. */
function progressOf({ state, total, checked, done, rate, secondsLeft }: PeopleImport) {
  const behind = state === 'checking' ? checked : done
  const written = (count: number) => count.toLocaleString('en')
  const params = {
    behind: written(behind),
    total: written(total),
    rate: written(Math.round(rate ?? 0)),
    minutes: Math.ceil((secondsLeft ?? 0) / 60),
  }
  const known = secondsLeft === undefined ? 'begun' : 'known'
  return {
    key: `admin.imports.progress.${state === 'checking' ? 'checking' : 'importing'}.${known}`,
    params,
  }
}

const dayOf = ({ now }: House) => new Date(now()).toISOString().slice(0, 10)
