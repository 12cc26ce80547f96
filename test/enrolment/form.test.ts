import test, { type ExecutionContext } from 'ava'
import sharp from 'sharp'
import { type StepOf, step as stepSchema } from '#config/enrolment.ts'
import type { ShownField } from '#enrolment/fields/shown.ts'
import type { Input, Outcome, Visit } from '#enrolment/step.ts'
import { checkField, openForm, secretFields } from '#enrolment/steps/form.ts'
import { BusyError } from '#errors.ts'
import type { Message } from '#lib/messages.ts'
import { lendSteps } from '../helpers/step-ports.ts'

const words = (text: string) => ({ 'zh-TW': text, en: text })
const field = (id: string, type: string, more: object = {}) => ({
  id,
  type,
  label: words(id),
  ...more,
})

const rules = (...fields: object[]): StepOf<'form'> => {
  const step = stepSchema.parse({ id: 'data', type: 'form', fields })
  if (step.type !== 'form') throw new Error('no form')
  return step
}

const school = rules(
  field('name', 'name', { from: 'upstream.name', lock: 'vouched' }),
  field('account', 'account', { domain: 'mail.edu.tw' }),
  field('backup_email', 'email', { twice: true, not_at: ['mail.edu.tw'] }),
  field('password', 'password'),
  field('nickname', 'text', { max_length: 30, from: 'upstream.nickname' }),
  field('gender', 'radio', {
    required: false,
    from: 'upstream.gender',
    options: [
      { value: 'male', label: { 'zh-TW': '男', en: 'Male' } },
      { value: 'female', label: { 'zh-TW': '女', en: 'Female' } },
    ],
  }),
  field('picture', 'picture', { required: false }),
)

const fromCounty = {
  facts: {
    kind: 'school',
    'upstream.connector': 'ntpc',
    'upstream.name': ' 林小美',
    'upstream.nickname': '小美',
    'upstream.gender': 'unknown',
  },
  vouched: {
    'upstream.name': 'ntpc',
    'upstream.nickname': 'ntpc',
    'upstream.gender': 'ntpc',
  },
}

const typed = {
  account: 'lin.xiaomei',
  backup_email: 'xiaomei@example.tw',
  backup_email_again: 'xiaomei@example.tw',
  password: 'correct horse battery',
  password_again: 'correct horse battery',
  nickname: '小美',
  gender: 'female',
}

async function buildForm(t: ExecutionContext, step = school) {
  const lent = await lendSteps(t)
  const form = openForm(lent.ports)
  const visit = (changes: Partial<Visit<'form'>> = {}): Visit<'form'> => ({
    step,
    application: crypto.randomUUID(),
    browser: 'browser 1',
    ...fromCounty,
    applicant: {},
    accepted: [],
    before: {},
    memory: {},
    language: 'zh-TW',
    at: lent.clock.at,
    address: '192.0.2.7',
    source: { name: '192.0.2.7', factor: 1 },
    ...changes,
  })
  const send = (
    fields: Record<string, string>,
    changes: Partial<Visit<'form'>> = {},
    files: Input['files'] = {},
  ) => form.submit(visit(changes), { fields, files })
  const shown = async (changes: Partial<Visit<'form'>> = {}) => {
    const { locals } = await form.show(visit(changes))
    const fields = locals.fields as ShownField[]
    return (name: string) => {
      const found = fields.find((one) => one.name === name)
      if (!found) throw new Error(`no field ${name}`)
      return found
    }
  }
  return { ...lent, form, visit, send, shown }
}

const keyOf = (message: Message) => (typeof message === 'string' ? message : message.key)

function done(outcome: Outcome) {
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
  return outcome
}

function slips(outcome: Outcome) {
  if (outcome.kind !== 'again') throw new Error(JSON.stringify(outcome))
  return outcome.problems.map(({ field, problem }) => `${field} ${keyOf(problem)}`)
}

const png = (side = 40) =>
  sharp({ create: { width: side, height: side, channels: 3, background: '#c81e5a' } })
    .png()
    .toBuffer()

test('a teacher fills in what her county did not say, and it says who vouches for the rest', async (t) => {
  const { send, ports, form, visit } = await buildForm(t)
  const outcome = done(await send(typed))
  t.deepEqual(outcome.facts, {
    name: '林小美',
    account: 'lin.xiaomei@mail.edu.tw',
    backup_email: 'xiaomei@example.tw',
    password: true,
    nickname: '小美',
    gender: 'female',
  })
  t.deepEqual(outcome.vouched, { name: 'ntpc', nickname: 'ntpc' })
  t.deepEqual(Object.keys(outcome.held ?? {}), ['password'])
  t.true(await ports.passwords.verify(outcome.held?.password, typed.password))

  const lines = form.summary?.(visit({ before: outcome.facts })) ?? []
  t.deepEqual(
    lines.map(({ value }) => value),
    [
      { text: '林小美' },
      { text: 'lin.xiaomei@mail.edu.tw' },
      { text: 'xiaomei@example.tw' },
      'field.password.set',
      { text: '小美' },
      { 'zh-TW': '女', en: 'Female' },
    ],
  )
})

test('the page fills in what the county said, locked or to be changed, and names the county', async (t) => {
  const { shown, form, visit } = await buildForm(t)
  const at = await shown()
  const by = { 'zh-TW': '新北市', en: 'New Taipei City' }
  t.like(at('name'), { control: 'locked', value: '林小美', by: { label: by } })
  t.like(at('nickname'), { control: 'line', value: '小美', by: { label: by, value: '小美' } })
  // No option of ours: the county's word fills in nothing.
  t.like(at('gender'), { control: 'radio', value: '', by: undefined })
  t.like(at('account'), { control: 'account', domain: 'mail.edu.tw', required: true })
  t.like(at('backup_email').again, { id: 'f-backup_email_again', name: 'backup_email_again' })
  const screen = await form.show(visit())
  t.true(screen.multipart)
  t.deepEqual(screen.scripts, ['joining.js', 'show-password.js', 'picture-preview.js'])
  const plain = await form.show(visit({ step: rules(field('name', 'name')) }))
  t.deepEqual([plain.multipart, plain.scripts], [false, []])
})

test('what was answered before is filled in again, emptied fields stay empty, secrets are not shown', async (t) => {
  const { send, shown } = await buildForm(t)
  const { facts = {}, memory = {} } = done(await send({ ...typed, nickname: '阿美', gender: '' }))
  const at = await shown({ before: facts, memory })
  t.is(at('account').value, 'lin.xiaomei')
  t.is(at('backup_email').value, 'xiaomei@example.tw')
  t.is(at('nickname').value, '阿美')
  t.is(at('gender').value, '')
  t.like(at('password'), { value: '', isKept: true, left: 'field.password.left' })
  t.false(JSON.stringify(['password', 'account', 'name'].map(at)).includes('argon2'))
})

test('only declared names are read: nobody becomes active, an admin or somebody else by posting it', async (t) => {
  const { send } = await buildForm(t)
  const posted = JSON.parse(
    JSON.stringify({
      ...typed,
      status: 'active',
      kind: 'admin',
      sub: 'somebody else',
      'upstream.connector': 'tp',
      account_verified: 'true',
      'constructor.prototype.polluted': 'yes',
    }).replace('{', '{"__proto__":{"name":"x"},'),
  )
  const { facts = {}, held = {}, vouched = {} } = done(await send(posted))
  const names = [...Object.keys(typed), 'name'].filter((name) => !name.endsWith('_again'))
  t.deepEqual(Object.keys(facts).sort(), names.sort())
  t.deepEqual(Object.keys(held), ['password'])
  t.deepEqual(Object.keys(vouched), ['name', 'nickname'])
})

test('a field named like something every object has is empty until it is sent', async (t) => {
  const { send } = await buildForm(t, rules(field('constructor', 'text')))
  t.deepEqual(slips(await send({})), ['constructor field.required'])
})

test('a locked value is the county’s whatever is posted', async (t) => {
  const { send } = await buildForm(t)
  const { facts, vouched } = done(await send({ ...typed, name: '王大明' }))
  t.is(facts?.name, '林小美')
  t.is(vouched?.name, 'ntpc')
})

test('what she changes nobody vouches for; without a county’s word a locked field is hers', async (t) => {
  const { send, shown } = await buildForm(t)
  const changed = done(await send({ ...typed, nickname: '阿美' }))
  t.is(changed.facts?.nickname, '阿美')
  t.deepEqual(changed.vouched, { name: 'ntpc' })

  const alone = { facts: { 'upstream.name': '假的' }, vouched: {} }
  t.is((await shown(alone))('name').control, 'line')
  const own = done(await send({ ...typed, name: '王小明' }, alone))
  t.is(own.facts?.name, '王小明')
  t.deepEqual(own.vouched, {})

  // What the field cannot take is nothing to be locked on.
  const nonsense = { ...fromCounty, facts: { ...fromCounty.facts, 'upstream.name': '<NA>' } }
  t.like((await shown(nonsense))('name'), { control: 'line', value: '' })
  t.is(done(await send({ ...typed, name: '王小明' }, nonsense)).facts?.name, '王小明')
})

test('everything wrong is said at once, each at its field', async (t) => {
  const { send } = await buildForm(t)
  t.deepEqual(
    slips(
      await send({
        account: 'Admin',
        backup_email: 'xiaomei@mail.edu.tw',
        password: 'short',
        password_again: 'shorter',
        gender: 'x',
      }),
    ),
    [
      'account field.account.reserved',
      'backup_email field.email.not-at',
      'password password.too-short',
      'password_again field.password.differs',
      'nickname field.required',
      'gender field.option.unknown',
    ],
  )
  const empty = await send({})
  t.deepEqual(slips(empty), [
    'account field.required',
    'backup_email field.required',
    'password field.required',
    'nickname field.required',
  ])
  // Nothing to keep, so nothing is saved.
  t.false('memory' in empty)
})

test('a password that tells who she is is refused, also by what her county said', async (t) => {
  const { send } = await buildForm(t)
  for (const password of [
    'lin.xiaomei lin.xiaomei',
    '我是林小美我是林小美我是',
    'xiaomei@example.tw!!',
  ])
    t.deepEqual(slips(await send({ ...typed, password, password_again: password })), [
      'password password.about-you',
    ])
})

test('a password that was set stays when a finished form is mended with both fields empty', async (t) => {
  const { send, ports } = await buildForm(t)
  const first = done(await send(typed))
  const later = { before: first.facts, memory: first.memory }
  const mended = { ...typed, nickname: '阿美', password: '', password_again: '' }
  const second = done(await send(mended, later))
  t.is(second.held?.password, first.held?.password)
  t.is(second.facts?.password, true)

  const slip = await send({ ...mended, nickname: '' }, later)
  t.deepEqual(slips(slip), ['nickname field.required'])
  t.false('memory' in slip)

  t.deepEqual(slips(await send({ ...mended, password: 'another long password' }, later)), [
    'password_again field.again',
  ])
  const another = { password: 'another long phrase', password_again: 'another long phrase' }
  const third = done(await send({ ...mended, ...another }, later))
  t.true(await ports.passwords.verify(third.held?.password, 'another long phrase'))
})

test('a password of a form that was not right is not kept', async (t) => {
  const { send, shown } = await buildForm(t)
  const outcome = await send({ ...typed, account: '' })
  t.deepEqual(slips(outcome), ['account field.required'])
  t.false(JSON.stringify(outcome).includes('argon2'))
  t.false((await shown())('password').isKept)
  t.deepEqual(secretFields(school), ['password', 'password_again'])
})

test('too many passwords at once are nobody’s slip', async (t) => {
  const lent = await lendSteps(t)
  const form = openForm({
    ...lent.ports,
    passwords: {
      ...lent.ports.passwords,
      hash: async () => {
        throw new BusyError('password queue is full')
      },
    },
  })
  const { visit } = await buildForm(t)
  await t.throwsAsync(form.submit(visit(), { fields: typed, files: {} }), {
    instanceOf: BusyError,
  })
})

test('a picture is made ours, kept while something else is mended, and taken out again', async (t) => {
  const { send, shown } = await buildForm(t)
  const files = { picture: { bytes: await png() } }
  const wrong = await send({ ...typed, nickname: '' }, {}, files)
  t.deepEqual(slips(wrong), ['nickname field.required'])
  const memory = wrong.kind === 'again' ? (wrong.memory ?? {}) : {}
  t.regex(String(memory.picture), /^image\/webp,[A-Za-z0-9+/]+=*$/)

  const at = await shown({ memory })
  t.is(at('picture').picture, `data:${String(memory.picture).replace(',', ';base64,')}`)
  t.like(at('picture'), { left: 'field.picture.left', clear: { name: 'picture_clear' } })

  // Sent once more without choosing it again: a form without a file carries an empty one.
  const none = { picture: { bytes: Buffer.alloc(0) } }
  const mended = done(await send(typed, { memory }, none))
  t.is(mended.held?.picture, String(memory.picture))
  t.is(mended.facts?.picture, true)

  const again = { before: mended.facts, memory: mended.memory }
  const cleared = done(await send({ ...typed, picture_clear: 'yes' }, again, none))
  t.deepEqual(Object.keys(cleared.held ?? {}), ['password'])
  t.false('picture' in (cleared.facts ?? {}))

  // It is gone also when something else is wrong.
  const clearedWrong = await send({ ...typed, nickname: '', picture_clear: 'yes' }, again)
  t.deepEqual(Object.keys((clearedWrong.kind === 'again' && clearedWrong.memory) || {}), [
    'password',
  ])
})

test('a picture that cannot be taken is said in words, and the one before stays', async (t) => {
  const { send } = await buildForm(t)
  const good = await send({ ...typed, nickname: '' }, {}, { picture: { bytes: await png() } })
  const memory = good.kind === 'again' ? good.memory : {}
  const broken = (await png(200)).subarray(0, 100)
  const html = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>')
  for (const [upload, problem] of [
    [{ tooLarge: true }, 'too-large'],
    [{ bytes: html }, 'not-a-picture'],
    [{ bytes: broken }, 'broken'],
  ] as const) {
    const outcome = await send(typed, { memory }, { picture: upload })
    t.deepEqual(slips(outcome), [`picture field.picture.${problem}`])
    t.false('memory' in outcome, 'nothing changed')
    t.deepEqual(slips(await send(typed, {}, { picture: upload })), [
      `picture field.picture.${problem}`,
    ])
  }
})

test('a required picture is asked for, and files under other names are not looked at', async (t) => {
  const { send } = await buildForm(t, rules(field('photo', 'picture')))
  t.deepEqual(slips(await send({}, {}, { picture: { bytes: await png() } })), [
    'photo field.required',
  ])
})

test('a national id is held for the end; everybody else reads a masked one', async (t) => {
  const { send, form, visit, shown } = await buildForm(t, rules(field('id_number', 'national-id')))
  const first = done(await send({ id_number: 'a123456789' }))
  t.deepEqual(first.held, { id_number: 'A123456789' })
  t.deepEqual(first.facts, { id_number: 'A1*****789' })
  const later = { before: first.facts, memory: first.memory }
  t.deepEqual(form.summary?.(visit(later)), [
    { label: words('id_number'), value: { text: 'A1*****789' } },
  ])
  t.deepEqual((await shown(later))('id_number').left, {
    key: 'field.national-id.left',
    params: { number: 'A1*****789' },
  })
  t.deepEqual(done(await send({ id_number: '' }, later)).held, first.held)
  t.deepEqual(slips(await send({ id_number: 'A123456788' }, later)), [
    'id_number field.national-id.bad',
  ])
})

test('a taken account is said on sending and while typing, never whose it is', async (t) => {
  const { send, take, ports } = await buildForm(t)
  await take('email', 'lin.xiaomei@mail.edu.tw')
  t.deepEqual(slips(await send(typed)), ['account field.account.taken'])
  const source = { name: '192.0.2.7', factor: 1 }
  const ask = (value: string, field = 'account') =>
    checkField(school, { field, value }, ports, source)
  t.deepEqual(await ask('Lin.Xiaomei'), {
    kind: 'taken',
    message: { key: 'field.account.taken', params: { account: 'lin.xiaomei@mail.edu.tw' } },
  })
  t.like(await ask('lin.xiaomei2'), { kind: 'free' })
  t.like(await ask('root'), { kind: 'not-allowed', message: 'field.account.reserved' })
  t.is(await ask('lin.xiaomei', 'nickname'), undefined)
  t.is(await ask('lin.xiaomei', 'status'), undefined)
})

test('whoever collects accounts finds thirty in ten minutes; free ones cost nothing', async (t) => {
  const { send, take, ports, clock } = await buildForm(t)
  await take('email', 'lin.xiaomei@mail.edu.tw')
  const ask = (value: string, source = { name: '192.0.2.7', factor: 1 }) =>
    checkField(school, { field: 'account', value }, ports, source)
  for (let i = 0; i < 40; i++) t.is((await ask(`free.${i}`))?.kind, 'free')
  const kinds = await Promise.all(
    Array.from({ length: 40 }, async () => (await ask('lin.xiaomei'))?.kind),
  )
  t.is(kinds.filter((kind) => kind === 'taken').length, 30)
  t.is(kinds.filter((kind) => kind === 'wait').length, 10)

  // From then on nothing is told, neither here nor on sending.
  t.like(await ask('somebody.else'), { kind: 'wait', waitSeconds: 600 })
  const outcome = await send({ ...typed, account: 'somebody.else' })
  t.deepEqual(slips(outcome), ['account field.account.wait'])
  t.is(outcome.kind === 'again' ? outcome.waitSeconds : undefined, 600)

  // A school's network is thirty people and more, and elsewhere one may go on.
  t.like(await ask('lin.xiaomei', { name: '192.0.2.7', factor: 50 }), { kind: 'taken' })
  t.like(await ask('lin.xiaomei', { name: '198.51.100.1', factor: 1 }), { kind: 'taken' })
  clock.at += 601
  t.like(await ask('somebody.else'), { kind: 'free' })
})
