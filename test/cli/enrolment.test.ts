import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parse } from 'yaml'
import { runCli } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/database.ts'

const tryOut = (input: string, ...args: string[]) =>
  runCli(['enrolment', 'try', 'member', ...args], { input })

const madeBy = (out: string) => parse(out.split('this account would be made:\n')[1] ?? '')

const teacher = '{"name": "王小明", "role": "teacher", "title": "教師"}'
const password = '三隻 企鵝 慢慢 游過 湖'

/** One a line, in the order of the pages. */
const lines = (...answers: string[]) => `${answers.join('\n')}\n`

test('the ways to join are listed with their doors and steps', (t) => {
  const { exit, out } = runCli(['enrolment', 'list'])
  t.is(exit, 0)
  t.regex(out, /^member {2}教育雲會員註冊 .*visitor, identity\n {2}terms → kind → county\? → /)
})

test('a teacher is walked through by a pipe, her county pretended', (t) => {
  const form = ['wang.ming', 'wang@example.tw', password, '小明', '', '', '']
  const ran = tryOut(
    lines('yes', 'school', 'ntpc', ...form),
    '--as',
    teacher,
    '--language',
    'zh-TW',
  )
  t.is(ran.exit, 0, ran.err)
  t.regex(ran.out, /\[4\/5\] 教師／職員／學生 會員註冊/)
  t.regex(ran.out, /姓名: 王小明 · as 新北市 says/)
  t.false(ran.out.includes(password))
  t.like(madeBy(ran.out), {
    kind: 'member',
    identifiers: [{ email: 'wang.ming@mail.edu.tw', verified: true }],
    recovery_address: { value: 'wang@example.tw', confirmed: false },
    profile: { name: { value: '王小明', by: 'ntpc' } },
    identities: ['ntpc'],
    provision: [{ receiver: 'mailbox', event: { type: 'mailbox.create' } }],
  })
})

test('who comes in by a county’s door is asked neither what she is nor where from', (t) => {
  const form = ['wang.ming', 'wang@example.tw', password, '小明', '', '', '']
  const by = ['--door', 'identity', '--connector', 'kh', '--as', teacher]
  const ran = tryOut(lines('yes', ...form), ...by)
  t.is(ran.exit, 0, ran.err)
  t.deepEqual(madeBy(ran.out).identities, ['kh'])
})

const answersOf = (t: ExecutionContext, form: Record<string, string>) => {
  const file = join(temporaryFolder(t), 'answers.yaml')
  const guardian = {
    'guardian.name': '王大明',
    'guardian.relation': '父',
    'guardian.email': 'dad@example.tw',
  }
  const answers = { terms: { agree: 'yes' }, kind: { kind: 'other' }, 'other-form': form, guardian }
  writeFileSync(file, JSON.stringify(answers))
  return file
}

const pupil = {
  name: '王小明',
  email: 'ming@example.tw',
  password,
  nickname: '小明',
  birthdate: '2015-05-05',
}

test('a file of answers leads through letters and a guardian’s consent; nothing is left behind', (t) => {
  const file = answersOf(t, pupil)
  const env = { TMPDIR: temporaryFolder(t) }
  const ran = runCli(['enrolment', 'try', 'member', '--answers', file], { env })
  t.is(ran.exit, 0, ran.err)
  t.regex(ran.out, /✉ guardian to dad@example\.tw: http.*\/joining\/guardian\//)
  t.regex(ran.out, /✉ activate to ming@example\.tw: http.*\/joining\/activate\//)
  t.like(madeBy(ran.out), {
    identifiers: [{ email: 'ming@example.tw', verified: true }],
    guardian: { name: '王大明', email: 'dad@example.tw' },
  })
  const left = readdirSync(env.TMPDIR).filter((name) => name !== 'node-compile-cache')
  t.deepEqual(left, [])
})

test('a refused answer ends a check with 65, in the words of the page', (t) => {
  const file = answersOf(t, { ...pupil, password: '12345', birthdate: '2090-01-01' })
  const ran = tryOut('', '--answers', file)
  t.is(ran.exit, 65)
  t.regex(ran.out, /✗ password: The password needs at least 10 characters/)
  t.regex(ran.out, /✗ birthdate: That day is still to come/)
  t.regex(ran.err, /other-form: the answer was refused/)
})

test('to disagree, to run out of answers and to ask for what is not there end it with their codes', (t) => {
  const cases: [number, RegExp, string, ...string[]][] = [
    [65, /ended without an account/, lines('no')],
    [65, /no line is left to answer kind\.kind/, 'yes'],
    [64, /has no door for member/, '', '--door', 'member'],
    [64, /--as takes JSON with any of name/, '', '--as', '{"nmae": "x"}'],
    [64, /--connector must be one of/, '', '--door', 'identity', '--connector', 'xyz'],
  ]
  for (const [exit, said, input, ...args] of cases) {
    const ran = tryOut(input, ...args)
    t.is(ran.exit, exit, ran.err)
    t.regex(ran.err, said)
  }
  const unknown = runCli(['enrolment', 'try', 'membr'])
  t.is(unknown.exit, 66)
  t.regex(unknown.err, /there are: member/)
})

test('an answer nobody asked for is named', (t) => {
  const ran = tryOut('', '--answers', answersOf(t, { ...pupil, colour: 'red' }))
  t.is(ran.exit, 0, ran.err)
  t.regex(ran.out, /nobody asked for other-form\.colour/)
})
