import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { openPasswordRules } from '#accounts/password-rules.ts'
import type { Message } from '#lib/messages.ts'
import { costOfAll } from '../helpers/computing.ts'

const judge = openPasswordRules()
const about = ['wang@mail.edu.tw', '王小明', '新北市立中正國小', 'Lisa']

const table = test.macro(async (t, passwords: string[], wanted: Message | undefined) => {
  for (const password of passwords)
    t.deepEqual(await judge(password, about), wanted, JSON.stringify(password))
})

test(
  'long words that have nothing to do with each other are welcome',
  table,
  [
    'correct horse battery staple',
    '週末在花蓮看海豚跳舞',
    'Tr0ub4dor&3xyz',
    'mailbox and edutainment',
    'x7Gq-92Lmw',
    ' spaces count too, as typed ',
    'mTq8vR2kZp'.repeat(12),
  ],
  undefined,
)

test(
  'nine characters are too few, whatever they are',
  table,
  [
    '',
    'x7Gq-92Lm',
    '看海豚跳舞看海豚跳',
    // Nine of them, although sixteen bytes and more; é once as two code points.
    '👩‍🚀x7Gq-9',
    'e\u0301x7Gq-92L',
  ],
  { key: 'password.too-short', params: { min: 10 } },
)

test('more than 128 characters are too many', table, ['x7Gq-'.repeat(26), '長'.repeat(129)], {
  key: 'password.too-long',
  params: { max: 128 },
})

test('characters are counted, not bytes', async (t) => {
  t.is(await judge('週末在花蓮看海豚跳舞'.repeat(12), []), undefined)
  t.is(await judge(`e\u0301${'週末在花蓮看海豚跳舞x7'.repeat(10)}1234567`, []), undefined)
})

test(
  'what cannot be typed is refused',
  table,
  ['correct\0horse battery', 'correct\thorse battery', 'correct horse\u0085x'],
  'password.control',
)

test(
  'what everybody takes is refused, however it is written',
  table,
  ['1234567890', 'Qwertyuiop', 'QAZ123WSX456', 'ji32k7au4a83', 'ＪＩ32Ｋ7ＡＵ4Ａ83'],
  'password.common',
)

test(
  'her account, name or school is refused',
  table,
  [
    'wang@mail.edu.tw',
    'correct horse WANG staple',
    '新北市立中正國小新北市立中正國小',
    'lisa2026lisa',
    'lisalisalisa',
    '王小明王小明王小明1',
  ],
  'password.about-you',
)

test(
  'what a program guesses soon is refused',
  table,
  [
    'aaaaaaaaaaaa',
    'abcdefghijkl',
    'P@ssw0rd2026',
    'B123456789',
    '0912345678',
    '20081121123',
    'a'.repeat(128),
    'P4$$w0rd'.repeat(16),
  ],
  'password.weak',
)

test('a short name does not forbid half the words', async (t) => {
  t.is(await judge('the tea house at the corner', ['te', 'ho', '', ' ', '@', '.']), undefined)
})

test.serial('whoever sends much to be judged does not hold us up', async (t) => {
  await judge('warm up the dictionaries', [])
  const huge = Array.from({ length: 1000 }, (_, n) => `${n}`.repeat(20_000))
  for (const password of [
    'P4$$w0rd'.repeat(16),
    '[]vv\\/01.01.2000|<'.repeat(7),
    '長'.repeat(60_000),
  ]) {
    const cost = await costOfAll(() => judge(password, huge))
    t.true(cost < 1_000, `${cost} ms`)
  }
})

test('the dictionaries are read when the first password is judged, and are small', (t) => {
  const rules = join(import.meta.dirname, '../../src/accounts/password-rules.ts')
  const code = `
    import { openPasswordRules } from ${JSON.stringify(rules)}
    const mb = () => (globalThis.gc(), process.memoryUsage().heapUsed / 1e6)
    const judge = openPasswordRules()
    const before = mb()
    await judge('correct horse battery staple', [])
    console.log(JSON.stringify([before, mb()]))`
  const args = ['--expose-gc', '--input-type=module', '-e', code]
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' })
  t.is(run.status, 0, run.stderr)
  const [before, after] = JSON.parse(run.stdout)
  t.true(after - before > 2 && after - before < 16, run.stdout)
})
