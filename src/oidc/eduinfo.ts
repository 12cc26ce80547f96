/** The Ministry's eduinfo document, as existing relying parties read it (facts: taiwan-edu §3.5). */
import type { PersonAffiliation } from '#accounts/affiliations.ts'

export type EduinfoVersion = 'v1' | 'v2'

type ClassInfo = Record<
  'year' | 'semester' | 'schoolid' | 'grade' | 'classno' | 'classtitle',
  string | null
> & { seatno?: string | null }

export type Eduinfo = {
  sub: string
  schoolid?: string
  titles: { schoolid: string; titles: string[] }[]
  classinfo?: ClassInfo[]
}

/**
 * `affiliations` in order: apps take `schoolid` and `titles[0]` for "the" role, so the one the person
 * chose to act in comes first. `classinfo` is there only for people in classes; v2 adds `seatno`.
 */
export function eduinfo(
  sub: string,
  affiliations: PersonAffiliation[],
  version: EduinfoVersion,
): Eduinfo {
  const schools = new Map<string, Set<string>>()
  for (const { schoolCode, titles } of affiliations) {
    const known = schools.get(schoolCode) ?? new Set()
    for (const title of titles) known.add(title)
    schools.set(schoolCode, known)
  }
  const classes = affiliations
    .flatMap((affiliation) => affiliation.classes)
    .map((one) => ({
      year: one.year ?? null,
      semester: one.semester ?? null,
      schoolid: one.schoolCode ?? null,
      grade: one.grade ?? null,
      classno: one.classNo ?? null,
      classtitle: one.classTitle ?? null,
      ...(version === 'v2' ? { seatno: one.seatNo ?? null } : {}),
    }))
  const [acting] = affiliations
  return {
    sub,
    ...(acting ? { schoolid: acting.schoolCode } : {}),
    titles: [...schools].map(([schoolid, titles]) => ({ schoolid, titles: [...titles] })),
    ...(classes.length > 0 ? { classinfo: classes } : {}),
  }
}
