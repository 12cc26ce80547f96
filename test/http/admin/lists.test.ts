/** Lists of the console are narrowed and turned round, and say it in their address. */
import test from 'ava'
import { text } from '../../helpers/account.ts'
import type { Page } from '../../helpers/browser.ts'
import { openSharedWorld } from '../../helpers/shared-world.ts'
import { openStaff, type Staff } from '../../helpers/staff.ts'
import type { World } from '../../helpers/world.ts'

let world: World
let owner: Staff
test.before(async () => {
  world = await openSharedWorld({ registration: { dynamic: true } })
  owner = await openStaff(world)
})

/** More than stand on a page. */
const many = Array.from({ length: 52 }, (_, i) => i)

const rowsOf = (page: Page, table: string) =>
  page.document.querySelectorAll(`#${table} tbody tr th`).map((one) => one.text.trim())
const hrefOf = (page: Page, id: string) =>
  page.document.querySelector(`#${id}`)?.getAttribute('href') ?? ''
const chosen = (page: Page, field: string) =>
  page.document.querySelector(`#f-${field} option[selected]`)?.getAttribute('value')
const narrowed = (page: Page, fields: Record<string, string>) =>
  owner.browser.submit(page, 'filter-form', fields)
const clears = (page: Page) => page.document.querySelector('.empty a')?.getAttribute('href')

test('staff are found by name, role and county, and the pages after the first keep to it', async (t) => {
  const { store } = world.house
  for (const i of many) {
    const holder = `client:robot-${String(i).padStart(2, '0')}`
    const [role, reach] = i === 7 ? ['support', 'county:ntpc'] : ['auditor', '']
    await store.staffRoles.grant({ holder, role, reach, grantedAt: 1, grantedBy: 'operator:test' })
  }
  const all = await owner.open('/admin/staff')
  t.is(rowsOf(all, 'staff').length, 50)
  const auditors = await narrowed(all, { role: 'auditor' })
  t.regex(auditors.url.search, /role=auditor/)
  t.is(chosen(auditors, 'role'), 'auditor')
  const rest = await owner.open(hrefOf(auditors, 'next-page'))
  t.is(chosen(rest, 'role'), 'auditor')
  t.is(rowsOf(rest, 'staff').length, 1)
  t.is(hrefOf(rest, 'first-page'), '/admin/staff?role=auditor')
  const county = await owner.open('/admin/staff?county=ntpc')
  t.deepEqual(rowsOf(county, 'staff').length, 1)
  t.regex(rowsOf(county, 'staff')[0] ?? '', /^robot-07/)
  const named = await owner.open('/admin/staff?name=ROBOT-1')
  t.is(rowsOf(named, 'staff').length, 10)
  // One role of hers has to be both.
  const none = await owner.open('/admin/staff?role=auditor&county=ntpc')
  t.is(clears(none), '/admin/staff')
  t.is(chosen(none, 'county'), 'ntpc')
  t.is((await owner.open('/admin/staff?role=king&county=atlantis')).status, 200)
})

test('tokens are narrowed to those that are open, used up, expired or revoked', async (t) => {
  const { registrations } = world.house.store
  const at = Math.floor(world.house.now() / 1000)
  const policy = { kinds: ['web'], scopes: [], hosts: ['app.example'] }
  const make = (label: string, more: object = {}) =>
    registrations.makeToken({
      id: label,
      digest: label,
      label,
      policy,
      usesLeft: 1,
      used: 0,
      createdAt: at,
      createdBy: 'operator:test',
      expiresAt: at + 1000,
      ...more,
    })
  t.falsy((await owner.open('/admin/registration')).document.querySelector('#filter-form'))
  for (const i of many) await make(`open-${i}`)
  await make('gone', { expiresAt: at - 1 })
  await make('used', { usesLeft: 0 })
  await make('used-and-gone', { usesLeft: 0, expiresAt: at - 1 })
  await make('taken-back')
  await registrations.revokeToken('taken-back', at)
  const of = async (state: string) => owner.open(`/admin/registration?state=${state}`)
  t.deepEqual(rowsOf(await of('expired'), 'tokens'), ['gone'])
  t.deepEqual(rowsOf(await of('used-up'), 'tokens').sort(), ['used', 'used-and-gone'])
  t.deepEqual(rowsOf(await of('revoked'), 'tokens'), ['taken-back'])
  const open = await narrowed(await of('expired'), { state: 'open' })
  t.is(open.url.search, '?state=open')
  const next = await owner.open(hrefOf(open, 'next-page'))
  t.is(rowsOf(open, 'tokens').length + rowsOf(next, 'tokens').length, many.length)
  t.is(chosen(next, 'state'), 'open')
})

test('requests are read from either end', async (t) => {
  const { store } = world.house
  for (const i of many) {
    await store.clientRequests.make({
      id: `r-${String(i).padStart(2, '0')}`,
      accountId: owner.sub,
      wanted: {},
      purpose: 'x',
      state: 'waiting',
      createdAt: 1000 + i,
    })
  }
  const usual = await owner.open('/admin/requests')
  t.is(chosen(usual, 'order'), 'oldest')
  t.is(rowsOf(usual, 'requests')[0], 'r-00')
  const newest = await narrowed(usual, { order: 'newest' })
  t.is(rowsOf(newest, 'requests')[0], 'r-51')
  const rest = await owner.open(hrefOf(newest, 'next-page'))
  t.deepEqual(rowsOf(rest, 'requests'), ['r-01', 'r-00'])
  t.is(hrefOf(rest, 'first-page'), '/admin/requests?state=waiting&order=newest')
  const turned = hrefOf(newest, 'next-page').replace('order=newest', 'order=oldest')
  t.is((await owner.open(turned)).status, 400, 'a cursor of the other order')
  t.is(clears(await owner.open('/admin/requests?state=refused')), '/admin/requests')
})

test('imports are narrowed to a state', async (t) => {
  const { peopleImports } = world.house.store
  t.falsy((await owner.open('/admin/imports')).document.querySelector('#filter-form'))
  for (const [i, state] of (['checked', 'stopped'] as const).entries()) {
    const id = `00000000-0000-4000-8000-00000000000${i}`
    const rules = { existing: 'skip' }
    const times = { createdAt: 1000, expiresAt: 2 ** 33 }
    await peopleImports.begin({ id, file: `${state}.csv`, rules, createdBy: owner.sub, ...times })
    await peopleImports.turn(id, ['receiving'], state, 1000)
  }
  const stopped = await narrowed(await owner.open('/admin/imports'), { state: 'stopped' })
  t.is(stopped.url.search, '?state=stopped')
  t.deepEqual(rowsOf(stopped, 'imports'), ['stopped.csv'])
  const failed = await narrowed(stopped, { state: 'failed' })
  t.is(clears(failed), '/admin/imports')
  t.is(chosen(failed, 'state'), 'failed')
})

test('the trail is read from its beginning too, and what was asked stays', async (t) => {
  const { audit } = world.house.store
  for (const i of many) {
    const event = { at: 1000 + i, actor: 'operator:lists', action: 'trail.test', target: '' }
    await audit.record({ ...event, outcome: 'ok', address: '', ref: `ref-${i}` })
  }
  const path = '/admin/audit?actor=operator%3Alists'
  const first = async (page: Page) =>
    text(await owner.open(hrefOf(page, 'events tbody th a')), 'dl, table')
  const newest = await owner.open(path)
  t.regex(await first(newest), /ref-51/)
  const oldest = await owner.browser.submit(newest, 'filter', { order: 'oldest' })
  t.is(chosen(oldest, 'order'), 'oldest')
  t.truthy(oldest.document.querySelector('.more-filters[open]'))
  t.regex(await first(oldest), /ref-0\b/)
  const next = hrefOf(oldest, 'next-page')
  const rest = await owner.open(next)
  t.is(rowsOf(rest, 'events').length, 2)
  t.is(hrefOf(rest, 'first-page'), '/admin/audit?actor=operator%3Alists&order=oldest')
  t.is((await owner.open(next.replace('&order=oldest', ''))).status, 422)
})
