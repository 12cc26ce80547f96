import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadConfig } from '#config/load.ts'
import { ConfigError } from '#errors.ts'
import { temporaryFolder } from '../helpers/database.ts'

const site = 'id: x\ntitle: { zh-TW: 甲, en: A }\nprovisioning: {}\n'
const county = `id: ntpc
type: openid2
profile: edu-schema
settings:
  identifier: https://openid.example.tw
  hosts: [openid.example.tw]
  claimed_id: ^https://openid\\.example\\.tw/.+$
label: { zh-TW: 新北市, en: New Taipei City }
order: 2
`
const terms = {
  'terms/visit.2026-01-01.zh-TW.md': '# 同意書\n內容\n',
  'terms/visit.2026-01-01.en.md': '# Terms\nWords\n',
}

/** Rules with these enrolments, and what there is to complain about them. */
function problemsOf(t: ExecutionContext, files: Record<string, string>): string[] {
  const folder = temporaryFolder(t)
  const all = { 'site.yaml': site, 'connectors/ntpc.yaml': county, ...terms, ...files }
  for (const [name, text] of Object.entries(all)) {
    const file = join(folder, 'rules', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  try {
    loadConfig({ CITYGATE_CONFIG: 'rules' }, folder)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ file, line = 0, key, message }) => {
      t.true(file.startsWith('rules/'), file)
      return `${file.slice('rules/'.length)}:${line} ${key}: ${message}`
    })
  }
}

const good = `id: visit
title: { zh-TW: 訪客, en: Visitor }
entry: { visitor: {} }
steps:
  - { id: terms, type: agreement, terms: visit }
  - id: form
    type: form
    fields:
      - { id: name, type: name, label: { zh-TW: 姓名, en: Name } }
      - { id: password, type: password, label: { zh-TW: 密碼, en: Password } }
  - { id: mail, type: email-code }
creates:
  identifiers: [{ type: email, fact: email, verified: email_verified }]
  profile: { name: name }
  password: password
`

test('an enrolment in order is taken', (t) => {
  t.deepEqual(problemsOf(t, { 'enrolments/visit.yaml': good }), [])
})

/** The good one with something else in its place, and what is said about it. */
const slips: [what: string, from: string, to: string, ...said: string[]][] = [
  [
    'an unknown key',
    'entry: {',
    'colour: red\nentry: {',
    'visit.yaml:3 colour: is not a key we know; remove it or mend its spelling',
  ],
  [
    'an unknown key of a step',
    'terms: visit }',
    'terms: visit, colour: red }',
    'visit.yaml:5 steps.0.colour: is not a key we know; remove it or mend its spelling',
  ],
  [
    'an unknown type of step',
    'type: agreement',
    'type: agrement',
    'visit.yaml:5 steps.0.type: must be one of agreement, choice, upstream, form, email-code, email-link, captcha, guardian, summary, done, not "agrement"',
  ],
  [
    'a step without a type',
    'id: mail, type: email-code',
    'id: mail',
    'visit.yaml:11 steps.2.type: is missing: must be one of agreement, choice, upstream, form, email-code, email-link, captcha, guardian, summary, done',
  ],
  [
    'an unknown type of field',
    'type: name',
    'type: nmae',
    'visit.yaml:9 steps.1.fields.0.type: must be one of text, name, account, email, password, phone, mobile, select, radio, date, national-id, tax-id, picture, not "nmae"',
  ],
  [
    'a text in one language',
    'label: { zh-TW: 姓名, en: Name }',
    'label: { zh-TW: 姓名 }',
    'visit.yaml:9 steps.1.fields.0.label.en: is missing',
  ],
  [
    'a list where a name is meant, and a text where a number is',
    'entry: {',
    'expires_days: a week\nsummary: [x]\nentry: {',
    'visit.yaml:3 expires_days: must be a number, not text',
    'visit.yaml:4 summary: must be keys with values, not a list',
  ],
  [
    'neither all nor a list of connectors',
    '{ id: mail, type: email-code }',
    '{ id: mail, type: upstream, connectors: some }',
    'visit.yaml:11 steps.2.connectors: must be all, not "some", or must be a list, not text',
  ],
  [
    'a connector there is no file for',
    '{ visitor: {} }',
    '{ visitor: {}, identity: { connectors: [ntpc, xyz] } }',
    'visit.yaml:3 entry.identity: needs a step of type upstream: who goes on later or elsewhere signs in there again',
    'visit.yaml:3 entry.identity.connectors.1: is no connector: there is no connectors/xyz.yaml',
  ],
  [
    'a step whose address is one of our buttons’',
    'id: mail, type: email-code',
    'id: later, type: email-code',
    'visit.yaml:11 steps.2.id: is an address of our own: not enter, discard, later',
  ],
  [
    'an address to sign in with that nobody proves',
    'fact: email, verified: email_verified',
    'fact: email',
    'visit.yaml:13 creates.identifiers.0.verified: must name the fact that proves it: email_verified',
  ],
  [
    'an address that is said to be proven and is none of ours to give',
    'verified: email_verified',
    'verified: true',
    'visit.yaml:13 creates.identifiers.0.verified: must name the fact that proves it: email_verified',
  ],
  [
    'a connector there is no file for, in a step',
    'id: mail, type: email-code',
    'id: county, type: upstream, connectors: [xyz]',
    'visit.yaml:11 steps.2.connectors.0: is no connector: there is no connectors/xyz.yaml',
    'visit.yaml:13 creates.identifiers.0.fact: names a fact no step finds out: email',
    'visit.yaml:13 creates.identifiers.0.verified: names a fact no step finds out: email_verified',
  ],
  [
    'terms nobody wrote',
    'terms: visit',
    'terms: visitors',
    'visit.yaml:5 steps.0.terms: has no file terms/visitors.<day>.<language>.md',
  ],
  [
    'two steps of one id',
    'id: mail, ',
    'id: form, ',
    'visit.yaml:11 steps.2.id: is the id of an earlier step: form',
  ],
  [
    'two fields of one id',
    'id: name, type',
    'id: password, type',
    'visit.yaml:10 steps.1.fields.1.id: is the id of an earlier field: password',
    'visit.yaml:14 creates.profile.name: names a fact no step finds out: name',
  ],
  [
    'a condition on what nobody finds out before',
    'type: email-code }',
    'type: email-code, when: { email: x } }',
    'visit.yaml:11 steps.2.when.email: names a fact no step before it finds out: email',
  ],
  [
    'a condition that never holds',
    '  - { id: mail,',
    `  - id: kind
    type: choice
    fact: kind
    options:
      - { value: guest, label: { zh-TW: 訪客, en: Guest } }
      - { value: other, label: { zh-TW: 其他, en: Other } }
  - { id: last, type: summary, when: { kind: guests } }
  - { id: mail,`,
    'visit.yaml:17 steps.3.when.kind: is never guests: it is one of guest, other',
  ],
  [
    'an address nobody asked for',
    'type: email-code',
    'type: email-code, address: mailbox',
    'visit.yaml:11 steps.2.address: names a fact no step before it finds out: mailbox',
  ],
  [
    'a password that is no password',
    'password: password',
    'password: name',
    'visit.yaml:15 creates.password: names no field of type password: name',
  ],
  [
    'a pattern that is none',
    'type: name,',
    'type: text, pattern: "[", ',
    'visit.yaml:9 steps.1.fields.0.pattern: is no regular expression',
  ],
  [
    'a receiver of events nobody named',
    '  password: password',
    '  password: password\n  provision:\n    - { receiver: mailbox, type: mailbox.create, data: {} }',
    'visit.yaml:17 creates.provision.0.receiver: is not in provisioning of site.yaml',
  ],
  [
    'a last page before the end',
    '- { id: terms,',
    '- { id: end, type: done }\n  - { id: terms,',
    'visit.yaml:5 steps.0: must be the last step',
  ],
  [
    'a door for nobody',
    '{ visitor: {} }',
    '{}',
    'visit.yaml:3 entry: lets nobody in: name visitor, identity or member',
  ],
  [
    'accounts nobody could come back to',
    '  password: password\n',
    '',
    'visit.yaml:12 creates: makes accounts nobody can sign in to: name identifiers and a password',
  ],
  [
    'another id than the file’s name',
    'id: visit\n',
    'id: visitor\n',
    "visit.yaml:1 id: must be the file's name, visitor.yaml",
  ],
]

for (const [what, from, to, ...said] of slips) {
  test(`${what} is told with file, line and key`, (t) => {
    t.true(good.includes(from))
    const problems = problemsOf(t, { 'enrolments/visit.yaml': good.replace(from, to) })
    t.deepEqual(
      problems,
      said.map((one) => `enrolments/${one}`),
    )
  })
}

test('what is no YAML is told with its line', (t) => {
  const text = good.replace('entry: {', 'entry: {{')
  const [problem = '', ...others] = problemsOf(t, { 'enrolments/visit.yaml': text })
  t.regex(problem, /^enrolments\/visit\.yaml:[3-9] : ./)
  t.true(others.every((one) => /^enrolments\/visit\.yaml:\d+ : ./.test(one)))
})

test('an empty file and a misnamed one are told', (t) => {
  const problems = problemsOf(t, { 'enrolments/visit.yaml': '', 'enrolments/pass.yml': good })
  t.deepEqual(problems, [
    'enrolments/pass.yml:0 : is not read: its name must end in .yaml',
    'enrolments/visit.yaml:0 : must be keys with values, not nothing',
  ])
})

test('all of it is told at once, and a misspelt key hides nothing', (t) => {
  const broken = good
    .replace('entry: {', 'colour: red\nentry: {')
    .replace('terms: visit }', 'terms: gone }')
    .replace('fact: email,', 'fact: e_mail,')
  const problems = problemsOf(t, {
    'enrolments/visit.yaml': broken,
    'enrolments/pass.yaml': good
      .replace('id: visit', 'id: pass')
      .replace('form\n    f', 'from\n    f'),
    'site.yaml': `${site}agreements: [gone]\n`,
    'connectors/ntpc.yaml': county.replace('order: 2', 'order: second'),
  })
  t.deepEqual(problems, [
    'site.yaml:4 agreements.0: has no file terms/gone.<day>.<language>.md',
    'connectors/ntpc.yaml:9 order: must be a number, not text',
    'enrolments/pass.yaml:7 steps.1.type: must be one of agreement, choice, upstream, form, email-code, email-link, captcha, guardian, summary, done, not "from"',
    'enrolments/visit.yaml:3 colour: is not a key we know; remove it or mend its spelling',
    'enrolments/visit.yaml:6 steps.0.terms: has no file terms/gone.<day>.<language>.md',
    'enrolments/visit.yaml:14 creates.identifiers.0.fact: names a fact no step finds out: e_mail',
  ])
})

test('terms that lack a language, a title or a day are told', (t) => {
  const problems = problemsOf(t, {
    'terms/visit.2026-02-01.en.md': '# Terms\n',
    'terms/visit.2026-13-01.en.md': '# Terms\n',
    'terms/pass.2026-01-01.zh-TW.md': 'no title\n',
    'terms/pass.2026-01-01.en.md': '# Terms\n',
  })
  t.deepEqual(problems.sort(), [
    'terms/pass.2026-01-01.zh-TW.md:0 : is missing: each version is there in every language',
    'terms/pass.2026-01-01.zh-TW.md:0 : must begin with its title, "# …"',
    'terms/visit.2026-02-01.zh-TW.md:0 : is missing: each version is there in every language',
    'terms/visit.2026-13-01.en.md:0 : must be named <id>.<day it comes into force>.<zh-TW|en>.md',
  ])
})
