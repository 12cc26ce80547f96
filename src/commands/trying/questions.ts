/** What the page of a step asks, and how answers become what its form would send. */
import { readFileSync } from 'node:fs'
import type { StepOf, StepType } from '#config/enrolment.ts'
import type { Words } from '#config/words.ts'
import type { Shown } from '#enrolment/engine.ts'
import type { ShownField } from '#enrolment/fields/shown.ts'
import type { Input } from '#enrolment/step.ts'
import type { Message } from '#lib/messages.ts'
import { solve } from '#lib/solve-challenge.ts'
import { exits, Stop } from '../tools.ts'
import type { Question } from './answers.ts'
import type { Trial } from './house.ts'

type Said = Readonly<Record<string, string>>
type Page<Type extends StepType> = { step: StepOf<Type>; shown: Shown; trial: Trial }

type Asking<Type extends StepType> = {
  /** What stands there and asks nothing. */
  tell?(page: Page<Type>): string[]
  ask?(page: Page<Type>): Question[]
  /** Left out: the answers as they are. */
  send?(page: Page<Type>, said: Said): Input | Promise<Input>
}

const required = true
const input = (fields: Said, files: Input['files'] = {}): Input => ({ fields, files })
const wordsOf = ({ trial }: { trial: Trial }, words: Words) => words[trial.language]
const optionsIn = (page: { trial: Trial }, options: { value: string; label: Words }[]) =>
  options.map(({ value, label }) => `${value} = ${wordsOf(page, label)}`)

export const asking: { [Type in StepType]: Asking<Type> } = {
  agreement: {
    ask: ({ shown }) => {
      const { title, version } = shown.screen.locals.terms as { title: string; version: string }
      const label = `${title} (${version})`
      return [{ name: 'agree', label, rules: ['yes or no'], required, value: 'yes' }]
    },
    send({ shown }, { agree = '' }) {
      const { hash } = shown.screen.locals.terms as { hash: string }
      return input(isYes(agree) ? { agree: 'yes', hash } : { decision: 'disagree' })
    },
  },
  choice: {
    ask: (page) => {
      const { step } = page
      const label = step.title ? wordsOf(page, step.title) : step.fact
      return [{ name: step.fact, label, rules: optionsIn(page, step.options), required }]
    },
  },
  upstream: {
    ask: (page) => {
      const list = page.shown.screen.locals.connectors as { id: string; label: Words }[]
      const rules = list.map(({ id, label }) => `${id} = ${wordsOf(page, label)}`)
      return [{ name: 'connector', label: 'county', rules, required }]
    },
  },
  form: {
    tell: (page) =>
      fieldsOf(page).flatMap(({ control, label, value, by }) =>
        control === 'locked' && by
          ? [`${wordsOf(page, label)}: ${value} · as ${wordsOf(page, by.label)} says`]
          : [],
      ),
    ask: (page) => fieldsOf(page).flatMap((field) => questionOf(page, field)),
    send(page, said) {
      const fields = fieldsOf(page)
      const again = fields.map(({ name, again }) => again && [again.name, said[name] ?? ''])
      const files = fields
        .filter(({ name, control }) => control === 'picture' && said[name])
        .map(({ name }) => [name, { bytes: readFile(said[name] ?? '') }])
      const doubled = Object.fromEntries(again.filter((one) => one !== undefined))
      return input({ ...said, ...doubled }, Object.fromEntries(files))
    },
  },
  'email-code': {
    ask({ shown, trial }) {
      const { field, address, sent } = shown.screen.locals
      if (typeof field === 'string' && !sent)
        return [{ name: field, label: 'address', rules: ['a code is sent there'], required }]
      const letter = trial.letters.findLast(({ kind }) => kind === 'code')
      const value = letter?.kind === 'code' ? { value: letter.code } : {}
      const where = typeof field === 'string' ? [`sent to ${address}`] : []
      return [{ name: 'code', label: 'code', rules: ['6 digits', ...where], required, ...value }]
    },
    send({ shown }, said) {
      const { field, address } = shown.screen.locals
      return input(typeof field === 'string' ? { [field]: String(address), ...said } : said)
    },
  },
  'email-link': {},
  captcha: {
    async send({ shown }) {
      const { challenge } = shown.screen.locals
      return input(
        typeof challenge === 'string' ? { proof: await solve(JSON.parse(challenge)) } : {},
      )
    },
  },
  guardian: {
    ask: () => [
      { name: 'guardian.name', label: 'guardian’s name', rules: [], required },
      { name: 'guardian.relation', label: 'relation', rules: [], required },
      { name: 'guardian.email', label: 'guardian’s address', rules: ['not her own'], required },
    ],
    send: (_, said) => input({ ...said, 'guardian.email_again': said['guardian.email'] ?? '' }),
  },
  summary: {},
  done: {},
}

/** What whoever opens a mailed link is asked. */
export const askingLink: Partial<Record<StepType, Question[]>> = {
  guardian: [
    { name: 'decision', label: 'consent', rules: ['agree or disagree'], required, value: 'agree' },
    { name: 'name', label: 'signed', rules: ['guardian’s name'], required },
  ],
}

const fieldsOf = ({ shown }: Page<'form'>) => shown.screen.locals.fields as ShownField[]

/** A locked field asks nothing. */
function questionOf(page: Page<'form'>, field: ShownField): Question[] {
  const { name, label, control, required, value } = field
  if (control === 'locked') return []
  const preset = value === '' ? {} : { value }
  const secret = control === 'password'
  return [
    {
      name,
      label: wordsOf(page, label),
      rules: rulesOf(page, field),
      required,
      ...preset,
      ...(required ? {} : { value }),
      ...(secret ? { secret } : {}),
    },
  ]
}

const inWords: Record<string, (bound: string | number) => string | []> = {
  minlength: (least) => (least === 1 ? [] : `at least ${least} characters`),
  maxlength: (most) => `at most ${most} characters`,
  min: (first) => `from ${first}`,
  max: (last) => `to ${last}`,
  pattern: (pattern) => `matches ${pattern}`,
}

function rulesOf(page: Page<'form'>, field: ShownField): string[] {
  const say = (message: Message) => page.trial.say(message)
  const { required, again, attributes, options, domain, by, hint, help, control } = field
  return [
    required ? 'required' : 'may be left empty',
    ...(by ? [`filled in by ${wordsOf(page, by.label)}`] : []),
    ...(again ? ['typed twice on the page'] : []),
    ...(domain ? [`before @${domain}`] : []),
    ...Object.entries(attributes).flatMap(([name, bound]) =>
      // What a pattern of ours wants, the hint says.
      name === 'pattern' && hint ? [] : (inWords[name]?.(bound) ?? []),
    ),
    ...(options ? optionsIn(page, options) : []),
    ...(control === 'picture' ? ['a file’s name'] : []),
    ...(hint ? [say(hint)] : []),
    ...help.map((words) => wordsOf(page, words)),
  ]
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    throw new Stop(exits.rejected, `${path} cannot be read`)
  }
}

export const isYes = (answer: string) => /^(y|yes|true|是|好|同意)$/i.test(answer)
