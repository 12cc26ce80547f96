/** Every action the audit trail may hold is said in words. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { languages } from '#config/words.ts'
import { messages } from './site.ts'

/** Names that are put together, by how they begin. */
const putTogether: Record<string, readonly string[]> = {
  'agreement.': ['agree', 'decline'],
  'application.': ['activate', 'resume', 'guardian'],
  'import.': ['start', 'stop', 'resume'],
  'upstream.switch-': ['on', 'off'],
}

const root = join(import.meta.dirname, '..', '..', 'src')
/** Pages and commands have actions of their own: of forms, and of commander. */
const texts = globSync('**/*.ts', { cwd: root })
  .filter((file) => !/^(http\/routes|sandbox|commands)\/|-views\.ts$/.test(file))
  .map((file) => readFileSync(join(root, file), 'utf8'))

const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, one = '']) => one)

/** Functions that are told which action it is. */
const helpers = texts.flatMap((text) =>
  /\boutcome\b/.test(text)
    ? all(text, /(?:const|function) (\w+) ?=? ?(?:async )?\([^)]*?\baction: string/g)
    : [],
)

function actionsIn(text: string): string[] {
  const calls = new RegExp(`\\b(?:${helpers.join('|')})\\(([^;]*?)\\)`, 'g')
  const places = [
    ...all(text, /\baction:\s*([^,}]*\}?[^,}]*)/g),
    ...all(text, /\bconst action = ([^\n]*)/g),
    ...all(text, /\bconst actions\b[^=]*=\s*\{([^}]*)\}/g),
    ...all(text, calls),
  ]
  const said = places.flatMap((place) => all(place, /'([a-z-]+\.[a-z-]+)'/g))
  const begun = places.flatMap((place) => all(place, /`([a-z-]+\.[a-z-]*)\$/g))
  return [
    ...said,
    ...begun.flatMap((one) => (putTogether[one] ?? ['?']).map((end) => `${one}${end}`)),
  ]
}

const actions = [...new Set(texts.flatMap(actionsIn))].sort()

test('every action of the audit trail has words in both languages', (t) => {
  // One of each way it is written down: else nothing is looked at.
  for (const one of [
    'session.sign-in',
    'account.suspend',
    'picture.change',
    'account.upgrade',
    'client.rotate-secret',
    'key.replace',
    'staff.grant',
    'request.approve',
    'agreement.decline',
    'import.stop',
  ]) {
    t.true(actions.includes(one), one)
  }
  for (const action of actions) {
    const key = `admin.audit.action.${action.replace('.', '-')}`
    for (const language of languages) {
      t.true(messages.has(key) && messages.template(language, key) !== '', `${language} ${key}`)
    }
  }
})

/** Those no text says: they come from elsewhere, each from a list of its own. */
const passedOn = [
  ...['down', 'slow'],
  ...['taken', 'linked-already'],
  ...['unreadable', 'expired', 'broken', 'not-allowed'],
  ...['suspended', 'closed', 'pending'],
  ...['unreachable', 'nonsense', 'refused', 'forged'],
]

test('every outcome the audit trail may hold has words in both languages', (t) => {
  const said = texts.flatMap((text) =>
    /audit|\brecord\(/.test(text)
      ? [
          // Of a column, not of an event: its own name.
          ...all(text, /\boutcome(?: =|:) '(?!outcome')([a-z-]+)'/g),
          ...all(text, /\brecord\([^;()]*\}, '([a-z-]+)'\)/g),
        ]
      : [],
  )
  for (const one of ['ok', 'cut', 'unknown', 'ambiguous', 'second-factor'])
    t.true(said.includes(one), one)
  for (const outcome of new Set([...said, ...passedOn])) {
    const keys = [`admin.audit.is.${outcome}`, `admin.statistics.failure.${outcome}`]
    for (const language of languages) {
      const known = keys.some((key) => messages.has(key) && messages.template(language, key) !== '')
      t.true(known, `${language} ${outcome}`)
    }
  }
})
