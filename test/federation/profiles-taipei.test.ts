import test from 'ava'
import { taipei } from '#federation/profiles/taipei.ts'
import { at, sitting } from './fixtures/case.ts'

const user = {
  role: '校長',
  uuid: '0c04373a-0000-4000-8000-000000000000',
  name: '陳建國',
  email: 'chen@zhps.tp.example',
  email_login: false,
  mobile: null,
  mobile_login: false,
}
const profile = {
  role: '校長',
  o: 'zhps',
  gender: '1',
  birthDate: '19700101',
  organization: '臺北市立中和國小',
}
const school = {
  o: 'zhps',
  businessCategory: '國民小學',
  description: '臺北市立中和國民小學',
  tpUniformNumbers: '353601',
}
const read = (extra: Record<string, unknown>) => taipei({ idToken: {}, extra })

test('the three calls together tell who she is, and where', (t) => {
  t.deepEqual(read({ user, profile, school }), {
    profile: { name: '陳建國', email: 'chen@zhps.tp.example', gender: 'male' },
    affiliations: [{ ...at('353601', 'staff', '校長'), schoolName: '臺北市立中和國民小學' }],
    openid2Ids: [],
  })
})

test('without the school’s own record a person has no school, and nothing is unread', (t) => {
  for (const nothing of [undefined, null, {}, '']) {
    t.deepEqual(read({ user, profile, school: nothing }), {
      profile: { name: '陳建國', email: 'chen@zhps.tp.example', gender: 'male' },
      affiliations: [],
      openid2Ids: [],
    })
  }
})

test('version 2 brings class and seat of pupils, and titles of staff in three shapes', (t) => {
  const pupil = { role: '學生', o: 'zhps', class: '601', className: '六年一班', seat: '5' }
  const named = { schoolName: '臺北市立中和國民小學' }
  t.deepEqual(read({ user: { role: '學生' }, profile: pupil, school }).affiliations, [
    {
      ...sitting(
        '353601',
        { grade: '6', classNo: '01', classTitle: '六年一班', seatNo: '5' },
        '學生',
      ),
      ...named,
    },
  ])
  t.like(read({ user: {}, profile: { ...pupil, class: 'A12', className: '' }, school }), {
    affiliations: [{ classes: [{ schoolCode: '353601', classTitle: 'A12', seatNo: '5' }] }],
  })
  for (const title of [
    ['資訊組長'],
    '資訊組長',
    { zhps: [{ key: 'zhps,dept02,role014', name: '資訊組長' }] },
  ]) {
    const teacher = {
      role: '教師',
      o: ['zhps', 'other'],
      title,
      organization: { zhps: '中和國小' },
    }
    const { affiliations, unread } = read({ user: { role: '教師' }, profile: teacher, school })
    t.deepEqual(affiliations, [{ ...at('353601', 'teacher', '教師', '資訊組長'), ...named }])
    t.is(unread, undefined)
  }
})

test('numbers where texts were promised, and a list where one was, are read', (t) => {
  for (const tpUniformNumbers of [353601, ['353601'], [353601]])
    t.is(
      read({ user, profile, school: { tpUniformNumbers } }).affiliations[0]?.schoolCode,
      '353601',
    )
  t.is(read({ user, profile: { ...profile, gender: 2 } }).profile.gender, 'female')
  t.is(read({ user, profile: { ...profile, gender: 0 } }).profile.gender, undefined)
})

test('a parent has no school, and is told of no more', (t) => {
  const parent = { role: '家長', child: ['0c04373a-0000-4000-8000-000000000001'] }
  t.deepEqual(read({ user: { ...user, role: '家長' }, profile: parent }).affiliations, [])
})

test('what is no answer is named', (t) => {
  const { unread, profile: person } = read({ user, profile: 'Unauthenticated.', school: [1] })
  t.deepEqual(unread, ['profile', 'school'])
  t.is(person.name, '陳建國')
  t.deepEqual(read({ user, profile, school: { tpUniformNumbers: 'zhps' } }).unread, [
    'school/tpUniformNumbers',
  ])
})
