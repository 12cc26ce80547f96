import test from 'ava'
import { openMapped } from '#federation/profiles/mapped.ts'
import { at } from './fixtures/case.ts'

test('a SAML school’s attributes are found by their names, dots and all', (t) => {
  const profile = openMapped({
    name: 'urn:oid:2.16.840.1.113730.3.1.241',
    family_name: 'urn:oid:2.5.4.4',
    email: 'urn:oid:0.9.2342.19200300.100.1.3',
    school_code: 'schoolCode',
    school_name: 'schoolName',
    titles: 'title',
  })
  const attributes = {
    'urn:oid:2.16.840.1.113730.3.1.241': ['王小明'],
    'urn:oid:2.5.4.4': '王',
    'urn:oid:0.9.2342.19200300.100.1.3': ['NA', ' wang@school.example'],
    schoolCode: '014569',
    schoolName: '青松國中',
    title: ['教師', '設備組長'],
  }
  t.deepEqual(profile({ idToken: {}, attributes }), {
    profile: { name: '王小明', familyName: '王', email: 'wang@school.example' },
    affiliations: [{ ...at('014569', 'teacher', '教師', '設備組長'), schoolName: '青松國中' }],
    openid2Ids: [],
  })
})

test('a path goes through objects and lists of calls', (t) => {
  const profile = openMapped({
    name: 'user.display.full',
    gender: 'user.gender',
    preferred_username: 'user.account',
    school_code: 'profile.jobs.school',
    titles: 'profile.jobs.title',
  })
  const extra = {
    user: { display: { full: '王小明' }, gender: 'F', account: 7 },
    profile: {
      jobs: [
        { school: '014569', title: '教師' },
        { school: '014698', title: '導師' },
      ],
    },
  }
  t.deepEqual(profile({ idToken: {}, extra }), {
    profile: { name: '王小明', gender: 'female', preferredUsername: '7' },
    affiliations: [at('014569', 'teacher', '教師', '導師'), at('014698', 'other')],
    openid2Ids: [],
  })
})

test('the signed ID token goes before userinfo, and blanks are passed over', (t) => {
  const profile = openMapped({ name: 'name', nickname: 'nickname' })
  const sources = {
    idToken: { name: '王小明', nickname: ' ' },
    userinfo: { name: '別人', nickname: '小明' },
  }
  t.deepEqual(profile(sources).profile, { name: '王小明', nickname: '小明' })
})

test('an address is verified only where email_verified stands beside that very one', (t) => {
  const userinfo = { email: 'wang@x.example', email_verified: true, other: 'boss@x.example' }
  const read = (email: string) => openMapped({ email })({ idToken: {}, userinfo }).profile
  t.deepEqual(read('email'), { email: 'wang@x.example', emailVerified: true })
  t.deepEqual(read('other'), { email: 'boss@x.example' })
})

test('a path never reaches what objects inherit', (t) => {
  for (const path of ['constructor.name', '__proto__.x', 'user.constructor.name', 'toString']) {
    const read = openMapped({ name: path })({ idToken: {}, extra: { user: {} } })
    t.deepEqual(read.profile, {}, path)
  }
})

test('titles that are no words, or of no school, are named', (t) => {
  const profile = openMapped({ school_code: 'school', titles: 'titles' })
  const read = (attributes: Record<string, unknown>) => profile({ idToken: {}, attributes }).unread
  t.deepEqual(read({ school: '014569', titles: '{"broken' }), ['titles'])
  t.deepEqual(read({ titles: '教師' }), ['titles'])
  t.deepEqual(read({ school: '某國中' }), ['school_code'])
  t.is(read({}), undefined)
})
