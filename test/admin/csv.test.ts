/** Files for spreadsheets: nothing in them is run, and what comes back from them is what went in. */
import test from 'ava'
import { parse } from 'csv-parse/sync'
import { openCsv, unguarded } from '#admin/csv.ts'

const harmful = [
  '=1+1',
  '+886912345678',
  '-1+1',
  '@SUM(A1)',
  '|calc',
  '%0A',
  '＝1',
  '＋1',
  '－1',
  '＠1',
  '\t=1',
  '\r=1',
  '\n=1',
  ' =1',
  '\u00a0=1',
  '\u3000＝1',
  '\u200b=1',
  '\ufeff=1',
  "'=1",
  '"=1',
  'x;=HYPERLINK("https://evil.example")',
  'x;"=1',
  'x; \'"＝1',
  'x\n=1',
  'x\t=1',
]

/** What a spreadsheet takes for a formula, were the cell its own. */
const formula = /^[\s"\p{Cf}]*[=+\-@|%＝＋－＠]/u

test('no cell begins a formula, at whatever else than a comma a spreadsheet cuts it', async (t) => {
  const write = await openCsv()
  const text = write([harmful, harmful.toReversed()])
  const rows: string[][] = parse(text)
  t.is(rows.length, 2)
  for (const cell of rows.flat())
    for (const piece of cell.split(/[;\t\r\n]/)) t.notRegex(piece, formula, JSON.stringify(cell))
  for (const line of text.trimEnd().split('\r\n')) t.regex(line, /^"(""|[^"])*"(,"(""|[^"])*")*$/)
})

test('numbers stay numbers, and one thing is one line', async (t) => {
  const write = await openCsv()
  t.is(write([['王', -5, undefined, 'a\r\n\u2028b', '']]), '"王","-5","","a b",""\r\n')
  t.is(write([]), '')
})

test('what is guarded comes back as it was, whatever it was', async (t) => {
  const write = await openCsv()
  const letters = [..."''\"=+-@|%＝－; \u3000\u200b,a王"]
  const random = () => letters[Math.floor(Math.random() * letters.length)] ?? ''
  const cells = [
    ...harmful.filter((one) => !/\p{Cc}/u.test(one)),
    ...Array.from({ length: 20_000 }, () => Array.from({ length: 6 }, random).join('')),
  ]
  const [back = []]: string[][] = parse(write([cells]))
  const wrong = cells.filter((cell, i) => unguarded(back[i] ?? '') !== cell)
  t.deepEqual(wrong, [])
})
