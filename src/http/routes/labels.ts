/** How a person's school and class are written in one line. */
import type { PersonAffiliation } from '#accounts/affiliations.ts'
import type { Language } from '#config/words.ts'
import type { House } from '../house.ts'

/** The school's name or, where the county gives none, its code said to be one: the Ministry's eduinfo has codes only. */
export function schoolLabel(
  { messages }: Pick<House, 'messages'>,
  language: Language,
  { schoolName, schoolCode }: Pick<PersonAffiliation, 'schoolName' | 'schoolCode'>,
): string {
  return schoolName ?? messages.translate(language, 'school.code', { code: schoolCode })
}

/** `新北市立某國中 · 教師 · 設備組長` */
export function affiliationLabel(
  house: Pick<House, 'messages'>,
  language: Language,
  affiliation: PersonAffiliation,
): string {
  const { role, titles } = affiliation
  const words = titles.length > 0 ? titles : [house.messages.translate(language, `role.${role}`)]
  return [schoolLabel(house, language, affiliation), ...words].join(' · ')
}

/** The upstream's own name of a class, or grade, class and seat as it gave them. */
export function classLabel(one: Record<string, string>): string {
  const numbers = [one.grade, one.classNo].filter(Boolean).join('-')
  return [one.classTitle ?? numbers, one.seatNo && `#${one.seatNo}`].filter(Boolean).join(' ')
}
