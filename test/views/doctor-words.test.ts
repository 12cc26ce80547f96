/** What the doctor says, and other sentences of ours that are kept in English, in both languages. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { faultKeys } from '#admin/audit.ts'
import { inEnglish } from '#admin/doctor/in-english.ts'
import { said, sayings, trouble, troubles } from '#admin/doctor/sayings.ts'
import { languages } from '#config/words.ts'
import { reasonKeys } from '#lib/delivery.ts'
import { paramsOf } from '#lib/messages.ts'
import { openReadBack } from '#lib/read-back.ts'
import { messages, pageOf, viewsDir } from './site.ts'

const readReason = openReadBack(messages, reasonKeys)
const readFault = openReadBack(messages, faultKeys)
const src = join(viewsDir, '..', 'src')
const read = (...files: string[]) =>
  files.map((file) => readFileSync(join(src, file), 'utf8')).join('\n')

/** Every key with what it is given. */
const given = new Map<string, readonly string[]>([
  ...Object.entries(sayings).map(([key, params]) => [`doctor.${key}`, params] as const),
  ...Object.entries(troubles).flatMap(([key, params]) =>
    ['says', 'mend'].map((what) => [`doctor.${key}.${what}`, params] as const),
  ),
])

test('everything the doctor says has words in both languages, and no words are left over', (t) => {
  const worded = messages.keys().filter((key) => key.startsWith('doctor.'))
  t.deepEqual(worded.sort(), [...given.keys()].sort())
  for (const [key, params] of given) {
    const missing = paramsOf(messages.template('en', key)).filter((one) => !params.includes(one))
    t.deepEqual(missing, [], `${key} is not given all it speaks of`)
    for (const language of languages) t.not(messages.template(language, key).trim(), '', key)
  }
})

/** What is typed as it is: a command, or the name of what was looked at. */
const sameInBoth = ['doctor.check.https', 'doctor.check.cookies', 'doctor.risk.readable.mend']

test('what the doctor says in Chinese is Chinese', (t) => {
  const latin = [...given.keys()].filter(
    (key) => !/\p{Script=Han}/u.test(messages.template('zh-TW', key)),
  )
  t.deepEqual(latin.sort(), sameInBoth.sort())
})

test('the doctor has found each of them somewhere', (t) => {
  const files = ['admin/doctor.ts', ...globSync('admin/doctor/*.ts', { cwd: src })]
  const text = read(...files.filter((file) => !file.endsWith('/sayings.ts')))
  const whole = new Set(
    [...text.matchAll(/'([a-z0-9]+(?:[.-][a-z0-9]+)+)'/g)].map(([, key]) => key),
  )
  const begun = [...text.matchAll(/`([a-z]+\.[a-z.]*)\$\{/g)].map(([, start]) => start ?? '')
  const unsaid = [...Object.keys(sayings), ...Object.keys(troubles)].filter(
    (key) => !whole.has(key) && !begun.some((start) => key.startsWith(start)),
  )
  t.deepEqual(unsaid, [])
})

test('what goes in comes out in either language, also in two sentences', (t) => {
  const away = trouble('issuer.unreachable', { issuer: 'https://id.example', why: 'EHOSTDOWN' })
  const [says = said('clock.agrees-one')] = [away.says].flat()
  t.is(inEnglish(messages, says), 'https://id.example: could not be reached (EHOSTDOWN)')
  t.is(
    messages.translate('zh-TW', says.key, says.params),
    'https://id.example：無法連線 (EHOSTDOWN)',
  )
  t.is(
    inEnglish(
      messages,
      said('clock.issuer-ahead', { seconds: 121 }),
      said('clock.server-behind', { host: 'a.example', seconds: 45 }),
    ),
    'the issuer is 121 s ahead of us; a.example is 45 s behind us',
  )
})

test('the page says it in its language, and in English what a later release found', (t) => {
  const page = pageOf('zh-TW', 'admin-system') ?? ''
  t.regex(page, /<strong>郵件<\/strong>：郵件伺服器逾時沒有回應<\/p>/)
  t.regex(page, /比我方快 121 秒；<bdi>openid\.tn\.edu\.tw<\/bdi> 比我方慢 45 秒<\/p>/)
  t.deepEqual(page.match(/<span lang="en">.*?<\/span>/g), [
    '<span lang="en"><bdi>dns</bdi></span>',
    '<span lang="en"><bdi>answers</bdi></span>',
  ])
})

/** Sentences of a file, with something in each place that is put in. */
const sentencesIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, , sentence = '']) => sentence.replaceAll(/\$\{[^}]*\}/g, '7'))

test('why a message was not delivered, as it is kept, is said in both languages', (t) => {
  const text = read('outside/mail.ts', ...globSync('jobs/{deliver*,reaching}.ts', { cwd: src }))
  const whys = [
    ...sentencesIn(text, /\bwhy: (['`])(.*?)\1/g),
    ...[...text.matchAll(/^const words\b[^=]*= \{(.*?)^\}/gms)].flatMap(([, table = '']) =>
      sentencesIn(table, /: (['`])(.*?)\1/g),
    ),
  ]
  t.true(whys.includes('it answered 7') && whys.includes('the mail server’s name is unknown'))
  const found = whys.map((why) => readReason(why)?.key ?? why)
  t.deepEqual([...new Set(found)].sort(), [...reasonKeys].sort())
  t.deepEqual(readReason('MAILBOX_URL is not set'), {
    key: 'delivery.not-set',
    params: { variable: 'MAILBOX_URL' },
  })
  t.is(readReason('words of another release'), undefined)
})

test('what is wrong with the audit trail, as it is kept, is said in both languages', (t) => {
  const sentences = [
    'event 5 is missing',
    'events 5 to 9 are missing',
    'the event that belongs at 5 stands at 9',
    'event 5 was changed',
    'event 5 is not what was written: it was changed, or made without the audit key',
    'is gone; chain abc saw its event 5',
    'ends at event 5, but chain abc saw its event 9: its end was cut off',
    'event 5 is not the one chain abc saw',
  ]
  const found = sentences.map((one) => readFault(one))
  t.deepEqual(found.map((one) => one?.key).sort(), [...faultKeys].sort())
  t.deepEqual(found[6]?.params, { seq: '5', by: 'abc', seen: '9' })
})
