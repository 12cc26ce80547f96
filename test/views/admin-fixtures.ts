/** The console's pages with made-up data: each subject adds its own list. */
import type { StaffPage } from '#http/admin-views.ts'
import type { Fixture } from './fixtures.ts'

/** What every page of the console is given. */
export const staffPage = (here: string): StaffPage => ({
  formToken: 'token-of-this-form',
  staff: 'whose-form',
  here,
  sections: [
    '/admin',
    '/admin/clients',
    '/admin/requests',
    '/admin/registration',
    '/admin/people',
    '/admin/imports',
    '/admin/upstreams',
    '/admin/keys',
    '/admin/outbox',
    '/admin/audit',
    '/admin/statistics',
    '/admin/system',
    '/admin/staff',
  ],
  problems: [],
})

export function adminFixtures(_lang: string): Fixture[] {
  return [{ name: 'admin', view: 'admin', locals: { ...staffPage('/admin'), first: [] } }]
}
