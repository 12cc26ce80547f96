import test, { type ExecutionContext } from 'ava'
import type { Affiliation } from '#federation/connector.ts'
import { kaohsiung } from '#federation/profiles/kaohsiung.ts'
import { moeEduinfo } from '#federation/profiles/moe-eduinfo.ts'
import { schoolCode } from '#federation/profiles/school-code.ts'
import { email, text } from '#federation/profiles/text.ts'
import { byRole, roleOf } from '#federation/profiles/titles.ts'
import { withoutSecrets } from '#federation/without-secrets.ts'

const idToken = { sub: 'e35e0ee5-0000-4000-8000-000000000000' }
const eduinfo = (json: unknown) => moeEduinfo({ idToken, extra: { eduinfo: json } }).affiliations

const at = (schoolCode: string, role: Affiliation['role'], ...titles: string[]): Affiliation => ({
  schoolCode,
  role,
  titles,
  classes: [],
})

/** Each JSON gives these affiliations, whatever its shape. */
const same = (t: ExecutionContext, expected: Affiliation[], shapes: unknown[]) => {
  for (const shape of shapes) t.deepEqual(eduinfo(shape), expected, JSON.stringify(shape))
}

test("the Ministry's own dump of 2018 gives a teacher", (t) => {
  const found = moeEduinfo({
    idToken: {
      ...idToken,
      preferred_username: 'wang01',
      email: 'wang01@mail.edu.tw',
      openid2_id: ['https://openid.tn.edu.tw/op/user.aspx/Wang'],
    },
    userinfo: {
      ...idToken,
      email_verified: true,
      name: '王小明',
      preferred_username: 'wang01',
      given_name: '小明',
      family_name: '王',
      email: 'wang01@mail.edu.tw',
    },
    extra: {
      eduinfo: {
        ...idToken,
        schoolid: '114620',
        titles: [{ schoolid: '114620', titles: ['教師'] }],
      },
    },
  })
  t.deepEqual(found, {
    profile: {
      name: '王小明',
      givenName: '小明',
      familyName: '王',
      preferredUsername: 'wang01',
      email: 'wang01@mail.edu.tw',
      emailVerified: true,
    },
    affiliations: [at('114620', 'teacher', '教師')],
    openid2Ids: ['https://openid.tn.edu.tw/op/user.aspx/Wang'],
  })
})

test("a pupil's class of eduinfo v1 and v2 comes with her affiliation", (t) => {
  const pupil = (classinfo: unknown) =>
    eduinfo({ schoolid: '064757', titles: [{ schoolid: '064757', titles: ['學生'] }], classinfo })
  const v1 = {
    year: null,
    semester: null,
    schoolid: '064757',
    grade: '5',
    classno: '04',
    classtitle: '五年丁班',
  }
  const read = { schoolCode: '064757', grade: '5', classNo: '04', classTitle: '五年丁班' }
  t.deepEqual(pupil([v1]), [{ ...at('064757', 'student', '學生'), classes: [read] }])
  const v2 = { ...v1, year: '113', semester: '01', seatno: '15' }
  t.deepEqual(pupil([v2])[0]?.classes, [{ ...read, year: '113', semester: '01', seatNo: '15' }])
  t.deepEqual(pupil(v2), pupil([v2]), 'an object in place of the list')
  t.deepEqual(pupil([{ ...v1, schoolid: undefined }])[0]?.classes, [read], 'no school of its own')
  t.deepEqual(pupil([{ ...v1, grade: 5, year: 113 }])[0]?.classes, [{ ...read, year: '113' }])
})

test('who teaches and learns at one school sits in class as a pupil', (t) => {
  const classinfo = [{ schoolid: '014569', grade: '1' }]
  const found = eduinfo({ schoolid: '014569', titles: ['教師', '學生'], classinfo })
  t.deepEqual(
    found.map(({ role, classes }) => [role, classes.length]),
    [
      ['teacher', 0],
      ['student', 1],
    ],
  )
})

test('a class of which nothing is known is none', (t) => {
  const blank = {
    year: '',
    semester: '',
    schoolid: '064757',
    grade: '',
    classno: '',
    classtitle: '',
    seatno: '',
  }
  const zeros = { schoolid: '064757', grade: 0, classno: '00', seatno: '-1' }
  for (const classinfo of [
    undefined,
    null,
    '',
    [],
    {},
    [null],
    ['x'],
    blank,
    [blank],
    [zeros],
    7,
  ]) {
    const json = { schoolid: '064757', titles: ['學生'], classinfo }
    same(t, [at('064757', 'student', '學生')], [json])
  }
})

test('titles are read in every shape seen', (t) => {
  same(
    t,
    [at('014569', 'teacher', '教師', '設備組長')],
    [
      { schoolid: '014569', titles: [{ schoolid: '014569', titles: ['教師', '設備組長'] }] },
      { titles: [{ schoolid: '014569', titles: ['教師', '設備組長'] }] },
      { titles: { schoolid: '014569', titles: ['教師', '設備組長'] } },
      { titles: [{ sid: '014569', titles: ['教師', '設備組長'] }] },
      { titles: [{ id: '014569', title: ['教師', '設備組長'] }] },
      { title: [{ id: '014569', title: ['教師', '設備組長'] }] },
      { titles: [{ sid: '014569', title: ['教師'], titles: ['教師', '設備組長'] }] },
      { schoolid: '014569', titles: ['教師', '設備組長'] },
      { schoolid: '014569', titles: [{ titles: ['教師', ' 設備組長 ', '', null, 'NA'] }] },
      {
        schoolid: '014569',
        titles: [
          { schoolid: '014569', titles: '教師' },
          { schoolid: '014569', titles: '設備組長' },
        ],
      },
      {
        schoolid: '014569',
        titles: [
          { schoolid: '014569', titles: ['教師'] },
          { schoolid: '014569', titles: ['教師', '設備組長'] },
        ],
      },
      { schoolid: 14569, titles: [{ schoolid: 14569, titles: ['教師', '設備組長'] }] },
      { schoolid: '014569', titles: [{ schoolid: 'st1020170', titles: ['教師', '設備組長'] }] },
    ],
  )
  same(t, [at('014569', 'teacher', '教師')], [{ schoolid: '014569', titles: '教師' }])
})

test('a title of a school nobody can tell is not one of the main school', (t) => {
  const said = {
    schoolid: '014569',
    titles: [{ schoolid: '0746281', titles: ['教師'] }],
    classinfo: [{ schoolid: '0746281', grade: '1' }],
  }
  const { affiliations, unread } = moeEduinfo({ idToken, extra: { eduinfo: said } })
  t.deepEqual(affiliations, [{ schoolCode: '014569', role: 'other', titles: [], classes: [] }])
  t.deepEqual(unread, ['eduinfo/titles', 'eduinfo/classinfo'])
})

test('where nothing is said of titles a school is a school and no more', (t) => {
  for (const titles of [undefined, null, '', [], {}, [{}], [null], 'NA', 7n, [[]], true]) {
    t.deepEqual(eduinfo({ schoolid: '014569', titles }), [at('014569', 'other')], String(titles))
  }
})

test('where there is no eduinfo, or not one, there is no affiliation', (t) => {
  for (const json of [
    undefined,
    null,
    '',
    '教師',
    [],
    7,
    {},
    { titles: ['教師'] },
    { schoolid: 'NA', titles: ['教師'] },
  ]) {
    t.deepEqual(eduinfo(json), [], JSON.stringify(json))
  }
  t.deepEqual(moeEduinfo({ idToken }).affiliations, [])
})

test('several schools and several roles give one affiliation each, the main school first', (t) => {
  t.deepEqual(
    eduinfo({
      schoolid: '014598',
      titles: [
        { schoolid: '014698', titles: ['家長', '教師', '學校管理者'] },
        { schoolid: '084719a1', titles: ['教師'] },
        { schoolid: '014598', titles: ['職員'] },
      ],
    }),
    [
      at('014598', 'staff', '職員'),
      at('014698', 'parent', '家長'),
      at('014698', 'teacher', '教師', '學校管理者'),
      at('084719a1', 'teacher', '教師'),
    ],
  )
})

test('the order of titles changes nothing but their order', (t) => {
  const roles = (...titles: string[]) =>
    eduinfo({ schoolid: '014569', titles }).map(({ role }) => role)
  t.deepEqual(roles('設備組長', '教師'), ['teacher'])
  t.deepEqual(roles('教師', '設備組長'), ['teacher'])
})

test('a flood of schools and titles is cut', (t) => {
  const titles = Array.from({ length: 500 }, (_, i) => ({
    schoolid: String(100_000 + i),
    titles: Array.from({ length: 500 }, (_, n) => `${'職'.repeat(300)}${n}`),
  }))
  const found = eduinfo({ schoolid: '014569', titles })
  t.is(found.length, 50)
  t.true(found.every((one) => one.titles.length <= 50 && one.titles.every((w) => w.length <= 200)))
})

test('a word makes a teacher only if it is a known word for one', (t) => {
  for (const word of ['教師', '專任教師', '科任教師', '教師兼組長', '教師兼主任', '導師']) {
    t.is(roleOf(word), 'teacher', word)
  }
  for (const word of [
    '職員',
    '職工',
    '校長',
    '主任',
    '教務主任',
    '組長',
    '設備組長',
    '學校管理者',
    '單位管理員',
    '編制人員',
  ]) {
    t.is(roleOf(word), 'staff', word)
  }
  t.is(roleOf('學生'), 'student')
  t.is(roleOf('家長'), 'parent')
  for (const word of [
    '其他',
    '退休教師',
    '實習教師',
    '非教師',
    '教師家長',
    '教師眷屬',
    'teacher',
    '老師',
    '教 師',
    '教師兼',
    'toString',
    '__proto__',
    '',
  ]) {
    t.is(roleOf(word), 'other', word)
  }
})

test('words that name no role go with the one that does', (t) => {
  const roles = (...titles: string[]) => Object.fromEntries(byRole(titles))
  t.deepEqual(roles('其他', '教師'), { teacher: ['其他', '教師'] })
  t.deepEqual(roles('學生', '班長'), { student: ['學生', '班長'] })
  t.deepEqual(roles('教師', '職員', '校長'), { teacher: ['教師', '校長'], staff: ['職員'] })
  t.deepEqual(roles('組長', '其他'), { staff: ['組長', '其他'] })
  t.deepEqual(roles('其他'), { other: ['其他'] })
})

test('school codes are strings with their zeros, or nothing', (t) => {
  const read: [unknown, string | undefined][] = [
    ['014569', '014569'],
    [' 014569 ', '014569'],
    [114620, '114620'],
    [14569, '014569'],
    ['14569', '014569'],
    ['1044', '1044'],
    [1044, '1044'],
    ['011K02', '011K02'],
    ['A00015', 'A00015'],
    ['399999', '399999'],
    ['084719a1', '084719a1'],
    [104, undefined],
    ['st1020170', undefined],
    ['0145699', undefined],
    ['新北國中', undefined],
    ['NA', undefined],
    ['', undefined],
    [null, undefined],
    [1.5, undefined],
    [-14569, undefined],
    [['014569'], undefined],
  ]
  for (const [value, code] of read) t.is(schoolCode(value), code, String(value))
})

test('e-mail addresses are cleaned, and what is none is left out', (t) => {
  t.is(email(' t0xxxx@mail.edu.tw'), 't0xxxx@mail.edu.tw')
  for (const none of [
    'NA',
    '',
    ' ',
    'a@b',
    'a@x@y.tw',
    'a b@x.tw',
    'a@x.tw\r\nBcc: b@x.tw',
    '<a@x.tw>',
    `${'a'.repeat(190)}@mail.edu.tw`,
    null,
    7,
    ['a@x.tw'],
  ]) {
    t.is(email(none), undefined, String(none))
  }
})

test('text is one clean line of at most 200 characters', (t) => {
  t.is(text('  王\u0000小\n明 '), '王 小 明')
  t.is(text(5), '5')
  for (const none of ['', ' ', 'NA', 'null', null, undefined, {}, ['x'], true])
    t.is(text(none), undefined)
  t.is([...(text('𠮷'.repeat(300)) ?? '')].length, 200)
})

test('former identifiers come under two names, as string or list, from the ID token only', (t) => {
  const ids = (claims: Record<string, unknown>) =>
    moeEduinfo({
      idToken: { ...idToken, ...claims },
      userinfo: { openid2_id: 'https://evil.example/' },
    }).openid2Ids
  const one = 'https://openid.ntpc.edu.tw/user/wang'
  t.deepEqual(ids({ openid2_id: [one] }), [one])
  t.deepEqual(ids({ openid2_id: one }), [one])
  t.deepEqual(ids({ open2_id: [one] }), [one])
  t.deepEqual(ids({ open2_id: one, openid2_id: [one, 'http://openid.ylc.edu.tw/x'] }), [
    one,
    'http://openid.ylc.edu.tw/x',
  ])
  // Cut short it would be somebody else's.
  const long = `${one}${'x'.repeat(250)}`
  for (const none of [
    undefined,
    null,
    '',
    'NA',
    [],
    {},
    7,
    ['javascript:alert(1)', 'wang'],
    long,
  ]) {
    t.deepEqual(ids({ openid2_id: none }), [], JSON.stringify(none))
  }
})

test('true beside another address verifies nothing', (t) => {
  const { profile } = moeEduinfo({
    idToken: { ...idToken, email: 'victim@mail.edu.tw' },
    userinfo: { email: 'mine@gmail.com', email_verified: true },
  })
  t.is(profile.email, 'victim@mail.edu.tw')
  t.is(profile.emailVerified, undefined)
  t.is(
    moeEduinfo({ idToken: { ...idToken, email: 'NA', email_verified: true } }).profile
      .emailVerified,
    undefined,
  )
})

// --- Kaohsiung

const kh = (claims: Record<string, unknown>) => kaohsiung({ idToken: { ...idToken, ...claims } })
const khProfile = {
  schoolid: '613605',
  fullname: '吳建宏',
  email: '',
  schools: { '613605': '望海國小', '124598': '大崗國中' },
}

test('Kaohsiung: everything comes from the ID token, titles in every shape', (t) => {
  const expected = [{ ...at('613605', 'teacher', '教師', '設備組長'), schoolName: '望海國小' }]
  for (const kh_titles of [
    { sid: '613605', titles: ['教師', '設備組長'] },
    [{ schoolid: '613605', titles: ['教師', '設備組長'] }],
    [{ sid: 613605, titles: ['教師', '設備組長'] }],
    ['教師', '設備組長'],
  ]) {
    const found = kh({
      name: '吳老師',
      email: '',
      kh_profile: khProfile,
      kh_titles,
      kh_classes: [],
    })
    t.deepEqual(found.affiliations, expected, JSON.stringify(kh_titles))
    t.deepEqual(found.profile, { name: '吳老師' })
  }
})

test('Kaohsiung: several schools come with their names', (t) => {
  const { affiliations } = kh({
    kh_profile: khProfile,
    kh_titles: [
      { sid: '613605', titles: ['教師'] },
      { sid: '124598', titles: ['教務主任'] },
    ],
  })
  t.deepEqual(affiliations, [
    { ...at('613605', 'teacher', '教師'), schoolName: '望海國小' },
    { ...at('124598', 'staff', '教務主任'), schoolName: '大崗國中' },
  ])
})

test("Kaohsiung: a pupil's class is read in the shape its OpenID 2.0 had", (t) => {
  const kh_classes = [
    {
      sid: '613605',
      groupId: '',
      title: '學生',
      classTitle: '201',
      degree: '國小',
      gradeId: '2',
      classId: '01',
    },
  ]
  const read = { schoolCode: '613605', grade: '2', classNo: '01', classTitle: '201' }
  for (const claims of [{ kh_titles: ['學生'] }, {}, { kh_titles: null, gender: 'F' }]) {
    const { affiliations } = kh({ kh_profile: khProfile, kh_classes, ...claims })
    t.like(affiliations, [{ role: 'student', titles: ['學生'], classes: [read] }])
    t.is(affiliations.length, 1)
  }
})

test('Kaohsiung: gender hints at a pupil where no title speaks, and nothing hints at a teacher', (t) => {
  const roles = (claims: Record<string, unknown>) =>
    kh({ kh_profile: khProfile, ...claims }).affiliations.map(({ role }) => role)
  t.deepEqual(roles({ gender: 'M' }), ['student'])
  t.deepEqual(roles({ gender: 'M', kh_titles: ['教師'] }), ['teacher'])
  t.deepEqual(roles({}), ['other'])
  t.deepEqual(roles({ groups: ['教師'], is_admin: true }), ['other'])
  t.deepEqual(kh({}).affiliations, [])
  for (const shape of [null, '', 'x', [], 7])
    t.deepEqual(kh({ kh_profile: shape, kh_titles: shape }).affiliations, [])
})

test('Kaohsiung: name and e-mail of kh_profile stand in for missing ones', (t) => {
  const own = { ...khProfile, email: ' wu@mail.kh.edu.tw ' }
  t.deepEqual(kh({ kh_profile: own }).profile, { name: '吳建宏', email: 'wu@mail.kh.edu.tw' })
  t.is(kh({ kh_profile: own, email_verified: true }).profile.emailVerified, undefined)
})

// --- what is kept

test('kept claims lose protocol claims, tokens and personal numbers at any depth', (t) => {
  const kept = withoutSecrets({
    sub: 'x',
    iss: 'i',
    aud: 'a',
    exp: 1,
    nonce: 'n',
    at_hash: 'h',
    guid: 'g',
    access_token: 't',
    schools: [
      {
        sid: '613605',
        guid: 'g',
        person: {
          personid: 'A123456789',
          id_no: 'x',
          hashGUID: 'g',
          'person/guid': 'g',
          name: '王',
        },
      },
    ],
  })
  t.deepEqual(kept, { sub: 'x', schools: [{ sid: '613605', person: { name: '王' } }] })
})

test('a national id number is kept in no text, nor a birth date, under whatever name', (t) => {
  const kept = withoutSecrets({
    account: 'A123456789',
    eduinfo: '{"pid":"a123456789","name":"王"}',
    birthdate: '1983-06-25',
    'sreg.dob': '1983-06-25',
    'http://axschema.org/birthDate': '1983-06-25',
    profile: { birthday: '0720625' },
    student: 's112345678',
  })
  t.deepEqual(kept, {
    account: '(number)',
    eduinfo: '{"pid":"(number)","name":"王"}',
    profile: {},
    student: 's112345678',
  })
})

test('kept claims are cut to a sane size and depth', (t) => {
  let deep: Record<string, unknown> = {}
  for (let i = 0; i < 100_000; i++) deep = { deep }
  const kept = withoutSecrets({
    deep,
    long: 'x'.repeat(5000),
    list: Array(1000).fill(1),
    wide: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i])),
  })
  t.true(JSON.stringify(kept).length < 5000)
})
