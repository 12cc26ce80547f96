/** What the bench prints: tables that read well in a terminal and in Markdown, and the last line. */
import type { Measured } from './rounds.ts'
import type { TargetName } from './targets.ts'
import type { WorkloadName } from './workloads.ts'

/** The workloads of the last line, in its order. */
const headline: WorkloadName[] = [
  'full sign-in',
  'silent',
  'refresh',
  'client cred.',
  'userinfo',
  'introspection',
]

/** One part of the report, and how many requests failed in it. */
export type Section = { text: string; failed: number }

/** A Markdown table: two columns left, the others right. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, i) =>
    Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0), title.length),
  )
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** A server's figure beside the ceiling's; `-` where it was not measured. */
function ratio(
  rows: Measured[],
  workload: WorkloadName,
  target: TargetName,
  figure: (row: Measured) => number = ({ perSecond }) => perSecond,
): string {
  const of = (name: TargetName) =>
    rows.find((row) => row.workload === workload && row.target === name)
  const [ours, ceiling] = [of(target), of('ceiling')]
  return ours && ceiling ? (figure(ours) / figure(ceiling)).toFixed(2) : '-'
}

const head = [
  'workload',
  'server',
  'per s',
  'ratio',
  'p50 ms',
  'p99 ms',
  'CPU ms',
  'CPU ratio',
  'core busy',
  'requests',
  'statements',
  'failed',
]

export const workloadTable = (rows: Measured[]): string =>
  table(
    head,
    rows.map((row) => [
      row.workload,
      row.target,
      row.perSecond.toFixed(0),
      ratio(rows, row.workload, row.target),
      row.p50.toFixed(2),
      row.p99.toFixed(1),
      row.cpu.toFixed(3),
      ratio(rows, row.workload, row.target, ({ cpu }) => 1 / cpu),
      `${(row.busy * 100).toFixed(0)} %`,
      String(row.requests),
      row.statements?.toFixed(1) ?? '-',
      String(row.failed),
    ]),
  )

/** Where the ceiling waited for its load, the ratio flatters us: the ratio of CPU times does not. */
export function idleCeilings(rows: Measured[]): string {
  const idle = rows.filter(({ target, busy }) => target === 'ceiling' && busy < 0.9)
  if (idle.length === 0) return ''
  const names = idle.map(({ workload }) => workload).join(', ')
  return `\nthe ceiling’s core was not busy (${names}): something else ran here; read the CPU ratio`
}

export const lastLine = (rows: Measured[]): string =>
  `bench: ${headline
    .map((name) => `${name} pg ${ratio(rows, name, 'pg')} sqlite ${ratio(rows, name, 'sqlite')}`)
    .join(', ')}`
