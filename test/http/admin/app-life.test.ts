/** An app's life on its pages: somebody asks for it, staff decide, she looks after it; files; self-registration. */
import test from 'ava'
import { sha256 } from '#lib/crypto.ts'
import { openMember, text } from '../../helpers/account.ts'
import { openRelyingParty } from '../../helpers/relying-party.ts'
import { openSharedWorld } from '../../helpers/shared-world.ts'
import { openStaff, type Staff } from '../../helpers/staff.ts'
import type { World } from '../../helpers/world.ts'

let world: World
let owner: Staff
test.before(async () => {
  world = await openSharedWorld({ registration: { dynamic: true } })
  owner = await openStaff(world)
})

const evil = '"><script>alert(1)</script>'

test.serial(
  'a teacher asks for an app, staff approve it, and she signs in to it with the secret she made',
  async (t) => {
    const member = await openMember(world, { account: 'teacher@mail.edu.tw' })
    const kinds = await member.open('/account/clients/ask')
    const form = await member.browser.submit(kinds, 'kind-form', { kind: 'web' })
    const wrong = await member.browser.submit(form, 'ask-form', {
      name: `班網 ${evil}`,
      purpose: '',
      redirectUris: 'http://class.example/cb',
    })
    t.is(wrong.status, 422)
    t.truthy(wrong.document.querySelector('#f-purpose-problem'))
    t.truthy(wrong.document.querySelector('#f-redirectUris-problem'))
    t.is(wrong.document.querySelector('#f-name')?.getAttribute('value'), `班網 ${evil}`)
    t.false(wrong.html.includes(evil), 'what she typed runs nowhere')
    const sent = await member.browser.submit(wrong, 'ask-form', {
      name: `班網 ${evil}`,
      purpose: `全班的網站 ${evil}`,
      redirectUris: 'https://class.example/cb',
    })
    t.is(sent.url.pathname, '/account/clients')
    t.is(sent.document.querySelectorAll('[id^="withdraw-form-"]').length, 1)

    const queue = await owner.open('/admin/requests')
    t.false(queue.html.includes(evil))
    const link = queue.document.querySelector('#requests th a')?.getAttribute('href') ?? ''
    const request = await owner.open(link)
    t.true(request.document.querySelector('#purpose')?.text.includes('全班的網站'))
    t.false(request.html.includes(evil))
    const empty = await owner.browser.submit(request, 'refuse-form', {})
    t.is(empty.status, 422)
    const approved = await owner.browser.submit(request, 'approve-form', { 'scope.profile': 'on' })
    t.is(approved.status, 200)
    t.true(approved.document.querySelector('#request-state')?.text.includes('已核准'))

    const mine = await member.open('/account/clients')
    const own = mine.document.querySelector('[id^="own-"] a')?.getAttribute('href') ?? ''
    const app = await member.open(own)
    const otherTab = await member.open(own)
    t.true(app.document.querySelectorAll('.snippet').length >= 6)
    const clientId = app.document.querySelector('#client-id')?.text ?? ''
    const shown = await member.browser.submit(app, 'secret-form')
    const secret = shown.document.querySelector('#client-secret')?.text ?? ''
    t.is(secret.length, 43)
    // The page from before there was one, in another tab: it does not know that the app runs by now.
    const { clients } = world.house.store
    const found = await clients.find(clientId)
    if (!found) return t.fail()
    // Made a while after it was approved, not in the same second.
    await clients.change({ ...found, secretCreatedAt: found.createdAt + 60 })
    t.is((await member.browser.submit(otherTab, 'secret-form')).status, 200)
    const { formerSecretHash } = (await clients.find(clientId)) ?? {}
    t.is(formerSecretHash, sha256(secret), 'the first one is good still')
    t.false((await member.open(own)).html.includes(secret), 'it is shown this once')
    const registration = { client_id: clientId, client_secret: secret }
    const rp = openRelyingParty(world.issuer, registration, 'https://class.example/cb')
    const asked = await rp.begin(member.browser, { scope: 'openid profile' })
    const back = await member.browser.submit(asked, 'consent-form', { decision: 'allow' })
    t.is((await rp.redeem(back.url)).status, 200)

    const stranger = await openMember(world, { account: 'stranger@mail.edu.tw' })
    t.is((await stranger.open(own)).status, 404)
    t.is((await stranger.open(`/account/clients/ask?id=${clientId}`)).status, 404)
    const theirs = await stranger.open('/account/clients')
    t.false(theirs.html.includes(clientId))
  },
)

test.serial('a file is looked at first, and what was shown is applied', async (t) => {
  const yaml = [
    'clients:',
    '  - id: from-a-file',
    '    kind: web',
    `    name: '檔案 ${evil}'`,
    '    redirectUris: [https://file.example/cb]',
  ].join('\n')
  const page = await owner.open('/admin/clients/import')
  const wrong = await owner.browser.submit(page, 'preview-form', { yaml: 'clients: [{id: x}]' })
  t.is(wrong.status, 422)
  t.true(wrong.document.querySelector('#f-yaml')?.text.includes('{id: x}'))
  const plan = await owner.browser.submit(wrong, 'preview-form', { yaml })
  t.is(plan.status, 200)
  t.truthy(plan.document.querySelector('#apply-form'))
  t.false(plan.html.includes(evil))
  const applied = await owner.browser.submit(plan, 'apply-form')
  t.truthy(applied.document.querySelector('#applied'))
  t.is(applied.document.querySelector('.secret')?.text.length, 43)
  t.true((await world.house.store.clients.find('from-a-file'))?.name.startsWith('檔案'))
  const again = await owner.browser.submit(plan, 'apply-form')
  t.regex(
    text(again, '#notice'),
    /先前已經套用/,
    'its secret was shown, and how to get another one is said',
  )
  const other = await owner.browser.submit(plan, 'apply-form', { once: 'of another page' })
  t.is(other.status, 409, 'what was shown is not what it would do any more')
  const without = { yaml: 'clients: []', prune: 'on' }
  const removing = await owner.browser.submit(again, 'preview-form', without)
  const removed = removing.document.querySelectorAll('#plan .badge-bad').length
  t.true(removed > 1)
  const mistyped = await owner.browser.submit(removing, 'apply-form', { confirm: 'from-a-file' })
  t.is(mistyped.status, 422, 'who removes says how many')
  t.is(mistyped.document.querySelector('#f-apply-confirm')?.getAttribute('aria-invalid'), 'true')
  t.truthy(await world.house.store.clients.find('from-a-file'))
  t.truthy(mistyped.document.querySelector('#plan'), 'what would change is still there to be read')
  const saved = await owner.open('/admin/clients/export')
  t.regex(saved.headers.get('content-disposition') ?? '', /attachment; filename="clients.yaml"/)
  t.true(saved.html.includes('from-a-file'))
  const right = { confirm: String(removed) }
  t.truthy(
    (await owner.browser.submit(mistyped, 'apply-form', right)).document.querySelector('#applied'),
  )
  t.falsy(await world.house.store.clients.find('from-a-file'))
})

test.serial('a token for programs is made, shown once and revoked', async (t) => {
  const page = await owner.open('/admin/registration')
  const wrong = await owner.browser.submit(page, 'token-form', { label: '', hosts: 'not a host' })
  t.is(wrong.status, 422)
  t.truthy(wrong.document.querySelector('#f-label-problem'))
  t.truthy(wrong.document.querySelector('#f-hosts-problem'))
  const made = await owner.browser.submit(wrong, 'token-form', {
    label: `學校 ${evil}`,
    hosts: 'school.example',
  })
  const token = made.document.querySelector('#token')?.text ?? ''
  t.is(token.length, 43)
  const register = () =>
    fetch(`${world.issuer}/reg`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://school.example/cb'] }),
    })
  t.is((await register()).status, 201)
  const list = await owner.open('/admin/registration')
  t.false(list.html.includes(evil))
  t.false(list.html.includes(token))
  t.true(list.document.querySelector('#tokens')?.text.includes('1 / 1'))
  const second = await owner.browser.submit(list, 'token-form', {
    label: '另一所',
    hosts: 'school.example',
    uses: '5',
  })
  const other = second.document.querySelector('#token')?.text ?? ''
  const open = await owner.open('/admin/registration')
  const revoke = open.document.querySelector('[id^="revoke-form-"]')?.getAttribute('id') ?? ''
  await owner.browser.submit(open, revoke)
  const refused = await fetch(`${world.issuer}/reg`, {
    method: 'POST',
    headers: { authorization: `Bearer ${other}` },
  })
  t.is(refused.status, 401)
})
