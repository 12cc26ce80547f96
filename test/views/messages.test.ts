import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { chooseLanguage, openMessages } from '#lib/messages.ts'
import { messages, viewsDir } from './site.ts'

const sourceDir = join(viewsDir, '..', 'src')

test('both languages have the same keys with the same parameters', (t) => {
  // openMessages refuses files that disagree; this says that ours do not.
  t.deepEqual(messages.languages, ['en', 'zh-TW'])
  t.true(messages.keys().length > 200)
})

test('files that disagree are refused, with every difference named', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'messages-'))
  writeFileSync(join(dir, 'en.yaml'), 'a:\n  b: Hello {name}\n  only: here\n')
  writeFileSync(join(dir, 'zh-TW.yaml'), 'a:\n  b: 您好\n')
  const error = t.throws(() => openMessages(dir))
  t.regex(error.message, /a\.b has different \{params\}/)
  t.regex(error.message, /a\.only is missing in zh-TW/)
})

test('every key a view names exists', (t) => {
  const views = readdirSync(viewsDir, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ejs') && !file.startsWith('sandbox'),
  )
  const named = views.flatMap((file) =>
    [
      ...readFileSync(join(viewsDir, file), 'utf8').matchAll(
        /(?:\b(?:t|say|raw)\(|\b(?:why|heading|message): )'([^'{$]+)'/g,
      ),
    ].map((match) => `${file}: ${match[1]}`),
  )
  t.true(named.length > 100)
  const missing = named.filter((one) => !messages.has(one.split(': ')[1] ?? ''))
  t.deepEqual(missing, [])
})

test('every word is said somewhere', (t) => {
  const written = [viewsDir, sourceDir]
    .flatMap((dir) =>
      readdirSync(dir, { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(ejs|ts)$/.test(file))
        .map((file) => readFileSync(join(dir, file), 'utf8')),
    )
    .join('\n')
  // A key, or what stands before the part of it that is put in: `scope.${name}`, afterWait('resend.held', …).
  const whole = new Set(written.match(/[a-z][\w-]*(?:\.[\w-]+)+/gi))
  const begun = new Set([...written.matchAll(/([a-z][\w.-]*\.)\$\{/gi)].map(([, one]) => one))
  const said = (key: string) => {
    const parts = key.split('.')
    const before = parts.map((_, i) => parts.slice(0, i + 1).join('.'))
    return whole.has(key) || before.some((one) => begun.has(`${one}.`))
  }
  const isWait = (key: string) => /\.(seconds|minutes)$/.test(key)
  const unsaid = messages
    .keys()
    .filter((key) => !said(key) && !(isWait(key) && whole.has(key.replace(/\.\w+$/, ''))))
  t.deepEqual(unsaid, [])
})

test('every problem says what happened, and every way on has a label', (t) => {
  const problems = [
    ...['unreachable', 'slow', 'nonsense', 'refused', 'forged', 'down'].map(
      (one) => `upstream.${one}`,
    ),
    ...['unknown', 'used', 'expired', 'other-browser'].map((one) => `trip.${one}`),
    ...['interaction.expired', 'interaction.done', 'cookies', 'app.request', 'app.unknown'],
    ...[
      'not-found',
      'method',
      'too-large',
      'file-too-large',
      'incomplete',
      'forbidden',
      'server',
      'busy',
      'too-many',
      'host',
    ],
    ...['account.suspended', 'account.pending', 'county.not-connected'],
  ]
  const wanted = [
    ...problems.flatMap((one) => [`problem.${one}.title`, `problem.${one}.what`]),
    ...[
      'again-county',
      'other-county',
      'local',
      'back-to-app',
      'start-again',
      'home',
      'sign-in',
    ].map((one) => `next.${one}`),
    ...['wrong', 'empty', 'wrong-wait.minutes', 'choose-county'].map((one) => `sign-in.${one}`),
    ...['openid', 'profile', 'email', 'phone', 'eduinfo', 'openid2', 'offline_access'].flatMap(
      (one) => [`scope.${one}.title`, `scope.${one}.detail`],
    ),
    ...['teacher', 'staff', 'student', 'parent', 'other'].map((one) => `role.${one}`),
  ]
  t.deepEqual(
    wanted.filter((key) => !messages.has(key)),
    [],
  )
})

test('a missing key or parameter is an error, not a hole in the page', (t) => {
  t.throws(() => messages.translate('en', 'no.such.key'), { message: /no message 'no.such.key'/ })
  t.throws(() => messages.translate('fr', 'sign-in.title'))
  t.throws(() => messages.translate('en', 'next.back-to-app'), { message: /\{app\} is missing/ })
  t.throws(() => messages.translate('en', 'constructor'))
  t.is(messages.translate('en', 'next.back-to-app', { app: '{app}' }), 'Back to {app}')
})

const speak = (hints: Parameters<typeof chooseLanguage>[0]) =>
  chooseLanguage(hints, ['zh-TW', 'en'], 'zh-TW')

test('the language is the one asked for, then remembered, then the app’s, then the browser’s', (t) => {
  const all = { query: 'en', cookie: 'zh-TW', uiLocales: 'zh-TW', acceptLanguage: 'zh-TW' }
  t.is(speak(all), 'en')
  t.is(speak({ ...all, query: 'xx', cookie: 'en' }), 'en')
  t.is(speak({ uiLocales: 'fr en', acceptLanguage: 'zh-TW' }), 'en')
  t.is(speak({ acceptLanguage: 'en-GB,en;q=0.9' }), 'en')
  t.is(speak({}), 'zh-TW')
})

test('Accept-Language is read with its qualities', (t) => {
  t.is(speak({ acceptLanguage: 'zh-TW;q=0.5, en;q=0.8' }), 'en')
  t.is(speak({ acceptLanguage: 'en;q=0, zh' }), 'zh-TW')
  t.is(speak({ acceptLanguage: 'fr, zh-Hant;q=0.9, en;q=0.8' }), 'zh-TW')
  t.is(speak({ acceptLanguage: 'en;q=nonsense' }), 'zh-TW')
  t.is(speak({ acceptLanguage: '*' }), 'zh-TW')
  t.is(speak({ acceptLanguage: ',;q=,,' }), 'zh-TW')
  t.is(speak({ acceptLanguage: 'EN-us' }), 'en')
})
