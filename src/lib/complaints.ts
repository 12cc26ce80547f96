/** What is wrong with a value, as operators read it, where the schema has no words of its own. */
import type { z } from 'zod'

/** The kinds of value YAML has, by zod's names. */
const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
}

const kindOf = (value: unknown): string => {
  if (value === null) return 'nothing'
  return kinds[Array.isArray(value) ? 'array' : typeof value] ?? typeof value
}

const written = (value: unknown): string =>
  ['string', 'number', 'boolean'].includes(typeof value) ? `"${value}"` : kindOf(value)

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(', ')}`

/** How many of what are needed, or allowed. */
function size(
  origin: string,
  bound: number | bigint,
  inclusive: boolean | undefined,
  than: string,
) {
  const edge = inclusive ? `at ${than === 'more' ? 'least' : 'most'}` : `${than} than`
  if (origin === 'string') {
    return than === 'more' && bound === 1
      ? 'must not be empty'
      : `must have ${edge} ${bound} characters`
  }
  if (origin === 'array') return `must have ${edge} ${bound} ${bound === 1 ? 'entry' : 'entries'}`
  return `must be ${edge} ${bound}`
}

/** For zod's `error`: nothing where it says it well itself. */
export function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  const { input } = issue
  if (input === undefined && issue.code !== 'custom') return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? issue.expected}, not ${kindOf(input)}`
    case 'invalid_value':
      return `${oneOf(issue.values)}, not ${written(input)}`
    case 'too_small':
      return size(issue.origin, issue.minimum, issue.inclusive, 'more')
    case 'too_big':
      return size(issue.origin, issue.maximum, issue.inclusive, 'less')
    case 'invalid_format':
      return issue.format === 'regex' && issue.pattern ? `must match ${issue.pattern}` : undefined
    case 'invalid_key':
      return `is no name we take: it ${issue.issues.map(({ message }) => message).join(', ')}`
    case 'invalid_union': {
      if ('options' in issue && Array.isArray(issue.options)) {
        const { discriminator = '' } = issue
        const given = isObject(input) ? input[discriminator] : undefined
        const wanted = oneOf(issue.options)
        return given === undefined ? `is missing: ${wanted}` : `${wanted}, not ${written(given)}`
      }
      const ways = new Set(issue.errors.flatMap((way) => way.map(({ message }) => message)))
      return [...ways].join(', or ')
    }
    default:
      return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
