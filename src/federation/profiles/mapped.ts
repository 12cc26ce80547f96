/** The vocabulary an operator writes down: for each of our words, where the upstream has it. */
import type { ClaimMap } from '#config/connector.ts'
import type { Claims, Profile } from '../profile.ts'
import { gender, readOpenid2Ids, readPerson, withoutGaps } from './person.ts'
import { readSchools } from './schools.ts'
import { asList, asRecord, deepest, isBlank } from './shape.ts'
import { email, firstText } from './text.ts'

/** Reads by `map`: a name as it is (`urn:oid:2.5.4.42`) or a path of names (`user.schools.code`), through lists. */
export const openMapped =
  (map: ClaimMap): Profile =>
  (sources) => {
    const { idToken, userinfo = {}, attributes = {}, extra = {} } = sources
    const said = (word: keyof ClaimMap): unknown[] => {
      const path = map[word]
      if (path === undefined) return []
      const found = [idToken, userinfo, attributes, extra].map((source) => valuesAt(source, path))
      return found.find((values) => values.length > 0) ?? []
    }
    const one = (word: keyof ClaimMap) => firstText(...said(word))
    const address = said('email').map(email).find(Boolean)
    const standard = readPerson(sources)
    const [school, ...further] = said('school_code')
    return {
      profile: withoutGaps({
        name: one('name'),
        givenName: one('given_name'),
        familyName: one('family_name'),
        nickname: one('nickname'),
        preferredUsername: one('preferred_username'),
        email: address,
        // `email_verified` speaks of the claim beside it, and of no other.
        emailVerified: address === standard.email ? standard.emailVerified : undefined,
        gender: gender(one('gender')),
      }),
      ...readSchools({
        main: ['school_code', school],
        mainName: said('school_name')[0],
        titles: [
          ['titles', said('titles')],
          ['school_code', further.map((sid) => ({ sid }))],
        ],
      }),
      openid2Ids: readOpenid2Ids(sources),
    }
  }

/** The values at a path, those of every item where a list is on the way. */
function valuesAt(source: Claims, path: string): unknown[] {
  if (Object.hasOwn(source, path)) return asList(source[path]).filter((value) => !isBlank(value))
  const found = path
    .split('.')
    .slice(0, deepest)
    .reduce<unknown[]>((reached, name) => reached.flatMap((value) => step(value, name)), [source])
  return found.filter((value) => !isBlank(value))
}

function step(value: unknown, name: string): unknown[] {
  return asList(value).flatMap((item) => {
    const fields = asRecord(item)
    return fields && Object.hasOwn(fields, name) ? asList(fields[name]) : []
  })
}
