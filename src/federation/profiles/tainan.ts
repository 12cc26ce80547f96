/** Tainan's vocabulary: the Ministry's schema, the older one it came from, and the city's own before both. */
import type { Profile } from '../profile.ts'
import { sentIn } from './attributes.ts'
import { edu } from './edu-schema.ts'
import { moe } from './moe-schema.ts'
import { readAttributes, withoutGaps } from './person.ts'
import { readSchools } from './schools.ts'
import { isBlank } from './shape.ts'
import { text } from './text.ts'

const city = 'http://openid.tn.edu.tw/axschema/'

/** Reads all three, the city's own where the others are silent. */
export const tainan: Profile = (sources) => {
  const sent = sentIn(sources.attributes)
  const own = (name: string) => sent(name, `${city}${name}`)
  const person = readAttributes(sources)
  const main = sent(
    'school/id',
    `${moe}school/id`,
    `${edu}school/id`,
    `${city}EduSchoolID`,
    `${city}sch_code`,
  )
  const titles = [
    sent('school/titleStr', `${edu}school/titleStr`),
    sent('person/titles', `${moe}person/titles`),
  ]
  const classStr = sent('school/classStr', 'http://axschema.tn.edu.tw/school/classStr')
  const [, grade] = own('grade')
  const [, classno] = own('class')
  const [, seatno] = own('seat')
  return {
    profile: withoutGaps({
      ...person,
      name: person.name ?? text(own('UserName')[1]),
      preferredUsername: text(own('UserID')[1]),
    }),
    ...readSchools({
      main,
      mainName: own('SchoolName')[1],
      titles: titles.every(([, value]) => isBlank(value)) ? [own('JobName')] : titles,
      classes: [isBlank(classStr[1]) ? ['class', { grade, classno, seatno }] : classStr],
      pupilsAtMain: true,
    }),
    openid2Ids: [],
  }
}
