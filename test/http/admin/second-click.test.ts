/** What is shown once and lost to a second click: the second answer says what happened, and how to get it anew. */
import test from 'ava'
import { perform } from '#admin/operation.ts'
import { addClientOwner, createClient } from '#admin/operations/clients.ts'
import { operatorBy } from '#admin/staff.ts'
import { openMember, text } from '../../helpers/account.ts'
import type { Page } from '../../helpers/browser.ts'
import { openSharedWorld } from '../../helpers/shared-world.ts'
import { openStaff, type Staff } from '../../helpers/staff.ts'
import type { World } from '../../helpers/world.ts'

let world: World
let staff: Staff
test.before(async () => {
  world = await openSharedWorld({ registration: { dynamic: true } })
  staff = await openStaff(world)
})

/** Both clicks on one button; the browser shows what answers the second one. */
async function clickTwice(page: Page, form: string, fields: Record<string, string> = {}) {
  const [, shown] = [
    await staff.browser.submit(page, form, fields),
    await staff.browser.submit(page, form, fields),
  ]
  return { status: shown.status, path: shown.url.pathname, said: text(shown, '#notice'), shown }
}

test.serial('of an app that was registered she is told where to make a secret', async (t) => {
  const form = await staff.open('/admin/clients/new?kind=machine')
  const { status, path, said, shown } = await clickTwice(form, 'client-form', { name: '雙擊' })
  t.like({ status, path }, { status: 200, path: '/admin/clients' })
  t.regex(said, /已登錄.*只顯示一次.*重新產生密鑰/)
  t.true(shown.html.includes('雙擊'))
  const made = (await world.house.store.clients.list()).filter(({ name }) => name === '雙擊')
  t.is(made.length, 1)
})

test.serial('of a secret an app’s change brought, and of one that was asked for', async (t) => {
  const { house } = world
  const by = operatorBy('operator:test')
  const wanted = {
    kind: 'web',
    name: '課程',
    redirectUris: ['https://course.example/cb'],
    authMethod: 'private_key_jwt',
    jwksUri: 'https://course.example/jwks',
  }
  const app = await perform(house, by, createClient, wanted)
  if (app.kind !== 'done') throw new Error(JSON.stringify(app))
  const { id } = app.value
  const edit = await staff.open(`/admin/clients/${id}/edit`)
  const { redirectUris } = wanted
  const other = {
    redirectUris: String(redirectUris),
    authMethod: 'client_secret_basic',
    jwksUri: '',
  }
  const changed = await clickTwice(edit, 'client-form', other)
  t.like(changed, { status: 200, path: `/admin/clients/${id}` })
  t.regex(changed.said, /已經送出並儲存.*重新產生/)
  const { secretHash } = (await house.store.clients.find(id)) ?? {}
  t.truthy(secretHash)

  const asked = await clickTwice(changed.shown, 'secret-form')
  t.like(asked, { status: 200, path: `/admin/clients/${id}` })
  t.regex(asked.said, /新密鑰已經產生.*再產生一組/)
  t.is((await house.store.clients.find(id))?.formerSecretHash, secretHash)
  const anew = await staff.browser.submit(asked.shown, 'secret-now', { confirm: '課程' })
  t.truthy(anew.document.querySelector('#secret-on'), 'as it said, another one can be made')

  const member = await openMember(world, { account: 'twice@mail.edu.tw' })
  await perform(house, by, addClientOwner, { id, account: 'twice@mail.edu.tw' })
  const own = await member.open(`/account/clients/app?id=${id}`)
  await member.browser.submit(own, 'secret-form', { keep: '0' })
  const { version } = (await house.store.clients.find(id)) ?? {}
  const second = await member.browser.submit(own, 'secret-form', { keep: '0' })
  t.is(second.status, 200)
  t.is(second.url.searchParams.get('id'), id)
  t.regex(second.html, /新密鑰已經產生.*再產生一組/)
  t.is((await house.store.clients.find(id))?.version, version)
})

test.serial('of somebody who was added she is led to that person', async (t) => {
  const form = await staff.open('/admin/people/new')
  const fields = { account: 'double', name: '林美玲' }
  const { status, path, said, shown } = await clickTwice(form, 'new-form', fields)
  t.is(status, 200)
  t.regex(path, /^\/admin\/people\/[\w-]{36}$/)
  t.is(text(shown, 'h1'), '林美玲')
  t.regex(said, /帳號已建立.*密碼重設連結/)
  const slip = await staff.browser.submit(await staff.open('/admin/people/new'), 'new-form', fields)
  t.is(slip.status, 422, 'who means another person hears that the name is taken')
})

test.serial('of a registration token, and of an invitation', async (t) => {
  const tokens = await staff.open('/admin/registration')
  const fields = { label: '平台', hosts: 'app.example' }
  const token = await clickTwice(tokens, 'token-form', fields)
  t.like(token, { status: 200, path: '/admin/registration' })
  t.regex(token.said, /權杖已經產生.*撤銷/)
  t.is((await world.house.store.registrations.listTokens(undefined, 9)).length, 1)

  const invite = await staff.open('/admin/staff/invite')
  const wanted = { email: 'new@example.gov.tw', 'role-auditor': '' }
  const invited = await clickTwice(invite, 'invite-form', wanted)
  t.like(invited, { status: 200, path: '/admin/staff' })
  t.regex(invited.said, /邀請信也已寄出.*再次邀請/)
  const events = await world.house.store.auditReads.list({ action: 'staff.invite', limit: 9 })
  t.is(events.length, 1, 'the link of the first letter is good')
})

test.serial('of both clicks at the same moment one does it, and the other says so', async (t) => {
  const form = await staff.open('/admin/people/new')
  const fields = { account: 'at-once', name: '同時' }
  const answers = await Promise.all(
    [1, 2, 3].map(() => staff.browser.submit(form, 'new-form', fields)),
  )
  t.is(answers.filter((one) => one.document.querySelector('#password')).length, 1)
  t.true(answers.every(({ status }) => status === 200))
})
