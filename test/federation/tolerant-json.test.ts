import test from 'ava'
import { readJson } from '#federation/profiles/tolerant-json.ts'

test('JSON is read with bare keys, single quotes, and escaped once more', (t) => {
  const read: [string, unknown][] = [
    ['[{"id":"014569","title":["教師"]}]', [{ id: '014569', title: ['教師'] }]],
    ['{sid:"173637",title:["教師"]}', { sid: '173637', title: ['教師'] }],
    ["[{sid:'213303',gradeId:'3'}]", [{ sid: '213303', gradeId: '3' }]],
    [' {"a":1,} ', { a: 1 }],
    ['"{\\"a\\":1}"', { a: 1 }],
    ['{\\"a\\":\\"b\\"}', { a: 'b' }],
    ['"教師"', '教師'],
    ['null', null],
  ]
  for (const [text, value] of read) t.deepEqual(readJson(text), value, text)
})

test('what is no JSON, too long, too deep or reaches for a prototype is not read', (t) => {
  for (const text of [
    '',
    '教師',
    '{',
    '[{"id":"0145',
    '<html>',
    'process.exit(1)',
    '(function(){return 1})()',
    '{get a(){return 1}}',
    '{"__proto__":{"admin":true}}',
    '{__proto__:{admin:true}}',
    '[[{"a":{"__proto__":1}}]]',
    '['.repeat(9) + ']'.repeat(9),
    '['.repeat(16_000),
    `["${'x'.repeat(17_000)}"]`,
  ])
    t.is(readJson(text), undefined, text.slice(0, 40))
  t.is(({} as Record<string, unknown>).admin, undefined)
  t.truthy(readJson('['.repeat(8) + ']'.repeat(8)))
  t.truthy(readJson(`["${'x'.repeat(16_000)}"]`))
})
