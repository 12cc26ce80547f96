/** What people agree to: versions of one text, each in force from its day on. */

export type TermsText = {
  title: string
  /** Rendered from Markdown; raw HTML in it is shown as text. */
  html: string
  /** SHA-256 of the file: what exactly was agreed to. */
  hash: string
}

export type TermsVersion = {
  id: string
  /** The day it comes into force in Taiwan: 2014-08-01. */
  version: string
  /** Seconds since 1970 when that day begins. */
  from: number
  texts: Record<string, TermsText>
}

export type Terms = {
  ids: string[]
  /** The version in force at that second, or the first one while none is. Throws for terms nobody wrote. */
  inForce(id: string, at: number): TermsVersion
  find(id: string, version: string): TermsVersion | undefined
}

/** The beginning of a day in Taiwan, which has no summer time, in seconds since 1970. */
export const dayInTaiwan = (day: string): number => Date.parse(`${day}T00:00:00+08:00`) / 1000

/** `versions` of each id, oldest first. */
export function openTerms(versions: ReadonlyMap<string, TermsVersion[]>): Terms {
  return {
    ids: [...versions.keys()],
    inForce(id, at) {
      const [first, ...later] = versions.get(id) ?? []
      if (!first) throw new Error(`no terms '${id}'`)
      return later.findLast(({ from }) => from <= at) ?? first
    },
    find: (id, version) => versions.get(id)?.find((one) => one.version === version),
  }
}
