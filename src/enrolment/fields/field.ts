/** What a kind of field is: one declaration, told to browsers as attributes and held to on the server. */
import type { Field, FieldType } from '#config/enrolment.ts'
import type { Language } from '#config/words.ts'
import type { Message, MessageParams } from '#lib/messages.ts'
import type { Facts, FieldProblem, Input, SummaryLine } from '../step.ts'
import type { StepPorts } from '../step-ports.ts'
import { tidy } from './typed.ts'

export type FieldOf<Type extends FieldType> = Extract<Field, { type: Type }>

export type FieldPorts = Pick<
  StepPorts,
  'isTaken' | 'counters' | 'judgePassword' | 'passwords' | 'encodePicture'
>

/** Of an HTML input. Never stricter than the server, which takes what it can make right. */
export type Attributes = Readonly<Record<string, string | number>>

/** Who reads, and when. */
export type Reading = {
  language: Language
  /** Seconds since 1970. */
  at: number
  /** The address as limits count it. */
  source: { name: string; factor: number }
  /** What the end was to read of it when it was right before. */
  kept?: string
  /** What others know of her: no password holds that. */
  about: string[]
}

export type Read = {
  /** None when it was left empty. */
  facts?: Facts
  /** What only the end may read; asked for when the whole form is right, since a hash is work. */
  hold?: () => Promise<string>
  /** What is kept of it although something in the form is wrong. */
  keep?: string
  problems?: FieldProblem[]
  waitSeconds?: number
}

export type Normal = { value: string } | { problem: Message }

/** How it looks: `views/partials/field-<control>.ejs`. */
export type Control = 'line' | 'account' | 'password' | 'select' | 'radio' | 'picture'

export type FieldKind<Type extends FieldType> = {
  control: Control
  attributes(field: FieldOf<Type>, at: number): Attributes
  /** What it wants, in our words: the operator's stand beside them. */
  hint?(field: FieldOf<Type>): Message
  /** Said where something is kept that an empty input leaves as it is. `value`: what may be shown of it. */
  left?(value: string): Message
  /** Reads what was posted under the field's own names, and nothing else. */
  read(field: FieldOf<Type>, posted: Input, reading: Reading, ports: FieldPorts): Promise<Read>
  /** The one form in which it is kept. Absent where nothing but a person can say it: passwords, pictures. */
  normal?(field: FieldOf<Type>, said: string, at: number): Normal
  /** As people write it; read again it is the same. */
  shown?(value: string): string
  /** For the page that sums up, where a text does not do. */
  summary?(field: FieldOf<Type>, value: Facts[string]): SummaryLine['value']
}

/** Kinds with one line and one value. */
type LineKind<Type extends FieldType> = Omit<FieldKind<Type>, 'read' | 'normal'> &
  Required<Pick<FieldKind<Type>, 'normal'>> & {
    /** More facts than the value itself. */
    facts?(field: FieldOf<Type>, value: string, at: number): Facts
  }

export function line<Type extends FieldType>({
  facts,
  ...kind
}: LineKind<Type>): Required<Pick<FieldKind<Type>, 'normal'>> & FieldKind<Type> {
  return {
    ...kind,
    async read(field, { fields }, { at, language }) {
      const typed = own(fields, field.id)
      if (tidy(typed) === '') return empty(field, language)
      const normal = kind.normal(field, typed, at)
      if ('problem' in normal) return slip(field.id, normal.problem)
      return { facts: { [field.id]: normal.value, ...facts?.(field, normal.value, at) } }
    },
  }
}

/** Only what was sent itself: no field of a form is named `constructor` by accident. */
export const own = (fields: Input['fields'], name: string): string =>
  Object.hasOwn(fields, name) ? (fields[name] ?? '') : ''

/** The name of the second input, of what is typed twice. */
export const againName = ({ id }: Pick<Field, 'id'>) => `${id}_again`

export const slip = (field: string, problem: Message): Read => ({ problems: [{ field, problem }] })

export const words = (key: string, params?: MessageParams): Message =>
  params ? { key: `field.${key}`, params } : `field.${key}`

/** Nothing was typed. */
export const empty = ({ id, label, required }: Field, language: Language): Read =>
  required ? slip(id, words('required', { label: label[language] })) : {}
