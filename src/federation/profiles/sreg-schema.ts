/** Simple Registration with other meanings: country is the school, timezone the titles, language the seat. */
import type { Profile } from '../profile.ts'
import { sentIn } from './attributes.ts'
import { axschema, readAttributes } from './person.ts'
import { schoolCode } from './school-code.ts'
import { readSchools } from './schools.ts'
import { text } from './text.ts'

/** Reads them. Of postcode, which is the hash of the national id number, nothing is taken. */
export const sregSchema: Profile = (sources) => {
  const sent = sentIn(sources.attributes)
  const [, country] = sent('country', 'sreg.country', `${axschema}contact/country/home`)
  const [, language] = sent('language', 'sreg.language', `${axschema}pref/language`)
  return {
    profile: readAttributes(sources),
    ...readSchools({
      // 新北 has the short name of the school there, which no code is told from.
      main: ['sreg.country', schoolCode(country)],
      titles: [sent('sreg.timezone', 'sreg.timezone', `${axschema}pref/timezone`)],
      classes: [['sreg.language', seatIn(language)]],
    }),
    openid2Ids: [],
  }
}

/** 070215 is grade 7, class 2, seat 15; 000000 is who sits nowhere, 新竹市's 32 hex digits are something else. */
function seatIn(language: unknown) {
  const [, grade, classno, seatno] = /^(\d{2})(\d{2})(\d{2})$/.exec(text(language) ?? '') ?? []
  const digits = (two: string | undefined) => two?.replace(/^0/, '')
  return { grade: digits(grade), classno: digits(classno), seatno: digits(seatno) }
}
