/** How a person's school and class are written in one line. */
import type { PersonAffiliation } from '#accounts/affiliations.ts'
import type { Language } from '#config/schema.ts'
import type { House } from '../house.ts'

/** `新北市立某國中 · 教師 · 設備組長` */
export function affiliationLabel(
  { messages }: Pick<House, 'messages'>,
  language: Language,
  { schoolName, schoolCode, role, titles }: PersonAffiliation,
): string {
  const words = titles.length > 0 ? titles : [messages.translate(language, `role.${role}`)]
  return [schoolName ?? schoolCode, ...words].join(' · ')
}

/** The upstream's own name of a class, or grade, class and seat as it gave them. */
export function classLabel(one: Record<string, string>): string {
  const numbers = [one.grade, one.classNo].filter(Boolean).join('-')
  return [one.classTitle ?? numbers, one.seatNo && `#${one.seatNo}`].filter(Boolean).join(' ')
}
