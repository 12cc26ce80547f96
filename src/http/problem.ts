/** A request that ends on the problem page: thrown by whoever finds out, shown in one place. */

/** One way on from a problem page. */
export type NextStep = {
  id: string
  kind: 'link' | 'post'
  href: string
  labelKey: string
  params?: Record<string, string>
  /** What the form of a `post` carries. */
  fields?: Record<string, string>
  primary?: boolean
}

/** The way on that is always there. */
export const home: NextStep = { id: 'home', kind: 'link', href: '/', labelKey: 'next.home' }

/** For who came to sign out and could not be let go on. */
export const signOutHere: NextStep = {
  id: 'sign-out',
  kind: 'link',
  href: '/session/end',
  labelKey: 'next.sign-out',
  primary: true,
}

/** What staff announced, where it bears on the problem. */
export type ShownNotice = {
  /** Words by language. */
  text: Record<string, string>
  /** It has not begun. */
  planned: boolean
  from: Date
  until: Date
}

export type ProblemOptions = {
  params?: Record<string, string>
  next?: NextStep[]
  /** What is kept, where the key's own words say it for another errand. */
  kept?: string
  retryAfterSeconds?: number
  /** CSP form-action sources its post steps may redirect through. */
  formAction?: string[]
  notices?: ShownNotice[]
  /** How upstreams fare is of use to her. */
  status?: boolean
  cause?: unknown
}

/** `key` names the messages `problem.<key>.title`, `.what` and, where something is kept, `.kept`. */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  readonly key: string
  readonly options: ProblemOptions

  constructor(status: number, key: string, options: ProblemOptions = {}) {
    super(key, { cause: options.cause })
    this.status = status
    this.key = key
    this.options = options
  }
}
