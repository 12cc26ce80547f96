import test from 'ava'
import type { Claims } from '#federation/profile.ts'
import { kaohsiung } from '#federation/profiles/kaohsiung.ts'
import { openMapped } from '#federation/profiles/mapped.ts'
import { moeEduinfo } from '#federation/profiles/moe-eduinfo.ts'
import { profiles } from '#federation/registry.ts'
import { costOf } from '../helpers/computing.ts'

const idToken = { sub: 'e35e0ee5-0000-4000-8000-000000000000' }
const garbage = [
  '[{"schoolid":"0145',
  '{sid:',
  '<html>error</html>',
  '%%%',
  '\uFFFD\uFFFD',
  '12345678',
  7,
  true,
  7n,
]

test('eduinfo: what is there and cannot be read is named, what is absent or blank is not', (t) => {
  const unread = (eduinfo: unknown) => moeEduinfo({ idToken, extra: { eduinfo } }).unread
  const good = { schoolid: '064757', titles: [{ schoolid: '064757', titles: ['學生'] }] }
  for (const blank of [undefined, null, '', 'NA', [], {}, [{}], [null], [[]], { titles: [] }]) {
    t.is(unread({ schoolid: '064757', titles: blank, classinfo: blank }), undefined)
    t.is(unread(blank), undefined)
  }
  for (const titles of garbage)
    t.deepEqual(unread({ schoolid: '064757', titles }), ['eduinfo/titles'], String(titles))
  for (const classinfo of [...garbage, '五年丁班', { klass: 'x' }])
    t.deepEqual(unread({ ...good, classinfo }), ['eduinfo/classinfo'], String(classinfo))
  for (const schoolid of ['wang01', 7, '新北國中', { x: 1 }, true])
    t.deepEqual(unread({ ...good, schoolid }), ['eduinfo/schoolid'], String(schoolid))
  for (const whole of ['教師', '[1]', [1], 7]) t.deepEqual(unread(whole), ['eduinfo'])
  t.deepEqual(unread({ titles: ['教師'] }), ['eduinfo/titles'], 'of no school')
  t.deepEqual(unread({ schoolid: '064757', titles: { 教師: true } }), ['eduinfo/titles'])
})

test('eduinfo: objects in place of lists, JSON in a text, and every spelling are read', (t) => {
  const titles = { schoolid: '064757', titles: ['學生'] }
  const classinfo = { schoolid: '064757', year: '113', semester: '1', grade: '5' }
  const read = (eduinfo: Claims) => moeEduinfo({ idToken, extra: { eduinfo } })
  const good = read({ schoolid: '064757', titles: [titles], classinfo: [classinfo] })
  t.is(good.unread, undefined)
  t.deepEqual(good.affiliations[0]?.classes, [
    { schoolCode: '064757', year: '113', semester: '1', grade: '5' },
  ])
  // hujw/oidc-server-example: objects, and no schoolid above them.
  t.deepEqual(read({ titles, classinfo: { ...classinfo, schoolid: undefined } }), good)
  const text = { titles: JSON.stringify([titles]), classinfo: JSON.stringify(classinfo) }
  t.deepEqual(read({ schoolid: 64757, ...text }), good)
  t.deepEqual(
    moeEduinfo({ idToken, extra: { eduinfo: JSON.stringify({ titles, classinfo }) } }),
    good,
  )
})

test('a class of next semester says so, and one of which only zeros are known says nothing', (t) => {
  const read = (classinfo: Claims) =>
    moeEduinfo({ idToken, extra: { eduinfo: { schoolid: '064757', titles: ['學生'], classinfo } } })
  const next = { schoolid: '064757', year: '113', semester: '1', grade: '6', classno: '04' }
  t.like(read(next).affiliations[0]?.classes, [{ year: '113', semester: '1', grade: '6' }])
  const unsaid = { year: '0', semester: 0, grade: -1, classno: '00', classtitle: '', seatno: null }
  t.deepEqual(read(unsaid).affiliations[0]?.classes, [])
  t.is(read(unsaid).unread, undefined)
})

test('Kaohsiung: what cannot be read of its three claims is named', (t) => {
  const unread = (claims: Claims) => kaohsiung({ idToken: { ...idToken, ...claims } }).unread
  const kh_profile = { schoolid: '613605', schools: { '613605': '望海國小' } }
  t.is(unread({}), undefined)
  t.is(unread({ kh_profile, kh_titles: [], kh_classes: null, email: '' }), undefined)
  t.is(unread({ kh_profile, kh_titles: { sid: '613605', titles: ['教師'] } }), undefined)
  t.is(unread({ kh_profile: JSON.stringify(kh_profile), kh_titles: '["教師"]' }), undefined)
  t.deepEqual(unread({ kh_profile: 'x', kh_titles: 'x' }), ['kh_profile', 'kh_titles'])
  for (const value of garbage) {
    t.deepEqual(unread({ kh_profile, kh_titles: value }), ['kh_titles'], String(value))
    t.deepEqual(unread({ kh_profile, kh_classes: value }), ['kh_classes'], String(value))
  }
  t.deepEqual(unread({ kh_profile: { schoolid: 'wang' } }), ['kh_profile/schoolid'])
})

// --- nothing an upstream sends stops a sign-in

/** Pseudo-random, the same each time: mulberry32. */
function chance(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const names =
  'schoolid sid id titles title role roles groups classinfo grade seatno name email gender kh_profile kh_titles kh_classes schools eduinfo user profile school tpUniformNumbers o organization class openid2_id open2_id __proto__ constructor toString'.split(
    ' ',
  )
const attributeNames = [
  ...'nickname email fullname dob gender postcode country language timezone'
    .split(' ')
    .map((field) => `sreg.${field}`),
  'http://axschema.edu.tw/school/id',
  'http://axschema.edu.tw/person/titles',
  'http://axschema.edu.tw/isas/roles',
  'http://axschema.kh.edu.tw/school/classStr',
  'http://axschema.tn.edu.tw/school/classStr',
  'http://openid.edu.tw/axschema/school/titleStr',
  'http://openid.edu.tw/axschema/school/id',
  'http://axschema.org/axschema/school/titleStr',
  'http://openid.tc.edu.tw/schema/1.0/edusid',
  'http://openid.tc.edu.tw/schema/1.0/schooltitle',
  'http://openid.tn.edu.tw/axschema/JobName',
  'name.of.it',
]
const scraps = [
  '014569',
  '084719a1',
  '教師',
  '學生',
  '家長',
  'NA',
  'Stu',
  '070215',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  ':',
  ',',
  '\\',
  '{sid:',
  '[{"id":"014569"',
  '\u0000',
  '\uD800',
  '𠮷',
  '__proto__',
]

function anything(pick: (below: number) => number, depth = 0): unknown {
  const list = () => Array.from({ length: pick(4) }, () => anything(pick, depth + 1))
  const object = () =>
    Object.fromEntries(
      Array.from({ length: pick(5) }, () => [names[pick(names.length)], anything(pick, depth + 1)]),
    )
  const line = () => Array.from({ length: pick(6) }, () => scraps[pick(scraps.length)]).join('')
  const kinds = [
    line,
    line,
    () => JSON.stringify(depth < 3 ? anything(pick, depth + 1) : '') ?? '',
    () => scraps[pick(scraps.length)],
    () => [null, undefined, true, 0, -1, 14569, Number.NaN, Symbol.iterator, () => 1][pick(9)],
    ...(depth < 4 ? [list, object, object] : []),
  ]
  return kinds[pick(kinds.length)]?.()
}

test('two thousand answers of nonsense stop nobody, and are read the same each time', (t) => {
  const mapped = openMapped({
    name: 'user.name',
    email: 'email',
    school_code: 'schools.id',
    school_name: 'name.of.it',
    titles: 'titles',
  })
  const all = { ...profiles, mapped }
  for (let seed = 0; seed < 2000; seed++) {
    const pick = chance(seed)
    const claims = (from: string[]) =>
      Object.fromEntries(from.filter(() => pick(3) > 0).map((name) => [name, anything(pick)]))
    const sources = {
      idToken: claims(names),
      userinfo: claims(names),
      extra: claims(names),
      attributes: claims(attributeNames),
    }
    for (const [name, profile] of Object.entries(all)) {
      try {
        const found = profile(sources)
        const text = JSON.stringify(found)
        const again = seed % 20 > 0 ? text : JSON.stringify(profile(sources))
        if (text.length > 100_000 || text !== again) t.fail(`${name}, seed ${seed}`)
        const codes = found.affiliations.map((one) => one.schoolCode)
        if (!codes.every((code) => /^[0-9A-Za-z]{4,9}$/.test(code))) t.fail(`${name}, seed ${seed}`)
      } catch (error) {
        t.fail(`${name} threw at seed ${seed}: ${error}`)
      }
    }
  }
  t.pass()
})

test('what is nested without end, or as long as the answer may be, is read in no time', (t) => {
  let deep: Claims = {}
  for (let i = 0; i < 100_000; i++) deep = { titles: [deep] }
  const long = `[{"id":"014569","title":["${'教師","'.repeat(50_000)}"]}]`
  const cost = costOf(() => {
    for (const value of [
      deep,
      long,
      '['.repeat(200_000),
      '"\\'.repeat(8_000),
      "{'".repeat(8_000),
    ]) {
      const sources = {
        idToken: { kh_titles: value, kh_classes: value, kh_profile: value },
        extra: { eduinfo: { titles: value, classinfo: value }, user: value, school: value },
        attributes: Object.fromEntries(attributeNames.map((name) => [name, value])),
      }
      for (const profile of Object.values(profiles)) t.notThrows(() => profile(sources))
    }
  })
  t.true(cost < 5_000, `${cost} ms`)
})
