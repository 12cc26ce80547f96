/** The schema of Keelung's library (http://axschema.org/axschema/…), which Kinmen and Lienchiang have too. */
import type { Profile } from '../profile.ts'
import { sentIn } from './attributes.ts'
import { axschema, readAttributes } from './person.ts'
import { readSchools } from './schools.ts'

const library = `${axschema}axschema/`

export const librarySchema: Profile = (sources) => {
  const sent = sentIn(sources.attributes)
  const { nickname, ...person } = readAttributes(sources)
  // Lienchiang's mark of pupils, in place of what they like to be called.
  const pupil = nickname === 'Stu'
  return {
    profile: pupil || nickname === undefined ? person : { ...person, nickname },
    ...readSchools({
      main: sent('school/id', `${library}school/id`),
      titles: [sent('school/titleStr', `${library}school/titleStr`)],
      untitled: pupil ? 'student' : 'other',
    }),
    openid2Ids: [],
  }
}
