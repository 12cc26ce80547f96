/** One thing staff can do: declared once, done at the console, by the API and at the command line. */
import { z } from 'zod'
import type { MessageParams } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import type { AdminPorts } from './ports.ts'
import { type By, operatorBy, type Permission, type Reach, reachOf } from './staff.ts'

/**
 * What is wrong with an input: which field, why, how to mend it. `message` is English, for the API and the command line;
 * `code` names the words of a page, `admin.problem.<code>`.
 */
export type FieldProblem = {
  field: string
  message: string
  code?: string
  /** What goes into the braces of those words. */
  params?: MessageParams
}

export type Outcome<T> =
  | { kind: 'done'; value: T }
  /** Nothing was changed. */
  | { kind: 'rejected'; problems: FieldProblem[] }
  /** There is none, or it is beyond her reach: one answer. */
  | { kind: 'unknown' }
  /** Somebody changed it since she looked. `why` says what, in English. */
  | { kind: 'conflict'; why: string }
  /** A rule of ours says no; a message key of `admin.refused`, for the API its English words. */
  | { kind: 'refused'; why: string }
  /** She did it too often; `why` as of `refused`. */
  | { kind: 'wait'; why: string; seconds: number }

/** Answers of the gate itself. */
export type Barred = { kind: 'forbidden' } | { kind: 'not-fresh' }

/** `at`: seconds since 1970. */
export type Acting = By & { reach: Reach; at: number }

/** An operator at the command line, who reaches everything; `language`: of letters she causes. */
export const operatorActing = (actor: string, at: number, language = 'en'): Acting => ({
  ...operatorBy(actor),
  language,
  reach: { kind: 'all' },
  at,
})

export type Operation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> = {
  /** `clients.create`: also the API's operationId. */
  id: string
  /** One sentence, for the API's document. */
  summary: string
  permission: Permission
  /** Wants both factors of the last 15 minutes. */
  dangerous?: boolean
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/api/v1`; `{id}` is a field of the input, the others are the query's (GET, DELETE) or the body's. */
  path: `/${string}`
  /** The most a call's body may have; a megabyte, if not said. */
  bodyBytes?: number
  /** A strict object: fields nobody knows are refused. */
  input: I
  /** What leaves the server, and nothing else does. */
  output: O
  run(ports: AdminPorts, by: Acting, input: z.output<I>): Promise<Outcome<z.input<O>>>
}

/** Gives an operation its types. */
export const operation = <I extends z.ZodType, O extends z.ZodType>(
  one: Operation<I, O>,
): Operation<I, O> => one

/**
 * The one gate: may she, is she fresh, is what she sent in order; then it is done. Throws only for bugs and for a
 * database that does not answer.
 */
export async function perform<I extends z.ZodType, O extends z.ZodType>(
  ports: AdminPorts,
  by: By,
  one: Operation<I, O>,
  input: unknown,
): Promise<Outcome<z.output<O>> | Barred> {
  const reach = reachOf(by, one.permission)
  if (!reach) return { kind: 'forbidden' }
  if (one.dangerous && !by.fresh) return { kind: 'not-fresh' }
  const broken = Object.entries(input ?? {}).filter(([, value]) => !isText(value))
  if (broken.length > 0)
    return { kind: 'rejected', problems: broken.map(([field]) => notText(field)) }
  const parsed = one.input.safeParse(input)
  if (!parsed.success) return { kind: 'rejected', problems: problemsOf(parsed.error) }
  const outcome = await one.run(ports, { ...by, reach, at: seconds(ports.now) }, parsed.data)
  return outcome.kind === 'done'
    ? { kind: 'done', value: one.output.parse(outcome.value) as z.output<O> }
    : outcome
}

/** Levels of nesting: honest data has fewer, and looking through many more would overflow the stack. */
const deepest = 64

/** Whether a database can keep every text in it: no NUL, no half of a character, and not nested too deeply. */
export const isText = (value: unknown): boolean => isTextWithin(value, deepest)

const isTextWithin = (value: unknown, levels: number): boolean =>
  typeof value === 'string'
    ? !value.includes('\0') && value.isWellFormed()
    : typeof value !== 'object' ||
      value === null ||
      (levels > 0 && Object.values(value).every((one) => isTextWithin(one, levels - 1)))

const notText = (field: string): FieldProblem => ({
  field,
  message: 'holds a NUL or half of a character',
  code: 'invalid',
})

/**
 * A schema's complaints, by field. A rule of ours names its words, and what goes into their braces:
 * `ctx.addIssue({…, params: { code, … } })`.
 */
export const problemsOf = (error: z.ZodError): FieldProblem[] =>
  error.issues.flatMap((issue) => problemsIn(issue))

function problemsIn(issue: z.core.$ZodIssue, above: PropertyKey[] = []): FieldProblem[] {
  const path = [...above, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: [...path, key].join('.'),
      message: 'is not a field we know',
      code: 'unknown-field',
    }))
  }
  // What may be taken away may be an empty text as well: what is wrong with the other is what she meant.
  const [meant = []] = issue.code === 'invalid_union' ? issue.errors : []
  if (meant.length > 0) return meant.flatMap((one) => problemsIn(one, path))
  return [{ field: path.join('.'), message: issue.message, ...wordsOf(issue) }]
}

type Words = Pick<FieldProblem, 'code' | 'params'>

function wordsOf(issue: z.core.$ZodIssue): Words {
  switch (issue.code) {
    case 'custom': {
      const { code = 'invalid', ...params } = issue.params ?? {}
      return { code: String(code), params }
    }
    case 'too_big':
      return {
        code: tooBig[issue.origin] ?? 'number-most',
        params: { most: Number(issue.maximum) },
      }
    case 'too_small':
      return tooSmall(issue)
    case 'invalid_type':
      return { code: numbers.has(issue.expected) ? 'number' : 'invalid' }
    case 'invalid_value':
      return { code: 'choice' }
    default:
      return { code: 'invalid' }
  }
}

const numbers = new Set(['number', 'int'])
const tooBig: Record<string, string> = { string: 'too-long', array: 'too-many' }

function tooSmall({ origin, minimum }: z.core.$ZodIssueTooSmall): Words {
  if (numbers.has(origin)) return { code: 'number-least', params: { least: Number(minimum) } }
  return { code: 'empty' }
}

/** The outcomes operations give most. */
export const done = <T>(value: T): { kind: 'done'; value: T } => ({ kind: 'done', value })
export const unknown = { kind: 'unknown' } as const
export const rejected = (field: string, message: string, code = 'invalid') => ({
  kind: 'rejected' as const,
  problems: [{ field, message, code }],
})

/** What an operation answers that has nothing to say but that it is done. */
export const nothing = z.object({})
