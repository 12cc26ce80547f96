/** The pages of imports with made-up data. */
import { columns } from '#admin/imports/columns.ts'
import { exportColumns } from '#admin/imports/export.ts'
import type { PeopleImport } from '#admin/operations/imports.ts'
import { importStates } from '#store/people-imports.ts'
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

const reasons = [
  {
    field: 'password_hash',
    code: 'hash-costly',
    outcome: 'refused' as const,
    rows: 98_211,
    examples: [90_002, 90_003, 90_004, 90_005, 90_006],
    href: '/admin/imports/a?reason=password_hash:hash-costly',
  },
  {
    field: 'account',
    code: 'twin',
    outcome: 'refused' as const,
    rows: 1,
    examples: [3],
    href: '/admin/imports/a?reason=account:twin',
  },
  {
    field: 'row',
    code: 'no-way-in',
    outcome: 'warned' as const,
    rows: 12,
    examples: [2, 4, 6, 8, 10],
    href: '/admin/imports/a?reason=row:no-way-in',
  },
]

export function importsFixtures(lang: string): Fixture[] {
  const page = staffPage('/admin/imports')
  const shown = {
    ...page,
    createdBy: '陳管理',
    progress: '41,200 / 100,000',
    everyRow: '/admin/imports/a?reason=all',
    reasons: [],
    first: '/admin/imports/a',
    next: '/admin/imports/a?cursor=b',
  }
  const importing = { state: 'importing', done: 41_200, rate: 900, secondsLeft: 65 } as const
  const every = { state: '', states: importStates }
  return [
    {
      name: 'admin-imports',
      view: 'admin-imports',
      locals: {
        ...page,
        ...every,
        imports: [one({}), one({ id: 'b', state: 'failed', problem: 'expired' })],
        mayExport: true,
        next: '/admin/imports?cursor=b',
      },
    },
    {
      name: 'admin-imports-empty',
      view: 'admin-imports',
      locals: { ...page, ...every, imports: [], mayExport: false },
    },
    {
      name: 'admin-imports-none-such',
      view: 'admin-imports',
      locals: { ...page, ...every, state: 'stopped', imports: [], mayExport: false },
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
      name: 'admin-import-repeated',
      view: 'admin-import',
      locals: { ...shown, import: one({ refused: 98_211 }), reasons },
    },
    {
      name: 'admin-import-reason',
      view: 'admin-import',
      locals: {
        ...shown,
        import: one({}),
        reasons,
        reason: reasons[1],
        everyReason: '/admin/imports/a',
        notes,
      },
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
      name: 'admin-import-not-allowed',
      view: 'admin-import',
      locals: {
        ...shown,
        import: one({ ...importing, state: 'stopped', problem: 'not-allowed' }),
        startedBy: '陳管理',
        resumedBy: '林管理',
        notes: [],
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
