import test from 'ava'
import { asWritten, mobile, nationalId, phone, taxId } from '#lib/taiwan-numbers.ts'

type Read = (text: string) => string | undefined

const fullWidth = (text: string) =>
  text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0))

/** Every way of writing gives the same, and what came out goes in again. */
function same(t: { is(a: unknown, b: unknown, why?: string): void }, read: Read, ways: string[]) {
  const [normal = ''] = ways
  for (const way of ways) {
    t.is(read(way), normal, way)
    t.is(read(fullWidth(way)), normal, `${way}, full width`)
    t.is(read(`  ${way}\u3000`), normal, `${way}, with space around`)
  }
}

const none = (
  t: { is(a: unknown, b: unknown, why?: string): void },
  read: Read,
  ways: string[],
) => {
  for (const way of ways) t.is(read(way), undefined, way)
}

const residents = [
  'A800000014',
  'A900000007',
  'A870000006',
  'A880000009',
  'A890000002',
  'AC00000003',
]

test('a national or resident number is read however it is typed', (t) => {
  for (const number of ['A123456789', ...residents]) {
    same(t, nationalId, [number, number.toLowerCase(), number.replace(/^(..)(....)/, '$1-$2 ')])
  }
})

test('of ten numbers that differ in the last digit one is right, and no digit may differ', (t) => {
  for (const number of ['A123456789', ...residents]) {
    const last = [...'0123456789'].map((digit) => number.slice(0, 9) + digit)
    t.deepEqual(
      last.filter((one) => nationalId(one)),
      [number],
    )
    for (let at = 3; at < 9; at++) {
      const digit = Number(number[at])
      const other = `${number.slice(0, at)}${(digit + 1) % 10}${number.slice(at + 1)}`
      t.is(nationalId(other), undefined, other)
    }
  }
})

test('what is no such number is none', (t) => {
  none(t, nationalId, ['', 'A323456783', 'A12345678', 'A1234567890', '1234567890', 'Ａ', '王小明'])
  none(t, nationalId, ['A123456789;', `A123456789${' '.repeat(60)}`, 'A12345678９９'])
})

test('a tax number follows the rule of 2023 as well as the old one', (t) => {
  for (const number of ['04595252', '10458570', '04595257', '10458575', '10458574', '12345675'])
    same(t, taxId, [number, number.replace(/^(....)/, '$1-')])
})

test('zeros are no tax number, nor is one with another digit', (t) => {
  none(t, taxId, ['00000000', '', '1234567', '123456755', '1234567a', '04595253'])
  t.is(taxId(fullWidth('00000000')), undefined)
})

test('a mobile number is kept as the world dials it', (t) => {
  same(t, mobile, [
    '+886912345678',
    '0912345678',
    '0912-345-678',
    '0912 345 678',
    '0912–345–678',
    '+886 912 345 678',
    '+886-0912-345-678',
    '886912345678',
    '00886912345678',
  ])
  const wrong = ['912345678', '091234567', '09123456789', '0812345678', '+85291234567', '０９', '']
  none(t, mobile, [...wrong, '0912345678#1', '0212345678', '+886912345678;ext=1', '09(12)345678'])
})

test('a landline is kept with its extension', (t) => {
  same(t, phone, ['+886212345678', '02-12345678', '(02) 1234-5678', '+886-2-1234-5678'])
  same(t, phone, [
    '+886212345678;ext=123',
    '02-12345678#123',
    '02-12345678 # 123',
    '(02)12345678轉123',
    '02-1234-5678 分機 123',
    '02-12345678 ext. 123',
    '+886 (2) 1234 5678 ext:123',
  ])
})

test('every area has its length', (t) => {
  const right: [string, string][] = [
    ['03-9312345', '+88639312345'],
    ['037-123456', '+88637123456'],
    ['04-22123456', '+886422123456'],
    ['04-7123456', '+88647123456'],
    ['049-2123456', '+886492123456'],
    ['05-5123456', '+88655123456'],
    ['06-2123456', '+88662123456'],
    ['07-7123456', '+88677123456'],
    ['08-7123456', '+88687123456'],
    ['082-312345', '+88682312345'],
    ['0826-61234', '+886 82661234'.replace(' ', '')],
    ['0836-22123', '+88683622123'],
    ['089-312345', '+88689312345'],
  ]
  for (const [typed, normal] of right) same(t, phone, [normal, typed])
})

test('what is no landline is none', (t) => {
  none(t, phone, ['', '12345678', '02-1234567', '02-123456789', '0912345678', '01-2345678', '#123'])
  none(t, phone, [
    '02-12345678#',
    '02-12345678#1234567',
    '02-12345678#12a',
    '02(12345678)',
    '轉123',
  ])
  none(t, phone, ['9'.repeat(10_000), `02-12345678${'#'.repeat(10_000)}`])
})

test('a number is shown as people write it, and what is shown goes in again', (t) => {
  const ways = {
    '0912-345-678': '+886912345678',
    '02-1234-5678': '+886212345678',
    '02-1234-5678 #123': '+886212345678;ext=123',
    '04-2345-6789': '+886423456789',
    '03-123-4567': '+88631234567',
    '049-234-5678': '+886492345678',
    '037-123456': '+88637123456',
    '0826-12345': '+88682612345',
  }
  for (const [shown, number] of Object.entries(ways)) {
    t.is(asWritten(number), shown)
    t.is(mobile(shown) ?? phone(shown), number)
  }
  for (const other of ['+12025550100', '', '+886', '(02) 12', '+8861'])
    t.is(asWritten(other), other)
})
