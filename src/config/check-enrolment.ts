/** What a schema cannot say of an enrolment: every name leads somewhere, and whoever comes out of it can sign in. */
import {
  type Condition,
  type EnrolmentRules,
  type Field,
  type FieldType,
  factsOf,
  type StepRules,
  upstreamFacts,
} from './enrolment.ts'

/** Buttons beside a step are sent to `/joining/<application>/<one of these>`. */
const reserved = ['enter', 'discard', 'later']

type Path = PropertyKey[]
type Complain = (path: Path, message: string) => void
type Around = {
  terms: string[]
  connectors: string[]
  /** Absent where site.yaml could not be read: then none is missing. */
  receivers?: string[] | undefined
}

type Scalar = string | number | boolean
/** Facts that were found out so far, each with what it may be where that is known. */
type Known = Map<string, Set<Scalar> | undefined>

export function checkEnrolment(rules: EnrolmentRules, around: Around, complain: Complain): void {
  const known = checkEntry(rules, around, complain)
  const ids = new Set<string>()
  for (const [i, step] of rules.steps.entries()) {
    const at = ['steps', i]
    if (ids.has(step.id)) complain([...at, 'id'], `is the id of an earlier step: ${step.id}`)
    ids.add(step.id)
    if (reserved.includes(step.id))
      complain([...at, 'id'], `is an address of our own: not ${reserved.join(', ')}`)
    checkCondition(step.when, known, [...at, 'when'], complain)
    checkStep(step, { known, around, at, isLast: i === rules.steps.length - 1 }, complain)
    for (const fact of factsOf(step)) learn(known, fact, valuesOf(step, fact))
  }
  checkCreates(rules, known, around, (path, message) => complain(['creates', ...path], message))
}

function checkEntry({ entry, steps }: EnrolmentRules, around: Around, complain: Complain): Known {
  const known: Known = new Map()
  if (entry.identity && !steps.some(({ type }) => type === 'upstream')) {
    const why = 'needs a step of type upstream: who goes on later or elsewhere signs in there again'
    complain(['entry', 'identity'], why)
  }
  if (!entry.visitor && !entry.identity && !entry.member)
    complain(['entry'], 'lets nobody in: name visitor, identity or member')
  for (const door of [entry.visitor, entry.identity, entry.member]) {
    for (const [fact, value] of Object.entries(door?.facts ?? {})) {
      learn(known, fact, new Set([value]))
    }
  }
  if (entry.identity) for (const fact of upstreamFacts) learn(known, fact, undefined)
  checkConnectors(entry.identity?.connectors, around, ['entry', 'identity', 'connectors'], complain)
  return known
}

function checkConnectors(
  list: 'all' | string[] | undefined,
  { connectors }: Around,
  path: Path,
  complain: Complain,
) {
  if (list === 'all' || list === undefined) return
  for (const [i, one] of list.entries()) {
    if (!connectors.includes(one))
      complain([...path, i], `is no connector: there is no connectors/${one}.yaml`)
  }
}

/** A fact several steps find out may be what any of them makes it. */
function learn(known: Known, fact: string, values: Set<Scalar> | undefined) {
  const before = known.get(fact)
  if (!known.has(fact)) known.set(fact, values)
  else known.set(fact, before && values && before.union(values))
}

/** Nothing where it may be anything. */
function valuesOf(step: StepRules, fact: string): Set<Scalar> | undefined {
  if (step.type === 'choice') return optionsOf(step)
  if (step.type !== 'form') return undefined
  const field = step.fields.find(({ id }) => id === fact)
  return field && 'options' in field ? optionsOf(field) : undefined
}

const optionsOf = ({ options }: { options: { value: string }[] }): Set<Scalar> =>
  new Set(options.map(({ value }) => value))

function checkCondition(
  condition: Condition | undefined,
  known: Known,
  path: Path,
  complain: Complain,
) {
  for (const [fact, wanted] of Object.entries(condition ?? {})) {
    if (!known.has(fact)) complain([...path, fact], unknownBefore(fact))
    const values = known.get(fact)
    const isBounds = typeof wanted === 'object' && !Array.isArray(wanted)
    if (!values || isBounds) continue
    for (const one of [wanted].flat()) {
      if (!values.has(one))
        complain([...path, fact], `is never ${one}: it is one of ${[...values].join(', ')}`)
    }
  }
}

const unknownBefore = (fact: string) => `names a fact no step before it finds out: ${fact}`

type Place = { known: Known; around: Around; at: Path; isLast: boolean }

function checkStep(step: StepRules, { known, around, at, isLast }: Place, complain: Complain) {
  switch (step.type) {
    case 'agreement':
      if (!around.terms.includes(step.terms))
        complain([...at, 'terms'], `has no file terms/${step.terms}.<day>.<language>.md`)
      break
    case 'upstream':
      checkConnectors(step.connectors, around, [...at, 'connectors'], complain)
      break
    case 'form':
      for (const [j, field] of step.fields.entries()) {
        const here = [...at, 'fields', j]
        if (step.fields.findIndex((one) => one.id === field.id) < j)
          complain([...here, 'id'], `is the id of an earlier field: ${field.id}`)
        checkField(field, known, here, complain)
      }
      break
    case 'email-code':
    case 'email-link':
      if (step.address !== undefined && !known.has(step.address))
        complain([...at, 'address'], unknownBefore(step.address))
      break
    case 'done':
      if (!isLast) complain(at, 'must be the last step')
  }
}

function checkField(field: Field, known: Known, at: Path, complain: Complain) {
  if (field.from !== undefined && !known.has(field.from))
    complain([...at, 'from'], unknownBefore(field.from))
  if (field.lock === 'vouched' && !field.from)
    complain([...at, 'lock'], 'locks nothing without `from`')
  if ('min_length' in field && field.min_length > field.max_length)
    complain([...at, 'min_length'], 'is more than max_length')
}

const isAddressOfOurs = (fact: string) => (field: Field) =>
  field.id === fact && field.type === 'account' && field.domain !== undefined

function checkCreates(
  { entry, steps, creates }: EnrolmentRules,
  known: Known,
  around: Around,
  complain: Complain,
) {
  const needs = (fact: string, path: Path) => {
    if (!known.has(fact)) complain(path, `names a fact no step finds out: ${fact}`)
  }
  /** What is sealed or hashed lies with its field: a fact of another kind would be nothing at the end. */
  const needsField = (fact: string | undefined, kinds: FieldType[], path: Path) => {
    if (fact === undefined) return
    const fields = steps.flatMap((step) => (step.type === 'form' ? step.fields : []))
    if (!fields.some(({ id, type }) => id === fact && kinds.includes(type)))
      complain(path, `names no field of type ${kinds.join(' or ')}: ${fact}`)
  }

  const isOurs = (fact: string) =>
    steps.some((step) => step.type === 'form' && step.fields.some(isAddressOfOurs(fact)))
  for (const [i, { type, fact, verified }] of creates.identifiers.entries()) {
    needs(fact, ['identifiers', i, 'fact'])
    // Whoever signs in with somebody else's address keeps her out, and gets her mails.
    if (type === 'email' && typeof verified === 'boolean' && !(verified && isOurs(fact)))
      complain(
        ['identifiers', i, 'verified'],
        `must name the fact that proves it: ${fact}_verified`,
      )
    if (typeof verified === 'string') needs(verified, ['identifiers', i, 'verified'])
  }
  for (const [claim, facts] of Object.entries(creates.profile)) {
    for (const fact of [facts].flat()) needs(fact, ['profile', claim])
  }
  if (creates.recovery_address) needs(creates.recovery_address, ['recovery_address'])
  needsField(creates.password, ['password'], ['password'])
  needsField(creates.picture, ['picture'], ['picture'])
  for (const [type, fact] of Object.entries(creates.personal_numbers))
    needsField(fact, ['national-id', 'tax-id'], ['personal_numbers', type])
  for (const [i, event] of creates.provision.entries()) {
    if (around.receivers && !around.receivers.includes(event.receiver))
      complain(['provision', i, 'receiver'], 'is not in provisioning of site.yaml')
    for (const [name, fact] of Object.entries(event.data))
      needs(fact, ['provision', i, 'data', name])
    checkCondition(event.when, known, ['provision', i, 'when'], complain)
  }

  const canComeBack = steps.some(({ type }) => type === 'upstream')
  if (entry.visitor && !canComeBack && (creates.identifiers.length === 0 || !creates.password)) {
    complain([], 'makes accounts nobody can sign in to: name identifiers and a password')
  }
}
