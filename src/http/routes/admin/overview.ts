/** Where staff arrive: what wants doing. */
import {
  type FirstStep,
  firstStepsOf,
  recentSignIns,
  type TaskKind,
  tasksOf,
} from '#admin/overview.ts'
import { seconds } from '#lib/time.ts'
import type { House } from '../../house.ts'
import type { Console } from './console.ts'
import { columnsOf } from './plots.ts'

const pages: Record<TaskKind, string> = {
  'audit-broken': '/admin/audit',
  'upstreams-down': '/admin/upstreams?show=down',
  'logins-stopped': '/admin/people',
  requests: '/admin/requests',
  'secrets-ended': '/admin/clients?state=expiring',
  'secrets-ending': '/admin/clients?state=expiring',
  'messages-dead': '/admin/outbox?state=dead',
  'imports-failed': '/admin/imports',
  'imports-checked': '/admin/imports',
  'upstreams-off': '/admin/upstreams?show=off',
  'certificates-ending': '/admin/upstreams',
  'answers-unread': '/admin/upstreams',
  'jobs-failed': '/admin/system',
  applications: '/admin/people',
}

const steps: Record<FirstStep['step'], string> = {
  app: '/admin/clients/new',
  colleague: '/admin/staff',
  mail: '/admin/system',
  county: '/admin/upstreams',
}

export function overviewRoutes({ show, page }: Console, house: House): void {
  const { now } = house

  show('/admin', { permission: 'console.open' }, async (ctx, staff) => {
    const { by } = staff
    const at = seconds(now)
    const [tasks, first, signIns] = await Promise.all([
      tasksOf(house, by, at),
      firstStepsOf(house, by, at),
      recentSignIns(house, by, at),
    ])
    page(ctx, staff, 'admin', {
      tasks: tasks.map((task) => ({ ...task, href: pages[task.kind] })),
      first: first.map((one) => ({ ...one, href: steps[one.step] })),
      signIns: signIns && {
        plot: columnsOf(signIns.days, 96),
        ok: signIns.all.ok,
        failed: signIns.all.failed,
        days: signIns.days.length,
      },
    })
  })
}
