/** School years in Taiwan: what was said before one began is last year's. */
import { dayInTaiwan } from '#lib/terms.ts'
import { type Now, seconds } from '#lib/time.ts'

export type SchoolYear = {
  /** True of what was read, in seconds since 1970, before this school year began. */
  isPast(at: number): boolean
}

/** `begins` is month and day, `08-01`. Without it there are no school years, and nothing is past. */
export function openSchoolYear(begins: string | undefined, now: Now): SchoolYear {
  if (begins === undefined) return { isPast: () => false }
  return { isPast: (at) => at < beginning(begins, seconds(now)) }
}

/** Of the school year that `at` is in. */
function beginning(begins: string, at: number): number {
  const year = new Date((at + taiwan) * 1000).getUTCFullYear()
  const thisYears = dayInTaiwan(`${year}-${begins}`)
  return thisYears <= at ? thisYears : dayInTaiwan(`${year - 1}-${begins}`)
}

/** Ahead of UTC, in seconds. */
const taiwan = 8 * 60 * 60
