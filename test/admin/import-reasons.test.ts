/** One reason that fits very many rows of an import is told once, with how many and which. */
import test from 'ava'
import { listImportNotes, listImportReasons, startImport } from '#admin/operations/imports.ts'
import { openDatabase } from '#store/database.ts'
import { engines } from '../helpers/database.ts'
import { doing, openImports, upload, workOff } from './imports.ts'

for (const engine of engines) {
  test(`${engine}: each reason is counted once a row, while rows are checked and anew while they are imported`, async (t) => {
    const ports = await openImports(t, engine)
    const lines = Array.from({ length: 1_200 }, (_, i) =>
      i === 1_100
        ? 'p3,,1,no-such'
        : i % 100 === 7
          ? `p${i},王,0912345678,`
          : `p${i},王,1,${i < 3 ? 'no-such' : ''}`,
    )
    const id = await upload(ports, `account,name,phone,kind\n${lines.join('\n')}\n`)
    await workOff(ports)
    const wanted = {
      items: [
        { field: 'phone', code: 'phone', rows: 1_188, examples: [2, 3, 4, 5, 6], lastRow: 1_201 },
        {
          field: 'row',
          code: 'no-way-in',
          rows: 12,
          examples: [9, 109, 209, 309, 409],
          lastRow: 1_109,
        },
        { field: 'kind', code: 'kind', rows: 4, examples: [2, 3, 4, 1_102], lastRow: 1_102 },
        { field: 'account', code: 'twin', rows: 1, examples: [1_102], lastRow: 1_102 },
        { field: 'name', code: 'empty', rows: 1, examples: [1_102], lastRow: 1_102 },
      ],
    }
    const told = (items: { message: string; outcome: string }[]) =>
      items.map(({ message: _, outcome: __, ...one }) => one)
    const found = await doing(ports, listImportReasons, { id })
    t.deepEqual(told(found.items), wanted.items)
    t.like(found.items[0], { message: 'is no telephone number', outcome: 'refused' })
    t.like(found.items[1], { outcome: 'warned' })

    await doing(ports, startImport, { id })
    t.deepEqual((await doing(ports, listImportReasons, { id })).items, [])
    await workOff(ports)
    t.deepEqual(told((await doing(ports, listImportReasons, { id })).items), wanted.items)

    const rowsOf = async (reason: string) => {
      const rows: number[] = []
      let next: string | undefined
      do {
        const page = await doing(ports, listImportNotes, {
          id,
          reason,
          limit: 200,
          ...(next ? { cursor: next } : {}),
        })
        rows.push(...page.items.map(({ row }) => row))
        next = page.next
      } while (next)
      return rows
    }
    t.deepEqual(await rowsOf('kind:kind'), [2, 3, 4, 1_102])
    t.is((await rowsOf('phone:phone')).length, 1_188)
    t.deepEqual(await rowsOf('phone:none'), [])
    t.deepEqual(await rowsOf('name:empty'), [1_102])
  })

  test(`${engine}: of a hundred thousand rows no page looks at more than some thousands`, async (t) => {
    const ports = await openImports(t, engine)
    const { store } = ports
    const id = await upload(ports, 'account,name\nwang,王\n')
    const usual = [{ field: 'phone', code: 'phone' }]
    const rare = [...usual, { field: 'kind', code: 'kind' }]
    const last = 100_000
    for (let first = 2; first <= last; first += 10_000) {
      const notes = Array.from({ length: Math.min(10_000, last - first + 1) }, (_, i) => ({
        row: first + i,
        outcome: 'refused' as const,
        problems: first + i === 2 || first + i === last ? rare : usual,
      }))
      await store.transaction(async ({ importNotes, importReasons }) => {
        await importNotes.note(id, { first, last: first + notes.length - 1 }, notes)
        await importReasons.count(id, notes)
      })
    }
    if (engine === 'postgres') {
      const knex = openDatabase(store.where)
      await knex.raw('ANALYZE people_import_note')
      await knex.destroy()
    }
    const timed = async <T>(work: Promise<T>) => {
      const began = performance.now()
      return { value: await work, ms: performance.now() - began }
    }
    await doing(ports, listImportReasons, { id })
    const reasons = await timed(doing(ports, listImportReasons, { id }))
    t.deepEqual(
      reasons.value.items.map(({ rows }) => rows),
      [99_999, 2],
    )

    const rows: number[] = []
    const times: number[] = []
    let next: string | undefined
    do {
      const input = { id, reason: 'kind:kind', ...(next ? { cursor: next } : {}) }
      const page = await timed(doing(ports, listImportNotes, input))
      rows.push(...page.value.items.map(({ row }) => row))
      times.push(page.ms)
      next = page.value.next
    } while (next)
    t.deepEqual(rows, [2, last])
    t.true(times.length >= 5, 'no page looks at all of them')
    t.log(
      `${engine}: reasons ${reasons.ms.toFixed(1)} ms, rows ${times.map((ms) => ms.toFixed()).join(' ')} ms`,
    )
  })
}
