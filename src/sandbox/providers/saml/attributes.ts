/** What the school says of a person: each name as directories spell it, with all its values. */
import { fullName, type Person } from '../../people.ts'

export function attributesOf(one: Person): Record<string, string[]> {
  const [main] = one.schools
  return {
    displayName: [fullName(one)],
    sn: [one.familyName],
    givenName: [one.givenName],
    mail: [one.email],
    schoolCode: one.schools.map(({ code }) => code),
    schoolName: main ? [main.name] : [],
    title: main?.titles ?? [],
  }
}
