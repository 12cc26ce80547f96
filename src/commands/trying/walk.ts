/** Takes somebody at a terminal through an enrolment, page by page, as the browser's pages would. */
import { randomUUID } from 'node:crypto'
import type { EnrolmentRules, StepOf, StepRules, StepType } from '#config/enrolment.ts'
import type { Shown, Submitted } from '#enrolment/engine.ts'
import type { FieldProblem, SummaryLine } from '#enrolment/step.ts'
import type { Letter } from '#lib/letter.ts'
import { seconds } from '#lib/time.ts'
import { exits, print, Stop } from '../tools.ts'
import type { Answers, Question } from './answers.ts'
import type { Trial } from './house.ts'
import { askPerson, pretend, type readPerson } from './pretend.ts'
import { asking, askingLink } from './questions.ts'

export type Way = {
  rules: EnrolmentRules
  door: 'visitor' | 'identity' | 'member'
  /** Whose word it is, where somebody comes in from a county. */
  connector: string
  /** Whom a county vouches for; asked for if left out. */
  as?: ReturnType<typeof readPerson>
}

/** One step may take an address and a code, and a few slips of somebody at a terminal. */
const mostPages = 12

/** The account's id, or nothing if it ended without one. */
export async function walkThrough(
  trial: Trial,
  answers: Answers,
  way: Way,
): Promise<string | undefined> {
  const { engine, visitor, say } = trial
  let application: string | undefined
  const pages = new Map<string, number>()
  let printed = 0
  let shown = way.door === 'visitor' ? await engine.preview(way.rules.id, visitor) : undefined
  if (way.door !== 'visitor') {
    application = await comeIn(trial, answers, way)
    printLetters()
    shown = await find(application)
  }

  async function find(id: string): Promise<Shown | undefined> {
    const found = await engine.find(id, visitor.device)
    if (found.kind !== 'found') throw new Error(`the application is ${found.kind}`)
    return engine.finished(found) ? undefined : engine.show(found, undefined, visitor)
  }

  while (shown) {
    const step = stepIn(way.rules, shown)
    const visits = (pages.get(step.id) ?? 0) + 1
    pages.set(step.id, visits)
    if (visits > mostPages) throw new Stop(exits.rejected, `${step.id} comes again and again`)
    printHeading(trial, step, shown)
    if (shown.problems.length > 0) complain(step, shown.problems)
    if (shown.screen.waits) {
      application = await openLink(trial, answers, step, shown)
      printLetters()
      shown = await find(application)
      continue
    }
    const submitted = await submit(step, shown)
    printLetters()
    if (submitted.kind === 'left') break
    if (submitted.kind === 'again') {
      complain(step, submitted.shown.problems)
      shown = { ...submitted.shown, problems: [] }
      continue
    }
    application = submitted.application
    if ('notice' in submitted && submitted.notice) print(`  ${say(submitted.notice)}`)
    if (submitted.kind === 'upstream') await comeBack(submitted)
    shown = await find(application)
  }
  if (!application) return undefined
  return finish(trial, application)

  function printLetters() {
    for (const letter of trial.letters.slice(printed)) printLetter(letter)
    printed = trial.letters.length
  }

  /** Says what is wrong, as the page would; nobody is there to mend it in a check. */
  function complain(step: StepRules, problems: FieldProblem[]) {
    for (const { field, problem } of problems)
      print(`  ✗ ${field === undefined ? '' : `${field}: `}${say(problem)}`)
    if (problems.length === 0 || answers.patient) return
    throw new Stop(exits.rejected, `${step.id}: the answer was refused`)
  }

  async function submit(step: StepRules, shown: Shown): Promise<Submitted> {
    if (step.type === 'summary') printSummary(trial, shown)
    const input = await answer(trial, answers, step, shown)
    if (!shown.application) {
      const submitted = await engine.start(way.rules.id, input, visitor)
      if (!submitted) throw new Error('what was shown cannot be answered')
      return submitted
    }
    const found = await engine.find(shown.application, visitor.device)
    if (found.kind !== 'found') throw new Error(`the application is ${found.kind}`)
    return engine.submit(found, { step: step.id, version: shown.version, input }, visitor)
  }

  async function comeBack({ application, step, connector }: Submitted & { kind: 'upstream' }) {
    print(`  at ${connector}: who would she be there?`)
    const person = way.as ?? (await askPerson(answers, step))
    const arrived = await engine.arrive({ application, step }, pretend(connector, person), visitor)
    if (arrived.kind !== 'next') throw new Stop(exits.rejected, `${step}: ${arrived.kind}`)
    print(`  ${connector} says: ${JSON.stringify(person)}`)
  }
}

/** Through a county's door, or as somebody who is a member already. */
async function comeIn({ engine, store, visitor }: Trial, answers: Answers, way: Way) {
  const { rules, door, connector } = way
  if (door === 'identity') {
    print(`from ${connector}: who would she be there?`)
    const person = way.as ?? (await askPerson(answers, 'entry'))
    const identity = pretend(connector, person)
    return engine.begin(rules.id, { entry: 'identity', identity }, visitor)
  }
  const at = seconds(Date.now)
  const accountId = randomUUID()
  const name = { value: way.as?.name ?? 'Somebody', by: 'self', at }
  const row = { id: accountId, kind: 'person', status: 'active' as const, profile: { name } }
  await store.accounts.create({ ...row, createdAt: at, updatedAt: at })
  return engine.begin(rules.id, { entry: 'member', accountId }, visitor)
}

function stepIn(rules: EnrolmentRules, shown: Shown): StepRules {
  const step = rules.steps.find(({ id }) => id === shown.step.id)
  if (!step) throw new Error('a step was shown that is not in the rules')
  return step
}

async function answer<Type extends StepType>(
  trial: Trial,
  answers: Answers,
  step: StepOf<Type>,
  shown: Shown,
) {
  const type: Type = step.type
  const { tell, ask, send } = asking[type]
  const page = { step, shown, trial }
  for (const line of tell?.(page) ?? []) print(`  ${line}`)
  // Somebody at a terminal need not type again what was right.
  const questions = (ask?.(page) ?? []).map((one) => {
    const typed = answers.patient && !one.secret ? shown.typed?.[one.name] : undefined
    return typed ? { ...one, value: typed } : one
  })
  const said = await askAll(answers, step.id, questions)
  return (await send?.(page, said)) ?? { fields: said, files: {} }
}

async function askAll(answers: Answers, step: string, questions: Question[]) {
  const said: Record<string, string> = {}
  for (const question of questions) {
    const { name, label, rules, secret } = question
    print(`  ${label}${rules.length > 0 ? ` · ${rules.join(' · ')}` : ''}`)
    const answer = await answers.ask(step, question)
    if (!answers.patient) print(`    ${name}: ${secret ? '•'.repeat(answer.length) : answer}`)
    said[name] = answer
  }
  return said
}

/** Plays whoever was sent a link: the applicant in her own browser, her guardian in another one. */
async function openLink(
  { engine, letters, visitor, say }: Trial,
  answers: Answers,
  { id, type }: StepRules,
  { application }: Shown,
): Promise<string> {
  const purpose = type === 'guardian' ? 'guardian' : 'activate'
  const letter = letters.findLast(({ kind }) => kind === purpose)
  const link = letter && 'link' in letter ? letter.link : undefined
  if (!link || !application) throw new Stop(exits.rejected, `${id} waits, and no mail was sent`)
  print(`  the link in the mail is opened: ${link}`)
  const token = link.slice(link.lastIndexOf('/') + 1)
  const reader = type === 'guardian' ? { ...visitor, device: 'guardian' } : visitor
  const behind = await engine.showLink(purpose, token, reader)
  if (behind.kind !== 'good') throw new Stop(exits.rejected, `${id}: the link is ${behind.kind}`)
  const { guardian, seen } = behind.screen.locals as { guardian?: { name: string }; seen?: string }
  const questions = (askingLink[type] ?? []).map((one) =>
    one.name === 'name' && guardian ? { ...one, value: guardian.name } : one,
  )
  const said = await askAll(answers, id, questions)
  const fields = { ...said, ...(seen ? { seen } : {}) }
  const used = await engine.useLink(purpose, token, { fields, files: {} }, reader)
  if (used.kind === 'done') return application
  if (used.kind === 'good')
    for (const { field = '', problem } of used.problems) print(`  ✗ ${field}: ${say(problem)}`)
  throw new Stop(exits.rejected, `${id}: the answer behind the link was refused`)
}

async function finish({ engine, visitor, say, language }: Trial, application: string) {
  const found = await engine.find(application, visitor.device)
  if (found.kind !== 'found') throw new Error(`the application is ${found.kind}`)
  const finished = engine.finished(found)
  print('')
  if (finished?.refused) {
    print(`refused${finished.why ? `: ${say(finished.why)}` : ''}`)
    return undefined
  }
  if (finished?.text) print(finished.text[language])
  return found.row.accountId
}

function printHeading({ messages, language }: Trial, step: StepRules, { progress }: Shown) {
  const key = `joining.${step.type}.title`
  const own = messages.has(key) ? messages.translate(language, key) : step.type
  print(
    `\n[${progress.at}/${progress.of}] ${step.title?.[language] ?? own} (${step.id}: ${step.type})`,
  )
}

function printLetter(letter: Letter) {
  const { code, link } = { code: undefined, link: undefined, ...letter }
  const holds = [...(code ? [`code ${code}`] : []), ...(link ? [link] : [])].join(', ')
  print(`  ✉ ${letter.kind} to ${letter.to}${holds && `: ${holds}`}`)
}

function printSummary({ say, language }: Trial, { screen }: Shown) {
  const { lines } = screen.locals as { lines: SummaryLine[] }
  const text = (one: SummaryLine['label'] | SummaryLine['value']): string => {
    if (typeof one === 'string') return say(one)
    if ('key' in one) return say(one as { key: string })
    return 'text' in one ? String(one.text) : (one[language] ?? '')
  }
  for (const { label, value } of lines) print(`  ${text(label)}: ${text(value)}`)
}
