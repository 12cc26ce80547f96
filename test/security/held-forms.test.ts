/** A form that waits while staff prove themselves anew: shown whole, offered once, and only where there is one. */
import test from 'ava'
import { text } from '../helpers/account.ts'
import type { Page } from '../helpers/browser.ts'
import { openClock } from '../helpers/knocking.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { acceptAsNew, type Invited, invite, nextCode } from '../helpers/staff.ts'
import type { World } from '../helpers/world.ts'

let world: World
let boss: Invited
const clock = openClock()
test.before(async () => {
  world = await openSharedWorld({ now: clock.now })
  boss = await acceptAsNew(world, await invite(world))
})

const bodyId = (page: Page) => page.document.querySelector('body')?.id

/** Longer than anybody may sit idle. */
const goAway = () => {
  clock.pass(16 * 60)
}

/** The second factor, where she is asked for it; then where she comes out. */
async function proveOn(t: { is(a: unknown, b: unknown): void }, asked: Page): Promise<Page> {
  t.is(bodyId(asked), 'page-second-factor')
  return boss.browser.submit(asked, 'code-form', { code: nextCode(clock, boss.secret) })
}

test.serial('she sees all that waits before she sends it: where to, and every line', async (t) => {
  const form = await boss.open('/admin/clients/new?kind=web')
  goAway()
  const good = 'https://good.example/cb'
  const typed = {
    name: '課程平台',
    redirectUris: `${good}${'\r\n'.repeat(6_000)}https://evil.example/cb`,
    contacts: '',
  }
  const held = await proveOn(t, await boss.browser.submit(form, 'client-form', typed))
  t.is(bodyId(held), 'page-admin-held')
  t.regex(text(held, '#held-fields'), /good\.example.*evil\.example/)
  t.is(text(held, '#held-action'), '/admin/clients/new')
  t.regex(text(held, '#held-empty'), /contacts/)
})

test.serial('what was sent from there is not offered once more', async (t) => {
  const form = await boss.open('/admin/people/new')
  goAway()
  const typed = { account: 'once-only', name: '王一次' }
  const held = await proveOn(t, await boss.browser.submit(form, 'new-form', typed))
  const slip = await boss.browser.submit(held, 'held-form', { held: 'x'.repeat(43) })
  t.regex(text(slip, 'main'), /王一次的帳號已建立/, 'it is no field of the form itself')
  t.is(bodyId(await boss.open(held.url.pathname)), 'page-admin-held', 'another one is not hers')
  await boss.browser.submit(held, 'held-form')
  const again = await boss.open(held.url.pathname)
  t.is(again.url.pathname, '/admin')
  t.regex(text(again, '#notice'), /不再保留/)
})

test.serial('nothing waits of what was not typed: she is back where it stands', async (t) => {
  const form = await boss.open('/admin/clients/new?kind=web')
  const system = await boss.open('/admin/system')
  goAway()
  // A button’s page may have a policy of its own: it says where forms may lead.
  const back = await proveOn(t, await boss.browser.submit(system, 'examine'))
  t.is(back.url.pathname, '/admin/system')
  t.regex(text(back, '#notice'), /再按一次/)

  goAway()
  const hidden = (name: string) =>
    form.document.querySelector(`#client-form input[name=${name}]`)?.getAttribute('value') ?? ''
  const body = new URLSearchParams({ redirectUris: 'https://half.example/typ', kind: 'web' })
  for (const name of ['form_token', 'staff']) body.set(name, hidden(name))
  const check = form.document.querySelector('#client-form')?.getAttribute('data-check')
  const asked = await boss.browser.open(`${world.issuer}${check}`, { method: 'POST', body })
  t.is((await proveOn(t, asked)).url.pathname, '/admin/clients/new', 'nor what a script asks')
})

test.serial('of whom is no staff any more nothing is kept', async (t) => {
  const { store } = world.house
  const form = await boss.open('/admin/people/new')
  const out = await boss.open('/session/end')
  await boss.browser.submit(out, 'sign-out-form', { logout: 'yes' })
  const row = { holder: boss.sub, role: 'owner', reach: '' }
  t.true(await store.staffRoles.revoke(row))
  const kept: unknown[] = []
  const { keep } = store.sealedNotes
  store.sealedNotes.keep = async (one) => {
    kept.push(one)
    await keep(one)
  }
  t.teardown(() => Object.assign(store.sealedNotes, { keep }))
  await boss.browser.submit(form, 'new-form', { account: 'flood', name: '洪水' })
  t.deepEqual(kept, [])
})
