/** How a file of people is read, and what is said of one that cannot be. */
import { join } from 'node:path'
import test from 'ava'
import type { Cells } from '#admin/imports/columns.ts'
import { parsePeople } from '#admin/imports/parse.ts'
import { FileProblem, fileProblems, rowProblems } from '#admin/imports/problems.ts'
import { openMessages } from '#lib/messages.ts'
import { parse } from './imports.ts'

/** 帳號,姓名 / wang,王小明 / li,李"四" in Big5, as Excel of Taiwan writes it. */
const big5 = Buffer.from(
  'b162b8b92ca96da6570d0a77616e672ca4fda470a9fa0d0a6c692c22a7f52222a57c2222220d0a',
  'hex',
)
const expected: [number, Cells][] = [
  [2, { account: 'wang', name: '王小明' }],
  [3, { account: 'li', name: '李"四"' }],
]

test('a file is read in every encoding and with every delimiter spreadsheets write, wherever it is cut', async (t) => {
  const text = '帳號,姓名\r\nwang,王小明\r\nli,"李""四"""\r\n'
  const files: Record<string, Buffer> = {
    'UTF-8': Buffer.from(text),
    'UTF-8 with a mark': Buffer.from(`\ufeff${text}`),
    'UTF-16 with a mark': Buffer.from(`\ufeff${text}`, 'utf16le'),
    Big5: big5,
    semicolons: Buffer.from(text.replaceAll(',', ';')),
    tabs: Buffer.from(text.replaceAll(',', '\t')),
    'line feeds': Buffer.from(text.replaceAll('\r\n', '\n')),
    'carriage returns': Buffer.from(text.replaceAll('\r\n', '\r')),
    'without the last line end': Buffer.from(text.slice(0, -2)),
    'English words and more columns': Buffer.from(
      'Account,NAME,,\nwang,王小明,,\n li ,"李""四""",,\n',
    ),
  }
  for (const [kind, file] of Object.entries(files))
    for (const size of [1, 3, 7, 65_536]) t.deepEqual(await parse(file, size), expected, kind)
})

test('rows keep the numbers a spreadsheet shows, over blank ones and cells of several lines', async (t) => {
  const rows = await parse('account,name\nwang,"王\n小明"\n\n,\n"li","a;b,c"\n')
  t.deepEqual(rows, [
    [2, { account: 'wang', name: '王\n小明' }],
    [5, { account: 'li', name: 'a;b,c' }],
  ])
})

test('a file that is none is refused for what is wrong with it', async (t) => {
  const row = 'wang,王\n'
  const bad: [code: string, file: string | Buffer][] = [
    ['file-empty', ''],
    ['file-empty', 'account,name\n'],
    ['file-workbook', Buffer.from('504b0304140006000800', 'hex')],
    ['file-workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex')],
    ['file-text', Buffer.from('account,name\nwang,\0\n')],
    ['file-text', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe, 0xfa, 0xf0, 0x80])],
    ['file-mixed', Buffer.concat([Buffer.from(`account,name\n${row.repeat(20_000)}`), big5])],
    ['file-quotes', `account,name\nwang,"王\n${row.repeat(3)}`],
    ['file-quotes', 'account,name\nwang,"王"小明\n'],
    ['file-row', `account,name\nwang,"${'x'.repeat(70_000)}"\n`],
    ['file-row', `account,${'x'.repeat(200_000)}`],
    ['column-unknown', 'account,name,is_admin\nwang,王,1\n'],
    ['column-unknown', 'account,name,__proto__\nwang,王,1\n'],
    ['column-twice', 'account,帳號,name\na,b,c\n'],
    ['column-missing', 'account,email\na,b\n'],
    ['column-missing', 'name\n王\n'],
    ['file-rows', `account,name\n${'a,b\n'.repeat(200_001)}`],
  ]
  for (const [code, file] of bad) {
    const error = await t.throwsAsync(parse(file), { instanceOf: FileProblem })
    t.is(error?.code, code as never, String(file).slice(0, 60))
  }
  async function* endless() {
    yield Buffer.from('account,name\n')
    for (;;) yield Buffer.alloc(1024 * 1024, 'wang,wang\n')
  }
  const error = await t.throwsAsync(parsePeople(endless(), () => {}))
  t.true(error instanceof FileProblem && ['file-large', 'file-rows'].includes(error.code))
})

test('every problem has words in both languages', (t) => {
  const messages = openMessages(join(import.meta.dirname, '..', '..', 'views', 'messages'))
  for (const code of Object.keys(rowProblems)) t.true(messages.has(`admin.imports.problem.${code}`))
  for (const code of Object.keys(fileProblems)) t.true(messages.has(`admin.problem.${code}`), code)
})
