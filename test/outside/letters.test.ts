import test from 'ava'
import { parse } from 'node-html-parser'
import type { Letter, LetterKind } from '#lib/letter.ts'
import { paramsOf } from '#lib/messages.ts'
import { openLetters } from '#outside/letters.ts'
import { messages, viewsDir } from '../views/site.ts'

const issuer = 'https://id.example.gov.tw'
const site = { title: { 'zh-TW': '教育雲', en: 'Edu Cloud' } }
const write = openLetters({ viewsDir, messages, site, issuer })
const languages = ['zh-TW', 'en']

const link = `${issuer}/activate/6Jt2pT1k`
const account = 'wang@mail.edu.tw'
const lasts = 3600
const county = '新北市'

/** One of each kind, as rooms hand them in. */
const contents = {
  code: { code: '204816', params: { lasts: 600 } },
  activate: { link, params: { account, lasts: 259_200 } },
  'address-taken': { link },
  resume: { link, params: { lasts } },
  guardian: { link, params: { name: '王小明', lasts } },
  'guardian-copy': { params: { name: '王小明' } },
  'guardian-agreed': { link, params: { lasts } },
  welcome: { link, params: { account } },
  reset: { link, params: { account, lasts } },
  'password-changed': { params: { account } },
  'confirm-address': { link, params: { account, lasts } },
  'address-changed': { params: { account, address: 'ming@example.com' } },
  'identity-linked': { params: { account, county } },
  'identity-unlinked': { params: { account, county } },
  'accounts-joined': { params: { account, other: 'w•••@example.com', merge: 'case-1' } },
  'accounts-parted': { params: { account, merge: 'case-1' } },
  'account-closed': { link, params: { account, lasts: 2_592_000 } },
  'account-reopened': { params: { account } },
  'secret-expires': { link, params: { name: '課程平台', days: 7 } },
  'factor-added': { params: { account } },
  'factor-removed': { params: { account } },
  'recovery-codes': { params: { account } },
  'recovery-code-used': { params: { account, left: 9 } },
  'factors-reset': { params: { account } },
  'staff-invitation': { link, params: { by: '陳管理', lasts: 604_800 } },
  'staff-second-factor': { link, params: { account, lasts: 604_800 } },
  'client-approved': { link, params: { account, name: '課程平台' } },
  'client-refused': { link, params: { account, name: '課程平台', reason: '請先簽約' } },
  'staff-reused-login': {
    params: { county, identity: '6a1d3c2e-8f0b-4f57-9d4e-1b2c3d4e5f60' },
  },
} satisfies {
  [Kind in LetterKind]: Omit<Extract<Letter, { kind: Kind }>, 'kind' | 'to' | 'language' | 'name'>
}
const kinds = Object.keys(contents) as LetterKind[]

const letter = (kind: LetterKind, language: string, more: object = {}): Letter =>
  ({ kind, to: 'ming@example.com', language, ...contents[kind], ...more }) as Letter

const of = (kind: LetterKind, language: string, more: object = {}) => {
  const mail = write(letter(kind, language, more))
  return { ...mail, page: parse(mail.html ?? '') }
}

for (const language of languages)
  for (const kind of kinds) {
    test(`the letter ${kind} in ${language} says the same on its page and in its text`, (t) => {
      const { subject, text, page, to } = of(kind, language, { name: '王小美' })
      t.is(to, 'ming@example.com')
      t.regex(subject, language === 'en' ? /Edu Cloud/ : /教育雲/)
      t.is(page.querySelector('html')?.getAttribute('lang'), language)
      t.is(page.querySelector('h1')?.text, subject)
      t.notRegex(subject + text + page.querySelector('body')?.text, /[{}]|undefined|\[object/)
      // Every paragraph for eyes is in the text, the footer too.
      const paragraphs = page.querySelectorAll('p').map((one) => one.text.trim())
      t.true(paragraphs.length >= 5)
      for (const paragraph of paragraphs.filter((one) => !one.includes(issuer)).slice(1)) {
        t.true(text.includes(paragraph), paragraph)
      }
      t.regex(text, language === 'en' ? /never asks for your password/ : /不會以.*詢問您的密碼/)
      t.regex(text, /id\.example\.gov\.tw/)

      const { link: leads, code } = letter(kind, language) as { link?: string; code?: string }
      const hrefs = page.querySelectorAll('a').map((one) => one.getAttribute('href'))
      t.deepEqual(hrefs, leads ? [leads, leads] : [])
      t.deepEqual(text.match(/https?:\S+/g) ?? [], leads ? [leads] : [])
      if (leads) t.true(text.split('\n').includes(leads), 'on a line of its own')
      t.is(page.querySelector('.code')?.text, code)
      if (code) t.true(text.includes(code))
    })
  }

test('both languages have a letter’s paragraphs, and no words of letters are left over', (t) => {
  const rows = messages.keys().filter((key) => key.startsWith('mail.'))
  const wanted = kinds.flatMap((kind) => [
    `mail.${kind}.subject`,
    `mail.${kind}.what`,
    `mail.${kind}.after`,
    ...('link' in contents[kind] ? [`mail.${kind}.button`] : []),
  ])
  const shared = ['greeting', 'greeting-nobody', 'or-copy', 'footer.sender', 'footer.password']
  t.deepEqual(rows.sort(), [...wanted, ...shared.map((one) => `mail.${one}`)].sort())
  for (const key of rows) {
    const [zh, en] = languages.map((one) => messages.template(one, key).split('\n').length)
    t.is(zh, en, key)
  }
  for (const kind of kinds) {
    const { params = {} } = contents[kind] as { params?: object }
    const said = ['subject', 'what', 'after'].flatMap((part) =>
      paramsOf(messages.template('en', `mail.${kind}.${part}`)),
    )
    const known = new Set([...Object.keys(params), 'site', 'host'])
    t.deepEqual(
      said.filter((one) => !known.has(one)),
      [],
      kind,
    )
    t.deepEqual(
      Object.keys(params).filter((one) => !said.includes(one)),
      [],
      `${kind} is told more than it says`,
    )
  }
})

test('how long something is good is told in the largest unit that is whole', (t) => {
  const good = (seconds: number, language: string) =>
    /(?:在 |for )([^.內]+?)(?: 內|內|\.| and)/.exec(
      of('reset', language, { params: { account, lasts: seconds } }).text,
    )?.[1]
  t.deepEqual(
    [600, 3600, 86_400, 259_200, 5400].map((seconds) => good(seconds, 'en')),
    ['10 minutes', '1 hour', '1 day', '3 days', '90 minutes'],
  )
  t.deepEqual(
    [600, 3600, 259_200].map((seconds) => good(seconds, 'zh-TW')),
    ['10 分鐘', '1 小時', '3 天'],
  )
})

test('a hostile name, account or county becomes neither markup nor a header line nor a link', (t) => {
  const name =
    '<img src=x onerror=alert(1)>\r\nBcc: all@mail.edu.tw\u202e"\'&</title> https://evil.example/x ' +
    'evil.example'
  for (const language of languages) {
    for (const kind of kinds) {
      const { params } = contents[kind] as { params?: object }
      const hostile = {
        ...params,
        ...(params && 'name' in params ? { name } : {}),
        ...(params && 'account' in params ? { account: `<b>"'&\r\n${account}` } : {}),
        ...(params && 'county' in params ? { county: '<script>alert(1)</script>' } : {}),
      }
      const mail = of(kind, language, { name, ...(params ? { params: hostile } : {}) })
      t.deepEqual(mail.page.querySelectorAll('img, script, b'), [], kind)
      t.notRegex(mail.html ?? '', /<(img|script|b)\b/)
      t.notRegex(mail.subject, /\p{Cc}|\u202e/u)
      t.notRegex(mail.text, /\r|\u202e|^Bcc/m)
      t.false(/evil\.example|https:\/\/evil/.test(mail.subject + mail.text + mail.html), kind)
      t.true(mail.subject.length <= 150)
    }
  }
  const { text, html = '' } = of('guardian', 'en', { params: { name: '<b>O’Neil</b>', lasts } })
  t.true(text.includes('<b>O’Neil< b> is signing up'), 'text stays text')
  t.true(html.includes('&lt;b&gt;O’Neil'))
})

test('a mail of ours leads to us only', (t) => {
  for (const wrong of [
    'https://evil.example/activate/1',
    'https://id.example.gov.tw.evil.example/activate/1',
    'https://id.example.gov.tw@evil.example/',
    'javascript:alert(1)',
    '/activate/1',
  ]) {
    t.throws(() => of('activate', 'en', { link: wrong }), { message: /links to https:\/\/id/ })
  }
})

test('the new address is told to the old one in part only', (t) => {
  for (const language of languages) {
    const { text, html = '' } = of('address-changed', language)
    t.true(text.includes('m…@example.com'))
    t.false((text + html).includes('ming@'))
  }
})

test('a name greets, and where nobody has shown whose address it is there is none', (t) => {
  t.true(of('reset', 'zh-TW', { name: '王小明' }).text.startsWith('王小明您好：\n'))
  t.true(of('reset', 'zh-TW', { name: 'Ming' }).text.startsWith('Ming 您好：\n'))
  t.true(of('reset', 'en', { name: 'Ming' }).text.startsWith('Dear Ming,\n'))
  t.true(of('reset', 'en').text.startsWith('Hello,\n'))
  const guardian = of('guardian', 'zh-TW', { name: '王大明' })
  t.true(guardian.text.startsWith('王大明您好：\n'))
  t.true(guardian.subject.startsWith('王小明想加入'))
})

test('nothing is fetched when a mail is read, and it can be read in the dark', (t) => {
  for (const kind of kinds) {
    const { html = '', page } = of(kind, 'zh-TW')
    t.deepEqual(page.querySelectorAll('img, link, script, iframe, form, svg'), [])
    t.notRegex(html, /url\(|@import|src=/)
    t.regex(html, /prefers-color-scheme: dark/)
    for (const table of page.querySelectorAll('table')) {
      t.is(table.getAttribute('role'), 'presentation')
    }
  }
})
