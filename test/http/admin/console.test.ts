/** What stands before every page of the console. */
import test from 'ava'
import { openMember } from '../../helpers/account.ts'
import { openBrowser } from '../../helpers/browser.ts'
import { openStaff } from '../../helpers/staff.ts'
import { buildWorld } from '../../helpers/world.ts'

test('staff with both factors see the console and the parts their role has', async (t) => {
  const world = await buildWorld(t)
  const owner = await openStaff(world)
  const page = await owner.open('/admin')
  t.is(page.status, 200)
  t.truthy(page.document.querySelector('#nav-staff'))
  const auditor = await openStaff(world, [{ role: 'support', reach: 'county:ntpc' }])
  const narrow = await auditor.open('/admin')
  t.is(narrow.status, 200)
  t.truthy(narrow.document.querySelector('#nav-people'))
  t.falsy(narrow.document.querySelector('#nav-staff'))
})

test('strangers are sent to sign in, members without a role are told so', async (t) => {
  const world = await buildWorld(t)
  const stranger = await openBrowser().open(`${world.issuer}/admin`)
  t.regex(stranger.url.pathname, /^\/interaction\//)
  const member = await openMember(world)
  const page = await member.open('/admin')
  t.is(page.status, 403)
  t.is(page.url.pathname, '/admin')
})
