/** The pages of imports with made-up data. */
import { columns } from '#admin/imports/columns.ts'
import { exportColumns } from '#admin/imports/export.ts'
import type { PeopleImport } from '#admin/operations/imports.ts'
import { staffPage } from './admin-fixtures.ts'
import type { Fixture } from './fixtures.ts'

const one = (more: Partial<PeopleImport>): PeopleImport => ({
  id: '7f0f2a52-5a0e-4c33-9d3c-1f9f5c5c2a11',
  file: '114學年度 全市教師.csv',
  state: 'checked',
  existing: 'update',
  total: 100_000,
  checked: 100_000,
  done: 0,
  created: 98_211,
  updated: 1_200,
  same: 540,
  refused: 49,
  warned: 12,
  createdBy: 'a',
  createdAt: '2026-11-21T08:30:00Z',
  updatedAt: '2026-11-21T08:31:40Z',
  expiresAt: '2026-11-28T08:30:00Z',
  ...more,
})

const notes = [
  {
    row: 3,
    outcome: 'refused' as const,
    problems: [
      { field: 'account', code: 'twin', row: 2 },
      { field: 'password_hash', code: 'hash-costly' },
    ],
  },
  {
    row: 90_211,
    outcome: 'warned' as const,
    problems: [{ field: 'school_code', code: 'school-elsewhere' }],
  },
]

export function importsFixtures(lang: string): Fixture[] {
  const page = staffPage('/admin/imports')
  const shown = {
    ...page,
    createdBy: '陳管理',
    progress: '41,200 / 100,000',
    first: '/admin/imports/a',
    next: '/admin/imports/a?cursor=b',
  }
  const importing = { state: 'importing', done: 41_200, rate: 900, secondsLeft: 65 } as const
  return [
    {
      name: 'admin-imports',
      view: 'admin-imports',
      locals: {
        ...page,
        imports: [one({}), one({ id: 'b', state: 'failed', problem: 'expired' })],
        mayExport: true,
        next: '/admin/imports?cursor=b',
      },
    },
    {
      name: 'admin-imports-empty',
      view: 'admin-imports',
      locals: { ...page, imports: [], mayExport: false },
    },
    {
      name: 'admin-import-new',
      view: 'admin-import-new',
      locals: { ...page, existing: 'skip', options: ['skip', 'update', 'refuse'], columns },
    },
    {
      name: 'admin-import-new-wrong',
      view: 'admin-import-new',
      locals: {
        ...page,
        existing: 'update',
        options: ['skip', 'update', 'refuse'],
        columns,
        problems: [
          {
            field: 'file',
            problem: { key: 'admin.problem.column-unknown', params: { what: '=cmd|calc' } },
          },
        ],
      },
    },
    {
      name: 'admin-import-checked',
      view: 'admin-import',
      locals: { ...shown, import: one({}), notes },
    },
    {
      name: 'admin-import-importing',
      view: 'admin-import',
      locals: { ...shown, import: one(importing), startedBy: '陳管理', notes: [] },
    },
    {
      name: 'admin-import-stopped',
      view: 'admin-import',
      locals: {
        ...shown,
        import: one({ ...importing, state: 'stopped', problem: 'broken' }),
        notes,
      },
    },
    {
      name: 'admin-import-failed',
      view: 'admin-import',
      locals: { ...shown, import: one({ state: 'failed', problem: 'unreadable' }), notes: [] },
    },
    {
      name: 'admin-export',
      view: 'admin-export',
      locals: {
        ...page,
        counties: [{ id: 'ntpc', label: lang === 'en' ? 'New Taipei City' : '新北市' }],
        values: { county: '', school: '', status: '' },
        statuses: ['active', 'suspended', 'closed', 'pending'],
        columns: exportColumns,
      },
    },
  ]
}
