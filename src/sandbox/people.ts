/** The people of the pretend counties: all invented, every password is the account itself. */

/** A class a pupil sits in, with the fields of the Ministry's eduinfo. */
export type PupilClass = {
  year: string
  semester: string
  grade: string
  classno: string
  classtitle: string
  seatno: string
}

/** One school a person belongs to, and as what. */
export type School = { code: string; name: string; titles: string[]; classes: PupilClass[] }

export type Person = {
  account: string
  familyName: string
  givenName: string
  email: string
  gender: 'M' | 'F'
  /** The first is the main school. */
  schools: School[]
}

const teacher = (code: string, name: string, ...titles: string[]): School => ({
  code,
  name,
  titles: ['教師', ...titles],
  classes: [],
})

const pupil = (
  code: string,
  name: string,
  grade: string,
  classno: string,
  title: string,
): School => ({
  code,
  name,
  titles: ['學生'],
  classes: [{ year: '113', semester: '01', grade, classno, classtitle: title, seatno: '15' }],
})

const student = (code: string, name: string): School => ({
  code,
  name,
  titles: ['學生'],
  classes: [],
})

const person = (
  account: string,
  gender: 'M' | 'F',
  familyName: string,
  givenName: string,
  email: string,
  ...schools: School[]
): Person => ({ account, gender, familyName, givenName, email, schools })

/** Who can sign in where. `.example` never receives mail (RFC 2606). */
export const people: Record<string, Person[]> = {
  ntpc: [
    person(
      'ntpctest',
      'F',
      '林',
      '雅雯',
      'ntpctest@apps.ntpc.example',
      teacher('014598', '新北市立青松國民中學', '設備組長'),
    ),
    person(
      'ntpcpupil',
      'M',
      '陳',
      '宥廷',
      'ntpcpupil@apps.ntpc.example',
      pupil('014698', '新北市城門區青松國民小學', '5', '04', '五年丁班'),
    ),
    person(
      'ntpctwo',
      'M',
      '黃',
      '志豪',
      'ntpctwo@apps.ntpc.example',
      teacher('014598', '新北市立青松國民中學'),
      teacher('014698', '新北市城門區青松國民小學', '資訊組長'),
    ),
    person(
      'ntpcna',
      'F',
      '歐陽',
      '佩珊',
      'NA',
      teacher('014698', '新北市城門區青松國民小學', '導師'),
    ),
  ],
  kh: [
    person(
      'khtest',
      'M',
      '吳',
      '建宏',
      'khtest@mail.kh.example',
      teacher('613698', '高雄市港門區望海國民小學', '設備組長'),
    ),
    person(
      'khpupil',
      'F',
      '蔡',
      '詠晴',
      'khpupil@mail.kh.example',
      pupil('613698', '高雄市港門區望海國民小學', '2', '01', '201'),
    ),
    person(
      'khtwo',
      'F',
      '許',
      '淑芬',
      'khtwo@mail.kh.example',
      teacher('613698', '高雄市港門區望海國民小學'),
      teacher('124598', '高雄市立大崗國民中學', '教務主任'),
    ),
    person('khna', 'M', '鄭', '文彬', 'NA', teacher('124598', '高雄市立大崗國民中學', '導師')),
  ],
  ylc: [
    person(
      'ylctest',
      'F',
      '廖',
      '怡君',
      'ylctest@mail.ylc.example',
      teacher('094698', '雲林縣稻香鄉稻香國民小學', '設備組長'),
    ),
    person(
      'ylcpupil',
      'M',
      '張',
      '承恩',
      'ylcpupil@mail.ylc.example',
      pupil('094698', '雲林縣稻香鄉稻香國民小學', '6', '02', '六年乙班'),
    ),
    person(
      'ylctwo',
      'M',
      '林',
      '俊傑',
      'ylctwo@mail.ylc.example',
      teacher('094598', '雲林縣立稻江國民中學'),
      teacher('094698', '雲林縣稻香鄉稻香國民小學'),
    ),
    person('ylcna', 'F', '程', '玉珍', 'NA', teacher('094598', '雲林縣立稻江國民中學', '輔導主任')),
  ],
  hlc: [
    person(
      'hlctest',
      'M',
      '潘',
      '正雄',
      'hlctest@mail.hlc.example',
      teacher('154698', '花蓮縣望洋鄉望洋國民小學', '設備組長'),
    ),
    person(
      'hlcpupil',
      'F',
      '高',
      '苡安',
      'hlcpupil@mail.hlc.example',
      pupil('154698', '花蓮縣望洋鄉望洋國民小學', '4', '01', '四年甲班'),
    ),
    person(
      'hlctwo',
      'F',
      '邱',
      '秀蘭',
      'hlctwo@mail.hlc.example',
      teacher('154698', '花蓮縣望洋鄉望洋國民小學'),
      teacher('154598', '花蓮縣立洄瀾國民中學', '人事管理員'),
    ),
    person('hlcna', 'M', '田', '志明', 'NA', teacher('154598', '花蓮縣立洄瀾國民中學', '體育組長')),
  ],
  tc: [
    person(
      'tctest',
      'F',
      '賴',
      '欣怡',
      'tctest@mail.tc.example',
      teacher('064698', '臺中市楓林區楓林國民小學', '設備組長'),
    ),
    person(
      'tcpupil',
      'M',
      '何',
      '冠宇',
      'tcpupil@mail.tc.example',
      pupil('064698', '臺中市楓林區楓林國民小學', '3', '06', '3年6班'),
    ),
    person(
      'tctwo',
      'M',
      '王',
      '柏翰',
      'tctwo@mail.tc.example',
      teacher('064698', '臺中市楓林區楓林國民小學'),
      teacher('194598', '臺中市立柳川橋國民中學', '訓育組長'),
    ),
    person('tcna', 'F', '江', '美玲', 'NA', teacher('194598', '臺中市立柳川橋國民中學', '導師')),
  ],
  tn: [
    person(
      'tntest',
      'F',
      '郭',
      '美惠',
      'tntest@mail.tn.example',
      teacher('114698', '臺南市鹿溪區鹿溪國民小學', '設備組長'),
    ),
    person(
      'tnpupil',
      'M',
      '蘇',
      '柏睿',
      'tnpupil@mail.tn.example',
      pupil('114698', '臺南市鹿溪區鹿溪國民小學', '4', '02', '四年乙班'),
    ),
    // Of several schools Tainan names the first one only.
    person(
      'tntwo',
      'M',
      '曾',
      '國豪',
      'tntwo@mail.tn.example',
      teacher('214598', '臺南市立安南門國民中學'),
      teacher('114698', '臺南市鹿溪區鹿溪國民小學'),
    ),
    person('tnna', 'F', '方', '素貞', 'NA', teacher('214598', '臺南市立安南門國民中學', '導師')),
  ],
  tp: [
    person(
      'tptest',
      'M',
      '周',
      '明德',
      'tptest@mail.tp.example',
      teacher('353698', '臺北市文林區文林國民小學', '設備組長'),
    ),
    person(
      'tppupil',
      'F',
      '沈',
      '若瑜',
      'tppupil@mail.tp.example',
      pupil('353698', '臺北市文林區文林國民小學', '6', '03', '六年三班'),
    ),
    person(
      'tptwo',
      'F',
      '葉',
      '淑娟',
      'tptwo@mail.tp.example',
      teacher('353698', '臺北市文林區文林國民小學'),
      teacher('333598', '臺北市立劍潭門國民中學', '教學組長'),
    ),
    person('tpna', 'M', '康', '哲瑋', 'NA', teacher('333598', '臺北市立劍潭門國民中學', '導師')),
  ],
  'saml-school': [
    person(
      'schooltest',
      'F',
      '梁',
      '靜宜',
      'schooltest@model.example',
      teacher('9998', '示範大學', '系主任'),
    ),
    person(
      'schoolpupil',
      'M',
      '杜',
      '宇翔',
      'schoolpupil@model.example',
      student('9998', '示範大學'),
    ),
    person(
      'schooltwo',
      'M',
      '徐',
      '家豪',
      'schooltwo@model.example',
      teacher('9998', '示範大學'),
      teacher('019398', '示範大學附屬高級中學', '教務主任'),
    ),
    person('schoolna', 'F', '范姜', '慧君', 'NA', teacher('9998', '示範大學')),
  ],
  directory: [
    person(
      'dirtest',
      'M',
      '余',
      '振華',
      'dirtest@school.example',
      teacher('014798', '示範國民中學', '設備組長'),
    ),
    person(
      'dirpupil',
      'F',
      '溫',
      '子晴',
      'dirpupil@school.example',
      pupil('014798', '示範國民中學', '8', '05', '八年五班'),
    ),
    person('dirna', 'F', '紀', '雅婷', 'NA', teacher('014798', '示範國民中學', '導師')),
  ],
}

/** The person behind an account of one county. */
export function findPerson(county: string, account: string): Person | undefined {
  return people[county]?.find((one) => one.account === account)
}

/** Their accounts, of those that end in a word which says what is special about them: test, pupil, two, na. */
export function accountsEnding(word: string): string[] {
  return Object.values(people)
    .flat()
    .map(({ account }) => account)
    .filter((account) => account.endsWith(word))
}

/** The full name as written in Taiwan: family name first, no space. */
export function fullName(one: Person): string {
  return one.familyName + one.givenName
}
