/** The console's pages about people: looked for, looked at, and acted upon with what was typed kept. */
import test, { type ExecutionContext } from 'ava'
import { signInFederated } from '#accounts/federated.ts'
import { text } from '../../helpers/account.ts'
import { buildIdentity } from '../../helpers/people.ts'
import { openStaff } from '../../helpers/staff.ts'
import { buildWorld, type World } from '../../helpers/world.ts'

const where = { clientId: 'app', address: '127.0.0.1', ref: 'R' }

async function arrive({ house }: World, more: Parameters<typeof buildIdentity>[0] = {}) {
  const come = await signInFederated(house.store, buildIdentity(more), house.now, where)
  if (come.kind !== 'signed-in') throw new Error(come.kind)
  await house.background.run('index-people')
  return come.accountId
}

const open = async (t: ExecutionContext, grants?: Parameters<typeof openStaff>[1]) => {
  const world = await buildWorld(t)
  return { world, staff: await openStaff(world, grants) }
}

test('support looks for somebody, keeps her out with her name typed, and lets her in again', async (t) => {
  const { world, staff } = await open(t, [{ role: 'support', reach: '' }])
  const { browser } = staff
  const her = await world.buildPerson()
  const list = await staff.open('/admin/people')
  const found = await browser.submit(list, 'filter-form', { q: '小明', status: 'active' })
  t.is(found.url.searchParams.get('q'), '小明')
  t.regex(text(found, `#person-${her.sub}`), /王小明.*wang@mail\.edu\.tw/)
  t.is(text(found, '#filter-form [name=status] [selected]'), '使用中')
  t.is(
    text(await staff.open('/admin/people?q=nobody'), '.empty p'),
    '找不到符合的人員。請確認輸入的內容，或少打幾個字。',
  )

  const page = await staff.open(`/admin/people/${her.sub}`)
  t.is(page.status, 200)
  t.is(page.headers.get('cache-control'), 'no-store')
  const slip = await browser.submit(page, 'suspend-form', { reason: '遭盜用', confirm: '王大明' })
  t.is(slip.status, 422)
  t.is(slip.document.querySelector('#f-suspend-reason')?.getAttribute('value'), '遭盜用')
  t.is(slip.document.querySelector('#f-suspend-confirm')?.getAttribute('aria-invalid'), 'true')
  t.truthy(slip.document.querySelector('#problems a[href="#f-suspend-confirm"]'))
  const silent = await browser.submit(slip, 'suspend-form', { reason: '', confirm: '王小明' })
  t.is(silent.status, 422)
  t.truthy(silent.document.querySelector('#problems a[href="#f-suspend-reason"]'))
  t.is((await world.house.store.accounts.find(her.sub))?.status, 'active')
  const out = await browser.submit(silent, 'suspend-form', {
    reason: '遭盜用',
    confirm: ' 王小明 ',
  })
  t.is(out.status, 200)
  t.is(text(out, '#person-status'), '已停權')
  t.regex(text(out, '#notice'), /已停權/)
  t.falsy(out.document.querySelector('#suspend-form'))
  const back = await browser.submit(out, 'reactivate-form', { reason: '已確認' })
  t.is(text(back, '#person-status'), '使用中')
  // A form of before, sent in late: told apart from one that worked.
  t.is((await browser.submit(out, 'reactivate-form', { reason: '再一次' })).status, 409)
  const helped = await browser.submit(back, 'unlock-form')
  t.regex(text(helped, '#notice'), /已解除/)
  t.is((await staff.open('/admin/people/nobody-at-all')).status, 404)
})

test('what names and counties say is text on every page, and raw claims are shown once', async (t) => {
  const { world, staff } = await open(t)
  const evil = '"><img src=x onerror=alert(1)>\u202e'
  const sub = await arrive(world, {
    subject: evil.replace('\u202e', ''),
    profile: { name: evil, nickname: evil },
    affiliations: [
      {
        schoolCode: '014569',
        schoolName: evil,
        role: evil as 'teacher',
        titles: [evil],
        classes: [],
      },
    ],
    raw: { sub: evil, '</pre><script>alert(1)</script>': evil },
    unread: [evil],
  })
  const pages = [
    await staff.open('/admin/people?q=img'),
    await staff.open(`/admin/people?q=${encodeURIComponent(evil)}`),
    await staff.open(`/admin/people/${sub}`),
    await staff.open(`/admin/people/${sub}/edit`),
    await staff.open(`/admin/people/${sub}/sign-ins`),
  ]
  for (const page of pages) {
    t.is(page.status, 200)
    t.false(page.html.includes('<img src=x'), page.url.pathname)
  }
  t.truthy(pages[0]?.document.querySelector(`#person-${sub}`))
  const [, , person] = pages
  if (!person) throw new Error('no page')
  t.false(person.html.includes('\u202e'))
  const option = person.document.querySelector('#f-unmask-field option[value^="claims:"]')
  const field = option?.getAttribute('value') ?? ''
  const bare = await staff.browser.submit(person, 'unmask-form', { field, reason: ' ' })
  t.is(bare.status, 422)
  t.falsy(bare.document.querySelector('#revealed'))
  const shown = await staff.browser.submit(person, 'unmask-form', { field, reason: '當事人來電' })
  t.is(shown.status, 200)
  t.regex(text(shown, '#revealed-value'), /onerror/)
  t.false(shown.html.includes('<img src=x'))
  t.false(shown.html.includes('<script>alert'))
  t.is(shown.url.search, '')
  t.falsy((await staff.open(`/admin/people/${sub}`)).document.querySelector('#revealed'))
  for (const line of world.log) t.false(line.includes('onerror'))
})

test('a county’s support sees its own people only, and adds nobody', async (t) => {
  const { world, staff } = await open(t, [{ role: 'support', reach: 'county:tyc' }])
  const theirs = await arrive(world)
  const hers = await arrive(world, {
    connector: 'tyc',
    issuer: 'https://tyc.example',
    subject: 'hers',
    profile: { name: '桃小園', gender: 'female' },
  })
  const list = await staff.open('/admin/people')
  t.truthy(list.document.querySelector(`#person-${hers}`))
  t.falsy(list.document.querySelector(`#person-${theirs}`))
  t.falsy(list.document.querySelector('#f-county'), 'there is one county to choose from')
  t.falsy(list.document.querySelector('#head-action'))
  for (const path of ['', '/edit', '/sign-ins']) {
    const [other, none] = await Promise.all(
      [theirs, 'nobody'].map((sub) => staff.open(`/admin/people/${sub}${path}`)),
    )
    t.deepEqual([other?.status, text(other as never, 'h1')], [404, text(none as never, 'h1')], path)
  }
  const page = await staff.open(`/admin/people/${hers}`)
  t.regex(text(page, '#profile'), /性別 女 /)
  t.regex(text(page, '#affiliations'), / 教師、設備組長 /, 'a title that is the role is said once')
  const form = page.document.querySelector('#suspend-form')
  form?.setAttribute('action', `/admin/people/${theirs}/suspend`)
  const sent = await staff.browser.submit(page, 'suspend-form', { reason: 'x', confirm: '王小明' })
  t.is(sent.status, 404)
  t.is((await world.house.store.accounts.find(theirs))?.status, 'active')
})

test('somebody is added with what was typed kept, and her password is shown once', async (t) => {
  const { world, staff } = await open(t)
  const { browser } = staff
  const form = await staff.open('/admin/people/new')
  const slip = await browser.submit(form, 'new-form', {
    account: 'two words',
    name: '林美玲',
    recovery: 'nowhere',
  })
  t.is(slip.status, 422)
  t.is(slip.document.querySelector('#f-name')?.getAttribute('value'), '林美玲')
  const made = await browser.submit(slip, 'new-form', { account: 'lin', recovery: '' })
  t.is(made.status, 200)
  const password = text(made, '#password')
  t.is(password.length, 20)
  const on = made.document.querySelector('#made-on')?.getAttribute('href') ?? ''
  const page = await staff.open(on)
  t.false(page.html.includes(password))
  const editing = await staff.open(`${on}/edit`)
  const wrong = await browser.submit(editing, 'edit-form', { name: '', nickname: '小玲' })
  t.is(wrong.status, 422)
  t.is(wrong.document.querySelector('#f-nickname')?.getAttribute('value'), '小玲')
  const saved = await browser.submit(wrong, 'edit-form', { name: '林玲' })
  t.is(saved.status, 200)
  t.is(text(saved, 'h1'), '林玲')
  t.is((await browser.submit(editing, 'edit-form', { name: '林二' })).status, 409)
  const sub = on.split('/').at(-1) ?? ''
  const profile = async () => (await world.house.store.accounts.find(sub))?.profile ?? {}
  const edit = async (fields: Record<string, string>) =>
    browser.submit(await staff.open(`${on}/edit`), 'edit-form', fields)
  await edit({ phoneNumber: '0912345678', title: '組長', gender: 'female' })
  t.like(await profile(), { title: { value: '組長' }, gender: { value: 'female' } })
  // What stands there is not shown: left empty it stays.
  await edit({ title: '', gender: '' })
  t.deepEqual(Object.keys(await profile()).sort(), [
    'name',
    'nickname',
    'phone_number',
    'preferred_username',
  ])
  const ticked = await edit({ name: '', phoneRemove: 'yes' })
  t.is(ticked.document.querySelector('#f-phoneRemove')?.getAttribute('checked'), '', 'kept')
  await browser.submit(ticked, 'edit-form', { name: '林玲' })
  t.falsy((await profile()).phone_number)
  t.falsy((await staff.open(`${on}/edit`)).document.querySelector('#f-phoneRemove'))
  const assigned = await browser.submit(await staff.open(`${on}/edit`), 'edit-form', {
    status: 'closed',
    sub: 'another',
  })
  t.is(assigned.status, 422)
  t.is((await world.house.store.accounts.find(sub))?.status, 'active')
})

test('who merges an account with a second factor is told so before, and says that she means it', async (t) => {
  const { world, staff } = await open(t)
  const { store } = world.house
  const [kept, other] = [
    await world.buildPerson({ name: '王小明' }),
    await world.buildPerson({ account: 'second@mail.edu.tw', name: '王小明' }),
  ]
  const factor = { type: 'totp', label: '手機', secret: 's', counter: 0, createdAt: 1 } as const
  await store.secondFactors.add({ ...factor, id: 'theirs', accountId: other.sub })
  const page = await staff.open(`/admin/people/${kept.sub}`)
  t.regex(text(page, '#f-merge-passFactor-hint'), /第二道驗證.*稽核紀錄/)
  const fields = { other: other.sub, reason: '本人到場', confirm: '王小明' }
  const told = await staff.browser.submit(page, 'merge-form', fields)
  t.is(told.status, 422)
  t.truthy(told.document.querySelector('#problems a[href="#f-merge-passFactor"]'))
  t.is(told.document.querySelector('#f-merge-passFactor')?.getAttribute('aria-invalid'), 'true')
  t.is(told.document.querySelector('#f-merge-reason')?.getAttribute('value'), '本人到場')
  const ticked = { passFactor: 'yes', confirm: '王小明' }
  const merged = await staff.browser.submit(told, 'merge-form', ticked)
  t.regex(text(merged, '#notice'), /合併/)
  t.is((await store.accounts.find(other.sub))?.status, 'suspended')
})
