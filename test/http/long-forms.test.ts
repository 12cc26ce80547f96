/** Long forms: as much as their fields let one type arrives, more is said beside the field, and too much in words. */
import test from 'ava'
import { enrolmentFile } from '#config/enrolment.ts'
import { openMember } from '../helpers/account.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { openStaff, type Staff } from '../helpers/staff.ts'
import type { World } from '../helpers/world.ts'

/** An operator may ask as much. */
const lines = Array.from({ length: 20 }, (_, i) => `about_${i}`)
const label = { 'zh-TW': '關於', en: 'About' }
const talkative = enrolmentFile.parse({
  id: 'talkative',
  title: label,
  entry: { visitor: {} },
  steps: [
    {
      id: 'data',
      type: 'form',
      title: label,
      fields: lines.map((id) => ({ id, type: 'text', label, max_length: 1000 })),
    },
    { id: 'robot', type: 'captcha' },
  ],
  creates: {},
})

let world: World
let owner: Staff
test.before(async () => {
  world = await openSharedWorld({ enrolments: [talkative] })
  owner = await openStaff(world)
})

const long = (begin: string, letters: number) => begin.padEnd(letters, '回')
const uris = (count: number, letters = 2000) =>
  Array.from({ length: count }, (_, i) => long(`https://app.example/${i}/`, letters)).join('\r\n')

/** Every field filled to the last letter it takes. */
const whole = {
  name: long('名', 100),
  nameEn: long('n', 100),
  clientUri: uris(1),
  policyUri: uris(1),
  tosUri: uris(1),
  contacts: Array.from({ length: 20 }, (_, i) => `${i}@${'x'.repeat(60)}.example`).join('\r\n'),
  redirectUris: uris(100),
  postLogoutRedirectUris: uris(100),
  backchannelLogoutUri: uris(1),
}
const purposes = (page: Page) =>
  Object.fromEntries(
    page.document
      .querySelectorAll('input[name^="purpose."]')
      .map((one) => [one.getAttribute('name') ?? '', long('因', 300)]),
  )
const lengthOf = (page: Page, name: string) =>
  Number(page.document.querySelector(`#f-${name}`)?.getAttribute('maxlength'))
const typedIn = (page: Page, name: string) => {
  const field = page.document.querySelector(`#f-${name}`)
  return field?.getAttribute('value') ?? field?.text ?? ''
}

/** What a problem page says, and where it leads. */
const said = ({ document }: Page) => ({
  title: document.querySelector('#problem-title')?.text,
  what: document.querySelector('#problem-what')?.text,
  back: document.querySelector('#next-back')?.getAttribute('href'),
})

test.serial(
  'the largest app there may be is typed in, and one letter more is said beside its field',
  async (t) => {
    const form = await owner.open('/admin/clients/new?kind=web')
    for (const [name, length] of Object.entries({ ...whole, jwks: 'x'.repeat(20_000) }))
      t.true(lengthOf(form, name) >= length.replaceAll('\r\n', '\n').length, name)
    const most = { ...whole, ...purposes(form), reach: 'all' }
    const over = { ...most, redirectUris: `${uris(100)}\r\nhttps://app.example/one-more` }
    const again = await owner.browser.submit(form, 'client-form', over)
    t.is(again.status, 422)
    t.regex(again.document.querySelector('#f-redirectUris-problem')?.text ?? '', /100/)
    t.is(typedIn(again, 'redirectUris').trim(), over.redirectUris.replaceAll('\r\n', '\n'))
    t.is(typedIn(again, 'name'), most.name)
    t.is(typedIn(again, 'purpose-profile-zh'), long('因', 300))
    const longer = await owner.browser.submit(form, 'client-form', {
      ...most,
      once: 'another',
      clientUri: uris(1, 2001),
    })
    t.is(longer.status, 422)
    t.truthy(longer.document.querySelector('#f-clientUri-problem'))
    const made = await owner.browser.submit(again, 'client-form', {
      ...most,
      redirectUris: uris(100),
    })
    t.is(made.status, 200, made.html.slice(0, 3000))
    t.truthy(made.document.querySelector('#client-secret'))
    const [row] = await world.house.store.clients.list()
    t.deepEqual(row?.metadata.redirect_uris, uris(100).split('\r\n'))
  },
)

test.serial('a member asks for the largest app there may be', async (t) => {
  const member = await openMember(world, { account: 'asks@mail.edu.tw' })
  const form = await member.open('/account/clients/ask?kind=web')
  for (const [name, length] of Object.entries(whole))
    t.true(lengthOf(form, name) >= length.replaceAll('\r\n', '\n').length, name)
  const most = { ...whole, ...purposes(form), purpose: long('用', 2000) }
  const again = await member.browser.submit(form, 'ask-form', { ...most, name: long('名', 101) })
  t.is(again.status, 422)
  t.is(typedIn(again, 'redirectUris').trim(), uris(100).replaceAll('\r\n', '\n'))
  const sent = await member.browser.submit(again, 'ask-form', most)
  t.is(sent.url.pathname, '/account/clients')
})

/** As a browser sends a form with a file field. */
async function sendFile(page: Page, formId: string, more: Record<string, string | Blob>) {
  const form = page.document.querySelector(`form[id="${formId}"]`)
  const body = new FormData()
  for (const input of form?.querySelectorAll('input') ?? []) {
    const { name, value = '', type } = input.attributes
    if (name && type !== 'checkbox' && type !== 'file') body.set(name, value)
  }
  for (const [name, value] of Object.entries(more)) {
    // Line ends as browsers send them.
    body.set(name, typeof value === 'string' ? value.replaceAll('\n', '\r\n') : value)
  }
  return owner.browser.open(`${world.issuer}${form?.getAttribute('action')}`, {
    method: 'POST',
    body,
  })
}

test.serial('the longest file of apps is pasted or sent, shown and applied as it is', async (t) => {
  const app = (name: string) =>
    `clients:\n- id: long\n  kind: web\n  name: ${name}\n  redirectUris: [https://a.example/]\n`
  const page = await owner.open('/admin/clients/import')
  const most = lengthOf(page, 'yaml')
  t.is(most, 500_000)
  // Rare characters, two units each, wherever it may be cut.
  const filled = (begin: string, length: number) =>
    `${begin}# ${'𠮷'.repeat((length - begin.length - 2) >> 1)}`.padEnd(length, '\n')
  const tooLong = long(`${app('長')}# `, most + 1)
  const over = await sendFile(page, 'preview-form', { yaml: tooLong })
  t.is(over.status, 422)
  t.truthy(over.document.querySelector('#f-yaml-problem'))
  t.is(typedIn(over, 'yaml').trim(), tooLong)
  const file = (length: number) => new Blob([filled(app('長𠮷'), length)])
  t.is((await sendFile(page, 'preview-form', { file: file(most + 2) })).status, 422)
  const typed: Record<string, string | Blob>[] = [
    { file: file(most) },
    { yaml: filled(app('長𠮷'), most) },
  ]
  for (const one of typed) {
    const plan = await sendFile(page, 'preview-form', one)
    t.is(plan.status, 200, plan.html.slice(0, 500))
    t.truthy(plan.document.querySelector('#apply-form'))
  }
  const plan = await sendFile(page, 'preview-form', { yaml: filled(app('長𠮷'), most) })
  t.truthy((await sendFile(plan, 'apply-form', {})).document.querySelector('#applied'))
  t.is((await world.house.store.clients.find('long'))?.name, '長𠮷')
})

test.serial('as much as the fields of a way to join take is sent', async (t) => {
  const browser = openBrowser()
  const form = await browser.open(`${world.issuer}/join/talkative`)
  const most = Object.fromEntries(lines.map((id) => [id, long('長', 1000)]))
  const over = await browser.submit(form, 'joining-form', { ...most, about_3: long('長', 1001) })
  t.is(over.status, 422)
  t.is(typedIn(over, 'about_7'), long('長', 1000))
  const next = await browser.submit(over, 'joining-form', most)
  t.is(next.status, 200)
  t.regex(next.url.pathname, /\/robot$/)
})

test.serial(
  'what is more than any form takes is answered in words, with the way back',
  async (t) => {
    const form = await owner.open('/admin/clients/new?kind=web')
    const much = { name: 'x'.repeat(6_000_000) }
    const zh = await owner.browser.submit(form, 'client-form', much)
    t.is(zh.status, 413)
    t.like(said(zh), { title: '送出的內容太多', back: '/admin/clients/new' })
    t.regex(said(zh).what ?? '', /上一頁/)

    const member = await openMember(world, { account: 'much@mail.edu.tw' })
    const profile = await member.open('/account/profile')
    const short = await member.browser.submit(profile, 'profile-form', { name: 'x'.repeat(70_000) })
    t.is(short.status, 413)
    t.is(said(short).back, '/account/profile')

    const yaml = await owner.open('/admin/clients/import')
    const pasted = await sendFile(yaml, 'preview-form', { yaml: 'x'.repeat(5_000_000) })
    t.is(pasted.status, 413)
    t.is(said(pasted).back, '/admin/clients/import')

    const browser = openBrowser()
    const joining = await browser.open(`${world.issuer}/join/talkative`)
    const refused = await browser.submit(joining, 'joining-form', { about_1: 'x'.repeat(400_000) })
    t.is(refused.status, 413)
    t.regex(said(refused).back ?? '', /^\/join\/talkative/)

    const many = new URLSearchParams(Array.from({ length: 2_000 }, (_, i) => [`f${i}`, '']))
    const answer = await browser.open(`${world.issuer}/join/talkative`, {
      method: 'POST',
      body: many,
      headers: { 'accept-language': 'en' },
    })
    t.is(answer.status, 413)
    t.is(said(answer).title, 'Too much was sent')

    const upload = await owner.open('/admin/imports/new')
    const file = new Blob([Buffer.alloc(51 * 1024 * 1024, 'a')])
    const large = await sendFile(upload, 'import', { file })
    t.is(large.status, 413)
    t.like(said(large), { title: '檔案太大', back: '/admin/imports/new' })
    t.regex(said(large).what ?? '', /50 MB/)
  },
)
