/** The installation itself at the console, and the doctor. */
import { examineSystem, readSystem, type SystemShape } from '#admin/operations/system.ts'
import { day, seconds } from '#lib/time.ts'
import type { House } from '../../house.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'

const path = '/admin/system'
const read = { permission: 'system.read' } as const

const pages: Record<SystemShape['endings'][number]['what'], (id: string) => string> = {
  key: () => '/admin/keys',
  certificate: (id) => `/admin/upstreams/${encodeURIComponent(id)}`,
  upstream: (id) => `/admin/upstreams/${encodeURIComponent(id)}`,
  secret: (id) => `/admin/clients/${encodeURIComponent(id)}`,
}

export function systemRoutes({ show, act, page, done }: Console, { now }: House): void {
  show(path, read, async (ctx, staff) => {
    const system = valueIn(await staff.perform(readSystem, {}), path)
    const at = seconds(now)
    const endings = system.endings.map((one) => ({
      ...one,
      at: new Date(one.at),
      days: Math.floor((Date.parse(one.at) / 1000 - at) / day),
      href: pages[one.what](one.id),
    }))
    page(ctx, staff, 'admin-system', { system, endings })
  })

  act(`${path}/examine`, { ...read, page: () => path }, async (ctx, staff) => {
    const made = valueIn(await staff.perform(examineSystem, {}), path)
    done(ctx, path, made.examination ? 'examined' : 'examining')
  })
}
