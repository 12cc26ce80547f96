/** Whatever is wrong in a form of the console is told at its field, in words that say what is allowed. */
import test, { type ExecutionContext } from 'ava'
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

type Form = {
  path: string
  id: string
  /** In order as they are. */
  right: Record<string, string>
  /** Of each field what it does not take; with `more`, what else has to be said for it to count. */
  wrong: Record<string, string[]>
  more?: Record<string, Record<string, string>>
  /** Where a field's words stand, if not at itself. */
  at?: Record<string, string>
  /** Takes whatever is sent: what it does not know is the first of its choices. */
  free?: string[]
}

const long = (letters: number) => 'x'.repeat(letters)
const address = ['nonsense', 'https://', `https://a.example/${long(2000)}`]
const life = ['5', '1.5', 'an hour', '999999999']
const byKeys = { authMethod: 'private_key_jwt' }

const app: Form = {
  path: '/admin/clients/new?kind=web',
  id: 'client-form',
  right: { name: '平台', redirectUris: 'https://a.example/cb', authMethod: 'client_secret_basic' },
  wrong: {
    name: ['', long(101)],
    nameEn: [long(101)],
    redirectUris: ['', 'nonsense', ...address.slice(1)],
    postLogoutRedirectUris: address,
    backchannelLogoutUri: address,
    clientUri: address,
    tosUri: address,
    policyUri: address,
    contacts: ['nobody', `${long(255)}@a.example`, 'a@b.tw\n'.repeat(21)],
    claims: ['nonsense', long(101), 'name '.repeat(101)],
    authMethod: ['', 'nonsense'],
    jwksUri: address,
    jwks: ['nonsense', '{"keys":[]}', long(20_001)],
    sectorIdentifierUri: address,
    resourceServer: ['nonsense'],
    accessTokenSeconds: life,
    idTokenSeconds: life,
    refreshTokenSeconds: life,
    'purpose.profile.zh': [long(301)],
    'purpose.profile.en': [long(301)],
  },
  more: {
    claims: { reach: 'some', 'scope.profile': 'on' },
    jwksUri: byKeys,
    jwks: byKeys,
    sectorIdentifierUri: { pairwise: 'on' },
  },
  at: { 'purpose.profile.zh': 'reach', 'purpose.profile.en': 'reach' },
  free: ['idTokenAlg'],
}

const person: Form = {
  path: '/admin/people/new',
  id: 'new-form',
  right: { account: 'new.person', name: '林小美' },
  wrong: {
    account: ['', 'two words', '<b>', long(65), long(201)],
    name: ['', long(101), 'a\u202eb'],
    recovery: ['nowhere', `${long(250)}@a.example`],
  },
}

const notice: Form = {
  path: '/admin/upstreams/ntpc',
  id: 'announce',
  right: { zh: '維護', en: 'Maintenance', from: '2099-01-01 10:00', until: '2099-01-01 12:00' },
  wrong: {
    zh: ['', long(301), long(2001)],
    en: ['', long(301)],
    from: ['', 'tomorrow', long(41)],
    until: ['', 'tomorrow', '2099-01-01 09:00', '2099-12-01 09:00'],
  },
}

const invitation: Form = {
  path: '/admin/staff/invite',
  id: 'invite-form',
  right: { email: 'new@example.gov.tw', 'role-auditor': '' },
  wrong: {
    email: ['', 'nobody', `${long(250)}@a.example`],
    ...Object.fromEntries(
      ['owner', 'client-admin', 'reviewer', 'support', 'auditor'].map((role) => [
        `role-${role}`,
        ['county:nowhere', '../', long(49)],
      ]),
    ),
  },
  free: ['language'],
}

const program: Form = {
  path: '/admin/staff/program',
  id: 'program-form',
  right: { client: 'nobody', grant: 'auditor ' },
  wrong: { client: ['', 'nobody', long(101)], grant: ['', 'king ', 'owner county:ntpc'] },
}

const token: Form = {
  path: '/admin/registration',
  id: 'token-form',
  right: { label: '學校', hosts: 'a.example', uses: '1', days: '1' },
  wrong: {
    label: ['', long(101)],
    hosts: ['', 'https://a.example/', long(300)],
    uses: ['', '0', 'x', '1.5', '1001'],
    days: ['', '0', 'x', '366'],
  },
}

/** What a form is filled in with; boxes take nothing else than yes and no. */
const fieldsOf = (page: Page, form: string) =>
  page.document
    .querySelectorAll(`#${form} input, #${form} textarea, #${form} select`)
    .filter((one) => !['hidden', 'checkbox', 'radio'].includes(one.getAttribute('type') ?? ''))
    .map((one) => one.getAttribute('name') ?? '')

/** Whether it stands in its field again; a choice there is none of does not. */
function isKept(page: Page, { form, field }: { form: string; field: string }, typed: string) {
  const one = page.document.querySelector(`#${form} [name="${field}"]`)
  const text = one?.tagName === 'TEXTAREA' ? one.text : one?.getAttribute('value')
  return one?.tagName === 'SELECT' || text?.trim() === typed.trim()
}

/** Words that say nothing of what is allowed. */
const vague = { 'zh-TW': /內容不正確/, en: /This is not valid/ }

async function tellsExactly(t: ExecutionContext, form: Form) {
  const { path, id, right, wrong, more = {}, at = {}, free = [] } = form
  const fresh = () => owner.open(path)
  const page = await fresh()
  const known = [...Object.keys(wrong), ...free]
  // Of what each scope is for, one stands for all.
  const asked = fieldsOf(page, id).filter((name) => !/^purpose\.(?!profile\.)/.test(name))
  t.deepEqual(
    asked.filter((name) => !known.includes(name)),
    [],
    'each field is tried',
  )
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const title = `${id} ${field} ${JSON.stringify(value).slice(0, 40)}`
      const sent = { ...right, ...more[field], [field]: value }
      const answer = await owner.browser.submit(await fresh(), id, sent)
      t.is(answer.status, 422, title)
      const words = `#f-${(at[field] ?? field).replaceAll('.', '-')}-problem`
      const told = answer.document.querySelector(words)?.text.trim() ?? ''
      t.not(told, '', `${title}: ${answer.document.querySelector('#problems')?.text}`)
      t.notRegex(told, vague['zh-TW'], title)
      t.notRegex(told, /[{}]/, title)
      t.true(isKept(answer, { form: id, field }, value), `${title} is kept`)
    }
  }
}

const closing: Form = {
  path: '/admin/upstreams/ntpc',
  id: 'switch-off',
  right: { reason: '演練', confirm: '新北市' },
  wrong: { reason: ['', long(301)], confirm: ['', '新竹'] },
  at: { confirm: 'switch-off-confirm' },
}

test.serial('change: what a field does not take is told in its own words', async (t) => {
  const { sub } = await world.buildPerson({ account: 'known@mail.edu.tw' })
  const path = `/admin/people/${sub}/edit`
  await tellsExactly(t, {
    path,
    id: 'edit-form',
    right: { name: '林小美', version: await versionAt(path) },
    wrong: {
      name: ['', long(101), 'a\u202eb', long(1001)],
      nickname: [long(101), '<b>'],
      title: [long(101)],
      phoneNumber: ['call me'],
      gender: ['nonsense'],
    },
  })
})

const versionAt = async (path: string) =>
  (await owner.open(path)).document.querySelector('[name=version]')?.getAttribute('value') ?? ''

for (const [name, form] of Object.entries({
  app,
  person,
  notice,
  closing,
  invitation,
  program,
  token,
})) {
  test.serial(`${name}: what a field does not take is told in its own words`, (t) =>
    tellsExactly(t, form),
  )
}
