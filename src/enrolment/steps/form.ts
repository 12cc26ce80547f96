/** Fields of the operator's choice, all of them on one page. What is wrong is said of all at once. */
import type { Field, FieldType, StepOf } from '#config/enrolment.ts'
import type { Words } from '#config/words.ts'
import { type AccountCheck, checkAccount } from '../fields/account.ts'
import type { FieldPorts, Read } from '../fields/field.ts'
import { againName } from '../fields/field.ts'
import { type ShownField, shownField } from '../fields/shown.ts'
import { kindOf, secretNames } from '../fields.ts'
import type { Facts, Input, Step, SummaryLine, Visit, Vouched } from '../step.ts'
import type { StepPorts } from '../step-ports.ts'

type Ports = FieldPorts & Pick<StepPorts, 'connectors'>
type FormVisit = Visit<'form'>

export function openForm(ports: Ports): Step<'form'> {
  const labelOf = (connector: string): Words =>
    ports.connectors.find(({ id }) => id === connector)?.label ?? {
      'zh-TW': connector,
      en: connector,
    }

  function shown(visit: FormVisit, field: Field): ShownField {
    const said = saidOf(visit, field)
    const { before } = visit
    // Who left a field empty the last time finds it empty.
    const answered = Object.keys(before).length > 0
    const value = said?.locked || !answered ? said?.value : before[field.id]
    const kept = keptOf(visit, field)
    return shownField(field, {
      at: visit.at,
      ...(value === undefined ? {} : { value: String(value) }),
      ...(said?.by ? { by: { label: labelOf(said.by), value: said.value } } : {}),
      ...(said?.locked ? { locked: true } : {}),
      ...(kept === undefined ? {} : { kept }),
    })
  }

  /** A member's own names are not somebody else's. */
  const portsOf = ({ member }: FormVisit): Ports => ({
    ...ports,
    isTaken: (type, value) => ports.isTaken(type, value, member),
  })

  async function readAll(visit: FormVisit, input: Input): Promise<[Field, Read][]> {
    const about = tellsOf(visit, input)
    const { language, at, source } = visit
    const lent = portsOf(visit)
    return Promise.all(
      visit.step.fields.map(async (field): Promise<[Field, Read]> => {
        const said = saidOf(visit, field)
        const posted = said?.locked ? asPosted(field, said.value) : input
        const kept = keptOf(visit, field)
        const reading = { language, at, source, about, ...(kept === undefined ? {} : { kept }) }
        return [field, await kindOf<FieldType>(field).read(field, posted, reading, lent)]
      }),
    )
  }

  return {
    secrets: secretFields,
    check: (visit, typed) => checkField(visit.step, typed, portsOf(visit), visit.source),
    show(visit) {
      const { intro, fields } = visit.step
      const has = (wanted: FieldType) => fields.some(({ type }) => type === wanted)
      return {
        locals: { intro, fields: fields.map((field) => shown(visit, field)) },
        scripts: [
          ...(has('account') ? ['joining.js'] : []),
          ...(has('password') ? ['show-password.js'] : []),
          ...(has('picture') ? ['picture-preview.js'] : []),
        ],
        multipart: has('picture'),
      }
    },

    async submit(visit, input) {
      const reads = await readAll(visit, input)
      const problems = reads.flatMap(([, { problems = [] }]) => problems)
      if (problems.length > 0) {
        const wait = Math.max(...reads.map(([, { waitSeconds = 0 }]) => waitSeconds))
        const memory = Object.fromEntries(
          reads.flatMap(([{ id }, { keep }]) => (keep === undefined ? [] : [[id, keep]])),
        )
        return {
          kind: 'again',
          problems,
          // Nothing is saved of a slip, unless a picture came or went with it.
          ...(same(memory, visit.memory) ? {} : { memory }),
          ...(wait > 0 ? { waitSeconds: wait } : {}),
        }
      }
      const facts: Facts = Object.assign({}, ...reads.map(([, read]) => read.facts))
      const held = Object.fromEntries(
        await Promise.all(
          reads.flatMap(([{ id }, { hold }]) =>
            hold ? [hold().then((kept): [string, string] => [id, kept])] : [],
          ),
        ),
      )
      return { kind: 'done', facts, vouched: vouchedOf(visit, facts), held, memory: held }
    },

    summary({ step, before }) {
      return step.fields.flatMap((field): SummaryLine[] => {
        const value = before[field.id]
        if (value === undefined) return []
        const { summary, shown } = kindOf<FieldType>(field)
        const text = shown?.(String(value)) ?? String(value)
        return [{ label: field.label, value: summary?.(field, value) ?? { text } }]
      })
    },
  }
}

/** Names of inputs that must not come back to the page: passwords. */
export const secretFields = ({ fields }: StepOf<'form'>): string[] => secretNames(fields)

/** What is told of an account while it is typed, or nothing when the form has no such field. */
export async function checkField(
  step: StepOf<'form'>,
  typed: { field: string; value: string },
  ports: Pick<FieldPorts, 'isTaken' | 'counters'>,
  source: FormVisit['source'],
): Promise<AccountCheck | undefined> {
  const field = step.fields.find(({ id }) => id === typed.field)
  if (field?.type !== 'account') return undefined
  return checkAccount(field, typed.value, ports, source)
}

type Said = { value: string; by?: string; locked: boolean }

/**
 * What fills a field in, in the form it would be kept in. What the field cannot take fills in nothing: a county's
 * nonsense must be mendable by her, lock or not.
 */
function saidOf({ facts, vouched, at }: FormVisit, field: Field): Said | undefined {
  const { from, lock } = field
  const said = from === undefined ? undefined : facts[from]
  const normal =
    said === undefined ? undefined : kindOf<FieldType>(field).normal?.(field, String(said), at)
  if (from === undefined || !normal || 'problem' in normal) return undefined
  const by = vouched[from]
  return { value: normal.value, ...(by ? { by } : {}), locked: lock === 'vouched' && !!by }
}

/** As if she had typed it: what is posted in place of a locked value is not even looked at. */
const asPosted = (field: Field, value: string): Input => ({
  fields: { [field.id]: value, [againName(field)]: value },
  files: {},
})

function vouchedOf(visit: FormVisit, facts: Facts): Vouched {
  const vouched = visit.step.fields.flatMap((field) => {
    const said = saidOf(visit, field)
    return said?.by && said.value === facts[field.id] ? [[field.id, said.by]] : []
  })
  return Object.fromEntries(vouched)
}

function keptOf({ memory }: FormVisit, { id }: Field): string | undefined {
  const kept = Object.hasOwn(memory, id) ? memory[id] : undefined
  return typeof kept === 'string' ? kept : undefined
}

const telling = new Set<FieldType>(['text', 'name', 'account', 'email', 'phone', 'mobile', 'date'])
const tellingFacts = ['upstream.name', 'upstream.nickname', 'upstream.email', 'upstream.school']

/** What a password must not hold: what others know of her. As typed, right or wrong. */
function tellsOf({ step, facts }: FormVisit, { fields }: Input): string[] {
  const typed = step.fields
    .filter(({ type }) => telling.has(type))
    .map(({ id }) => (Object.hasOwn(fields, id) ? fields[id] : undefined))
  const known = tellingFacts.map((name) => facts[name])
  const addresses = Object.values(facts).filter((fact) => String(fact).includes('@'))
  return [...typed, ...known, ...addresses].filter(
    (one): one is string => typeof one === 'string' && one !== '',
  )
}

const same = (a: object, b: object) => {
  const sorted = (one: object) => JSON.stringify(Object.entries(one).sort())
  return sorted(a) === sorted(b)
}
