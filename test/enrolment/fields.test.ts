import { join } from 'node:path'
import test from 'ava'
import { type Field, field as fieldSchema } from '#config/enrolment.ts'
import type { Reading } from '#enrolment/fields/field.ts'
import { inputId, shownField } from '#enrolment/fields/shown.ts'
import { kindOf, kinds } from '#enrolment/fields.ts'
import { type Message, openMessages } from '#lib/messages.ts'
import { maxPictureBytes } from '#outside/picture-rules.ts'
import { lendSteps, noon } from '../helpers/step-ports.ts'

const messages = openMessages(join(import.meta.dirname, '..', '..', 'views', 'messages'))

const label = { 'zh-TW': '欄位', en: 'The field' }
const build = (more: object): Field => fieldSchema.parse({ id: 'it', label, ...more })

const reading: Reading = {
  language: 'zh-TW',
  at: noon,
  source: { name: '192.0.2.7', factor: 1 },
  about: [],
}

const keyOf = (message: Message) => (typeof message === 'string' ? message : message.key)

/** What both languages say. Throws when a word or a parameter is missing. */
const say = (message: Message) => {
  const { key, params } = typeof message === 'string' ? { key: message } : message
  return ['zh-TW', 'en'].map((lang) => messages.translate(lang, key, params))
}

const options = [
  { value: 'male', label: { 'zh-TW': '男', en: 'Male' } },
  { value: 'female', label: { 'zh-TW': '女', en: 'Female' } },
]

type Table = {
  rules: object
  /** Typed, and kept. */
  good: [typed: string, kept: string | true][]
  bad: [typed: string, problem: string][]
}

const zeroWidth = '\u200b'
const override = '\u202e'

const tables: Record<string, Table> = {
  text: {
    rules: { type: 'text', max_length: 10 },
    good: [
      ['設備組長', '設備組長'],
      ['  設備\t組長 \n', '設備 組長'],
      [`設備${zeroWidth}組長${override}`, '設備組長'],
      ['cafe\u0301', 'café'],
      ['ＡＢＣ', 'ＡＢＣ'],
      ['a\0b', 'ab'],
      ['葛\u{e0100}', '葛\u{e0100}'],
    ],
    bad: [
      ['01234567890', 'field.text.long'],
      [zeroWidth, 'field.required'],
      ['\u3164\ufe0f\u3000', 'field.required'],
    ],
  },
  'text with a pattern': {
    rules: { type: 'text', min_length: 3, pattern: '[A-Z]{2}[0-9]+' },
    good: [['AB123', 'AB123']],
    bad: [
      ['AB', 'field.text.short'],
      ['ab123', 'field.text.pattern'],
      ['AB12\nX', 'field.text.pattern'],
    ],
  },
  name: {
    rules: { type: 'name' },
    good: [
      ['王小明', '王小明'],
      ['谷辣斯．尤達卡', '谷辣斯.尤達卡'],
      ['Lahok·Oding', 'Lahok·Oding'],
      ["Sinéad O'Connor-Smith, Jr.", "Sinéad O'Connor-Smith, Jr."],
      ['Ｗａｎｇ　Ｈｓｉａｏ', 'Wang Hsiao'],
      ['\ue123小明', '\ue123小明'],
    ],
    bad: [
      ['https://evil.example/a', 'field.name.letters'],
      ['王<b>小明', 'field.name.letters'],
      ['王@小明', 'field.name.letters'],
      ['...', 'field.name.letters'],
      ['王'.repeat(101), 'field.text.long'],
    ],
  },
  account: {
    rules: { type: 'account', domain: 'mail.edu.tw', reserved: ['principal'] },
    good: [
      ['wang', 'wang@mail.edu.tw'],
      ['Wang.Hsiao_Ming-2', 'wang.hsiao_ming-2@mail.edu.tw'],
      ['wang@mail.edu.tw', 'wang@mail.edu.tw'],
      [' WANG@MAIL.EDU.TW ', 'wang@mail.edu.tw'],
      [`wa${zeroWidth}ng`, 'wang@mail.edu.tw'],
    ],
    bad: [
      ['王小明', 'field.account.letters'],
      ['wаng', 'field.account.letters'],
      ['wang ming', 'field.account.letters'],
      ['wang+1', 'field.account.letters'],
      ['1wang', 'field.account.begins'],
      ['.wang', 'field.account.begins'],
      ['wang.', 'field.account.ends'],
      ['wa..ng', 'field.account.dots'],
      ['wan', 'field.account.short'],
      ['w'.repeat(33), 'field.account.long'],
      ['wang@gmail.com', 'field.account.domain'],
      ['wang@mail.edu.tw@mail.edu.tw', 'field.account.letters'],
      ['wang@xmail.edu.tw', 'field.account.domain'],
      ['admin', 'field.account.reserved'],
      ['Post.Master', 'field.account.reserved'],
      ['no-reply', 'field.account.reserved'],
      ['principal', 'field.account.reserved'],
    ],
  },
  'account without a domain': {
    rules: { type: 'account' },
    good: [['ｗａｎｇ', 'wang']],
    bad: [['wang@mail.edu.tw', 'field.account.letters']],
  },
  email: {
    rules: { type: 'email', not_at: ['mail.edu.tw'] },
    good: [
      ['Wang@Example.TW', 'Wang@example.tw'],
      [' wang@example.tw ', 'wang@example.tw'],
      ['wang＠example.tw', 'wang@example.tw'],
      ['wang+school@sub.example.tw', 'wang+school@sub.example.tw'],
      ['wang@notmail.edu.tw', 'wang@notmail.edu.tw'],
    ],
    bad: [
      ['wang', 'field.email.bad'],
      ['wang@localhost', 'field.email.bad'],
      ['wang@example.tw, li@example.tw', 'field.email.bad'],
      ['"wang"@example.tw', 'field.email.bad'],
      ['wang@example.tw\nBcc: x@y.tw', 'field.email.bad'],
      ['wang@MAIL.edu.tw', 'field.email.not-at'],
      ['wang@ms1.mail.edu.tw', 'field.email.not-at'],
      [`${'w'.repeat(250)}@example.tw`, 'field.email.bad'],
    ],
  },
  phone: {
    rules: { type: 'phone' },
    good: [
      ['02-12345678#123', '+886212345678;ext=123'],
      ['0912 345 678', '+886912345678'],
      ['+81 3-1234-5678', '+81312345678'],
    ],
    bad: [
      ['12345678', 'field.phone.bad'],
      ['+8862123', 'field.phone.bad'],
      ['call me', 'field.phone.bad'],
    ],
  },
  mobile: {
    rules: { type: 'mobile' },
    good: [
      ['０９１２－３４５－６７８', '+886912345678'],
      ['+886 912 345 678', '+886912345678'],
    ],
    bad: [
      ['02-12345678', 'field.mobile.bad'],
      ['091234567', 'field.mobile.bad'],
    ],
  },
  select: {
    rules: { type: 'select', options },
    good: [['male', 'male']],
    bad: [
      ['', 'field.required'],
      ['Male', 'field.option.unknown'],
      ['other', 'field.option.unknown'],
      ['constructor', 'field.option.unknown'],
    ],
  },
  radio: {
    rules: { type: 'radio', options },
    good: [['female', 'female']],
    bad: [['男', 'field.option.unknown']],
  },
  date: {
    rules: { type: 'date' },
    good: [
      ['2010-01-05', '2010-01-05'],
      ['2010/1/5', '2010-01-05'],
      ['2010年1月5日', '2010-01-05'],
      ['20100105', '2010-01-05'],
      ['民國 99/1/5', '2010-01-05'],
      ['民國99年1月5日', '2010-01-05'],
      ['９９．１．５', '2010-01-05'],
      ['0990105', '2010-01-05'],
      ['民國0990105', '2010-01-05'],
      ['115-11-21', '2026-11-21'],
      ['2000-02-29', '2000-02-29'],
      ['1900-01-01', '1900-01-01'],
    ],
    bad: [
      ['2026-11-22', 'field.date.future'],
      ['1899-12-31', 'field.date.early'],
      ['2001-02-29', 'field.date.bad'],
      ['2010-13-01', 'field.date.bad'],
      ['2010-00-10', 'field.date.bad'],
      ['民國2010/1/5', 'field.date.bad'],
      ['1/5/2010', 'field.date.bad'],
      ['yesterday', 'field.date.bad'],
    ],
  },
  'national-id': {
    rules: { type: 'national-id' },
    // Of what is kept for everybody to see, most is covered.
    good: [
      ['a123456789', 'A1*****789'],
      ['Ａ１２３－４５６－７８９', 'A1*****789'],
    ],
    bad: [
      ['A123456788', 'field.national-id.bad'],
      ['A12345678', 'field.national-id.bad'],
    ],
  },
  'tax-id': {
    rules: { type: 'tax-id' },
    good: [['0459-5257', '04595257']],
    bad: [
      ['04595258', 'field.tax-id.bad'],
      ['00000000', 'field.tax-id.bad'],
    ],
  },
}

for (const [name, { rules, good, bad }] of Object.entries(tables))
  test(`${name}: what is right is kept in one form, what is wrong is said in both languages`, async (t) => {
    const { ports } = await lendSteps(t)
    const field = build(rules)
    const read = (typed: string) =>
      kindOf(field).read(field as never, { fields: { it: typed }, files: {} }, reading, ports)
    for (const [typed, kept] of good) {
      const { facts, problems = [] } = await read(typed)
      t.is(facts?.it, kept, JSON.stringify([typed, problems]))
    }
    for (const [typed, wanted] of bad) {
      const { facts, problems = [] } = await read(typed)
      t.deepEqual([facts, problems.length], [undefined, 1], JSON.stringify(typed))
      const [{ field: at, problem } = { problem: '' }] = problems
      t.deepEqual([at, keyOf(problem)], ['it', wanted], JSON.stringify(typed))
      for (const said of say(problem)) t.true(said.length > 4)
    }
  })

test('the tables leave out no kind that is typed', (t) => {
  const covered = new Set(Object.values(tables).map(({ rules }) => build(rules).type))
  const rest = Object.keys(kinds).filter((type) => !covered.has(type as Field['type']))
  t.deepEqual(rest, ['password', 'picture'])
})

test('a browser lets pass what the server takes as it is', (t) => {
  for (const [name, { rules, good }] of Object.entries(tables)) {
    const field = build(rules)
    const {
      minlength = 0,
      maxlength = Infinity,
      pattern,
    } = kindOf(field).attributes(field as never, noon)
    for (const [typed, kept] of good) {
      // Full-width letters, and a sign nobody sees: the script of the page mends those.
      if (typed !== typed.normalize('NFKC') || typed.includes(zeroWidth)) continue
      const fits = pattern === undefined || new RegExp(`^(?:${pattern})$`, 'v').test(typed)
      const { length } = typed
      t.true(
        fits && length >= Number(minlength) && length <= Number(maxlength),
        `${name}: ${typed}`,
      )
      t.not(kept, '')
    }
  }
})

test('what is wrong for the server, a pattern tells the browser already', (t) => {
  const { pattern } = kindOf(build({ type: 'account', domain: 'mail.edu.tw' })).attributes(
    build({ type: 'account', domain: 'mail.edu.tw' }) as never,
    noon,
  )
  for (const typed of ['王小明', '1wang', 'wang+1', 'wang@gmail.com', 'wang@mailxedu.tw'])
    t.notRegex(typed, new RegExp(`^(?:${pattern})$`, 'v'))
})

test('every field that is not required may be left empty, and finds out nothing then', async (t) => {
  const { ports } = await lendSteps(t)
  const types = [...Object.values(tables).map(({ rules }) => rules), { type: 'picture' }]
  for (const rules of [...types, { type: 'password' }]) {
    const field = build({ ...rules, required: false })
    const read = kindOf(field).read(field as never, { fields: {}, files: {} }, reading, ports)
    t.deepEqual(await read, {}, JSON.stringify(rules))
  }
})

test('a birthday gives an age in Taiwan’s days, also of who was born on 29 February', async (t) => {
  const { ports } = await lendSteps(t)
  const field = build({ type: 'date', years: 'age' })
  const ageAt = async (day: string, moment: string) => {
    const at = Date.parse(moment) / 1000
    const posted = { fields: { it: day }, files: {} }
    return (await kindOf(field).read(field as never, posted, { ...reading, at }, ports)).facts?.age
  }
  t.is(await ageAt('2008-11-21', '2026-11-20T23:59:59+08:00'), 17)
  t.is(await ageAt('2008-11-21', '2026-11-21T00:00:00+08:00'), 18)
  // In Greenwich it is the day before.
  t.is(await ageAt('2008-11-21', '2026-11-20T16:00:00Z'), 18)
  t.is(await ageAt('2008-02-29', '2026-02-28T12:00:00+08:00'), 17)
  t.is(await ageAt('2008-02-29', '2026-03-01T12:00:00+08:00'), 18)
  t.is(await ageAt('2026-11-21', '2026-11-21T12:00:00+08:00'), 0)
})

test('what is typed twice is the same twice, as people mean it', async (t) => {
  const { ports } = await lendSteps(t)
  const problemsOf = async (rules: object, first: string, second: string) => {
    const field = build({ ...rules, twice: true })
    const posted = { fields: { it: first, it_again: second }, files: {} }
    const { problems = [] } = await kindOf(field).read(field as never, posted, reading, ports)
    return problems.map(({ field: at, problem }) => `${at} ${keyOf(problem)}`)
  }
  const email = { type: 'email' }
  t.deepEqual(await problemsOf(email, 'Wang@example.tw', 'wang@EXAMPLE.tw '), [])
  t.deepEqual(await problemsOf(email, 'wang@example.tw', 'wang@example.com'), [
    'it_again field.email.differs',
  ])
  t.deepEqual(await problemsOf(email, 'wang@example.tw', ''), ['it_again field.again'])
  // One thing at a time: the first one first.
  t.deepEqual(await problemsOf(email, 'wang', 'li'), ['it field.email.bad'])

  const password = { type: 'password' }
  t.deepEqual(await problemsOf(password, 'correct horse café', 'correct horse cafe\u0301'), [])
  t.deepEqual(await problemsOf(password, 'correct horse battery', 'correct Horse battery'), [
    'it_again field.password.differs',
  ])
  t.deepEqual(await problemsOf(password, 'short', ''), [
    'it password.too-short',
    'it_again field.again',
  ])
  t.deepEqual(await problemsOf(password, '', 'correct horse battery'), [
    'it password.too-short',
    'it_again field.password.differs',
  ])
  for (const key of ['field.email.differs', 'field.password.differs', 'field.again']) say(key)
})

test('a password is hashed only when asked for, and can be checked then', async (t) => {
  const { ports } = await lendSteps(t)
  const field = build({ type: 'password' })
  const fields = { it: 'correct horse battery', it_again: 'correct horse battery' }
  const read = await kindOf(field).read(field as never, { fields, files: {} }, reading, ports)
  t.deepEqual(read.facts, { it: true })
  t.is(read.keep, undefined)
  const hash = await read.hold?.()
  t.true(await ports.passwords.verify(hash, 'correct horse battery'))
  t.false(await ports.passwords.verify(hash, 'correct horse batter'))
})

test('the words about pictures name the size that is taken', (t) => {
  const megabytes = `${maxPictureBytes / 1024 / 1024} MB`
  for (const key of ['field.picture.hint', 'field.picture.too-large'])
    for (const said of say(key)) t.true(said.includes(megabytes), said)
})

test('every hint and every word of the page exists in both languages', (t) => {
  for (const [name, { rules }] of Object.entries(tables)) {
    const { hint } = shownField(build(rules), { at: noon })
    if (hint)
      t.true(
        say(hint).every((said) => said.length > 3),
        name,
      )
  }
  for (const type of ['password', 'picture', 'national-id']) {
    const { hint = '', left = '' } = shownField(build({ type }), {
      at: noon,
      kept: 'image/webp,AAAA',
      value: 'A1*****789',
    })
    for (const said of [...say(hint), ...say(left)]) t.true(said.length > 3, type)
  }
})

test('nothing of a secret is on the page', (t) => {
  for (const type of ['password', 'national-id']) {
    const shown = shownField(build({ type }), { at: noon, value: 'true', kept: 'the very secret' })
    t.false(JSON.stringify(shown).includes('the very secret'), type)
    t.deepEqual([shown.value, shown.isKept], ['', true])
  }
})

test('numbers are shown as people write them, and read again they are the same', async (t) => {
  const { ports } = await lendSteps(t)
  for (const [type, kept, wanted] of [
    ['phone', '+886212345678;ext=123', '0212345678#123'],
    ['phone', '+886912345678', '0912345678'],
    ['phone', '+81312345678', '+81312345678'],
    ['mobile', '+886912345678', '0912345678'],
  ] as const) {
    const field = build({ type })
    const { value } = shownField(field, { at: noon, value: kept })
    t.is(value, wanted)
    const posted = { fields: { it: value }, files: {} }
    const { facts } = await kindOf(field).read(field as never, posted, reading, ports)
    t.is(facts?.it, kept)
  }
})

test('an account is shown without the domain that stands beside it', (t) => {
  const field = build({ id: 'own.account', type: 'account', domain: 'mail.edu.tw' })
  const { value, domain, id } = shownField(field, { at: noon, value: 'wang@mail.edu.tw' })
  t.deepEqual([value, domain, id], ['wang', 'mail.edu.tw', 'f-own-account'])
  t.is(inputId('a.b'), 'f-a-b')
})
