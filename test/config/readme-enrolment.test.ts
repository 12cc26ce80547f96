import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parse } from 'yaml'
import { factsOf, field, type StepRules, type StepType, step } from '#config/enrolment.ts'
import { loadConfig } from '#config/load.ts'
import { runCli } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/database.ts'

const root = join(import.meta.dirname, '..', '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const [, section = ''] = /\n## Ways to join\n(.*?)\n## /s.exec(readme) ?? []

/** What stands between fences of a language, in order. */
const blocks = (language: string) =>
  [...section.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    ([, text = '']) => text,
  )

const [enrolment = '', answers = ''] = blocks('yaml')
const [chinese = '', english = ''] = blocks('md')

/** The shipped rules with what an operator made of the section, and the answers beside them. */
function buildRules(t: ExecutionContext): string {
  const folder = temporaryFolder(t)
  cpSync(join(root, 'config', 'educloud'), join(folder, 'rules'), { recursive: true })
  const files = {
    'rules/enrolments/visitor.yaml': enrolment,
    'rules/terms/visitor.2026-09-01.zh-TW.md': chinese,
    'rules/terms/visitor.2026-09-01.en.md': english,
    'answers.yaml': answers,
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

test('the enrolment of the README loads as it stands', (t) => {
  const folder = buildRules(t)
  const { enrolments, terms } = loadConfig({ CITYGATE_CONFIG: 'rules' }, folder)
  const visitor = enrolments.find(({ id }) => id === 'visitor')
  t.is(visitor?.steps.length, 3)
  t.is(terms.inForce('visitor', Date.UTC(2026, 10, 21) / 1000).version, '2026-09-01')
})

test('it leads to an account with the answers of the README', (t) => {
  const folder = buildRules(t)
  const env = { CITYGATE_CONFIG: join(folder, 'rules') }
  const file = join(folder, 'answers.yaml')
  const ran = runCli(['enrolment', 'try', 'visitor', '--answers', file], { env })
  t.is(ran.exit, 0, ran.err)
  const [, made = ''] = ran.out.split('this account would be made:\n')
  t.like(parse(made), {
    kind: 'visitor',
    status: 'active',
    identifiers: [{ email: 'wang@example.tw', verified: true }],
    password: true,
    profile: {
      name: { value: '王小明', by: 'self' },
      email: { value: 'wang@example.tw', by: 'self', verified: true },
      phone_number: { by: 'self' },
    },
    agreements: ['visitor 2026-09-01 en'],
  })
})

/** Of each kind one whose names are those of its settings. */
const samples: { [Type in StepType]: Record<string, unknown> } = {
  agreement: { terms: 'terms' },
  choice: { fact: 'fact', options: ['a', 'b'].map((value) => ({ value, label: words(value) })) },
  upstream: {},
  form: { fields: [{ id: 'id', type: 'date', label: words('x'), years: 'years' }] },
  'email-code': { fact: 'fact' },
  'email-link': { address: 'address' },
  captcha: {},
  guardian: {},
  summary: {},
  done: {},
}

function words(text: string) {
  return { 'zh-TW': text, en: text }
}

test('the table of steps names each of them, and the facts each finds out', (t) => {
  const rows = [...section.matchAll(/^\| `([a-z-]+)` \| (.*) \| ?(.*) ?\|$/gm)]
  const said = Object.fromEntries(rows.map(([, type = '', , facts = '']) => [type, codeIn(facts)]))
  const found = Object.entries(samples).map(([type, more]) => {
    const sample: StepRules = step.parse({ id: 'x', type, ...more })
    return [type, factsOf(sample)]
  })
  t.deepEqual(said, Object.fromEntries(found))
  t.is(factsOf(step.parse({ id: 'x', type: 'email-code' }))[0], 'email')
})

const codeIn = (text: string) =>
  [...text.matchAll(/`([a-z_.]+)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'email')

test('every kind of field is named', (t) => {
  const [, list = ''] = /\nFields are (.*?)\. `from:`/s.exec(section) ?? []
  const named = [...list.matchAll(/`([a-z-]+)`/g)].map(([, type]) => type)
  t.deepEqual(
    named,
    field.options.map(({ shape }) => shape.type.value),
  )
})
