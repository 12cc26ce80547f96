/** What the API answers when something is not as it should be: RFC 9457. */
import type { FieldProblem } from '#admin/operation.ts'
import type { Context } from '../context.ts'
import type { Problem } from '../problem.ts'

/** Each kind with its status and its title, which is the same wherever it comes up. */
export const problemKinds = {
  'bad-request': [400, 'The request cannot be read'],
  'no-token': [401, 'An access token is needed'],
  'invalid-token': [401, 'The access token is not good for this API'],
  'insufficient-user-authentication': [401, 'Both factors are needed, of a moment ago'],
  'insufficient-scope': [403, 'The token or its holder’s roles do not include this'],
  unknown: [404, 'There is no such thing'],
  'no-such-path': [404, 'There is nothing at this path'],
  method: [405, 'The path does not take this method'],
  'not-acceptable': [406, 'The answer is JSON'],
  conflict: [409, 'Somebody changed it meanwhile'],
  refused: [409, 'A rule says no'],
  'too-large': [413, 'The body is too large'],
  'media-type': [415, 'The body is to be of another type'],
  host: [421, 'This is not the host that was asked for'],
  rejected: [422, 'Something in what was sent is not in order'],
  'too-many': [429, 'Too many requests'],
  server: [500, 'Something went wrong here'],
  busy: [503, 'Too busy at the moment'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemKind = keyof typeof problemKinds

export type ApiProblemOptions = {
  /** What happened, and how to mend it. */
  detail?: string
  /** The rule that said no, as a word for programs. */
  code?: string
  problems?: readonly FieldProblem[]
  headers?: Record<string, string>
  cause?: unknown
}

/** A request that ends without what it asked for: thrown by whoever finds out, shown in one place. */
export class ApiProblem extends Error {
  override name = 'ApiProblem'
  readonly kind: ProblemKind
  readonly options: ApiProblemOptions

  constructor(kind: ProblemKind, options: ApiProblemOptions = {}) {
    super(kind, { cause: options.cause })
    this.kind = kind
    this.options = options
  }
}

/** Paths of the API: whoever reads there is a program. */
export const apiPaths = /^\/api(\/|$)/

/** RFC 9457’s `type`: stays the same, and leads nowhere. */
export const typeOf = (kind: ProblemKind): string => `urn:citygate:problem:${kind}`

/** Writes it as `application/problem+json`. */
export function answerProblem(ctx: Context, { kind, options }: ApiProblem): void {
  const [status, title] = problemKinds[kind]
  const { detail, code, problems, headers = {} } = options
  ctx.status = status
  ctx.set(headers)
  ctx.body = JSON.stringify({
    type: typeOf(kind),
    title,
    status,
    detail,
    code,
    problems: problems?.map(({ field, message, code: word }) => ({ field, message, code: word })),
    ref: ctx.state.ref,
  })
  ctx.type = 'application/problem+json'
}

/** What went wrong before the API was asked, or beneath it. */
export function fromPage({ status, key, options, cause }: Problem): ApiProblem {
  const { retryAfterSeconds } = options
  const kinds = Object.entries(problemKinds) as [ProblemKind, readonly [number, string]][]
  const [kind] = kinds.find(([, [one]]) => one === status) ?? ['server']
  return new ApiProblem(kind, {
    ...(status < 500 ? { code: key } : {}),
    ...(retryAfterSeconds ? { headers: { 'Retry-After': String(retryAfterSeconds) } } : {}),
    cause,
  })
}
