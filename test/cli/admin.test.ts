/** The first owner is invited at the command line, and nobody locks everybody out there. */
import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { runCli } from '../helpers/cli.ts'
import { acceptAsNew } from '../helpers/staff.ts'
import { buildWorld } from '../helpers/world.ts'

test('an operator invites an owner, sees who has a role, and cannot take the last one away', async (t) => {
  const world = await buildWorld(t)
  const env = { DATA_DIR: world.dataDir, ISSUER: world.issuer }
  const cli = (...args: string[]) => runCli(['admin', ...args], { env })
  const address = 'owner@example.gov.tw'
  const invited = cli('invite', '--email', address, '--role', 'owner')
  t.is(invited.exit, 0, invited.err)
  const [link = ''] = invited.out.split('\n')
  t.true(link.startsWith(`${world.issuer}/admin/invitation/`), invited.out)
  t.regex(invited.out, /hand it over yourself/)
  t.is((await openBrowser().open(link)).status, 200)
  t.regex(cli('list').out, /^invited until \S+Z {2}owner@example\.gov\.tw {2}owner$/m)

  const owner = await acceptAsNew(world, link)
  t.is(owner.page.url.pathname, '/admin')
  const last = cli('revoke', owner.account, '--role', 'owner')
  t.is(last.exit, 65)
  t.regex(last.err, /the last owner who can get in: invite another one first/)
  t.is((await owner.open('/admin')).status, 200)
})
