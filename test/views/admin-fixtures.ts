/** The console's pages with made-up data: each subject adds its own list. */
import type { StaffPage } from '#http/admin-views.ts'
import { appLifeFixtures } from './admin-app-life-fixtures.ts'
import { clientFixtures } from './admin-clients-fixtures.ts'
import { importsFixtures } from './admin-imports-fixtures.ts'
import { operationsFixtures } from './admin-operations-fixtures.ts'
import { peopleFixtures } from './admin-people-fixtures.ts'
import { staffFixtures } from './admin-staff-fixtures.ts'
import { upstreamsFixtures } from './admin-upstreams-fixtures.ts'
import type { Fixture } from './fixtures.ts'

/** What every page of the console is given. */
export const staffPage = (here: string): StaffPage => ({
  formToken: 'token-of-this-form',
  staff: 'whose-form',
  once: 'once',
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

export function adminFixtures(lang: string): Fixture[] {
  return [
    ...operationsFixtures(lang),
    ...clientFixtures(lang),
    ...appLifeFixtures(lang),
    ...importsFixtures(lang),
    ...peopleFixtures(lang),
    ...upstreamsFixtures(lang),
    ...staffFixtures(lang),
  ]
}
