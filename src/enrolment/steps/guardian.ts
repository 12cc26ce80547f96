/** A minor's guardian agrees, by a link mailed to an address of her own. */
import { sha256 } from '#lib/crypto.ts'
import { isMailAddress } from '#lib/mail.ts'
import { maskMail } from '#lib/mask.ts'
import type { Message } from '#lib/messages.ts'
import { clip } from '#lib/prose.ts'
import { day } from '#lib/time.ts'
import { mailboxOf, openMailLimits, pauseOf, tooMany, tooSoon } from '../mail-limits.ts'
import { slip } from '../slip.ts'
import type { FieldProblem, Input, Memory, Outcome, Sending, Step, Visit } from '../step.ts'
import type { StepPorts } from '../step-ports.ts'

type Ports = Pick<StepPorts, 'counters' | 'terms'>
type Here = Visit<'guardian'>
type Asked = { name: string; relation: string; email: string }

const longest = { name: 60, relation: 30 }
/** How long the applicant's letter takes her back to where she stopped. */
const resumeSeconds = 3 * day

export function openGuardian({ counters, terms }: Ports): Step<'guardian'> {
  const limits = openMailLimits(counters)

  async function write(
    visit: Here,
    asked: Asked,
  ): Promise<{ wait: number } | { memory: Memory; send: Sending[] }> {
    const { step, at, language, source } = visit
    const wait = await limits.spend(asked.email, source)
    if (wait > 0) return { wait }
    const validSeconds = step.valid_days * day
    const params = { name: calledName(visit), lasts: validSeconds }
    const letter = { kind: 'guardian' as const, to: asked.email, language, params }
    const sending: Sending = { letter, link: { purpose: 'guardian', validSeconds } }
    return { memory: { ...asked, sentAt: at, linked: true }, send: [sending] }
  }

  async function ask(visit: Here, asked: Asked): Promise<Outcome> {
    const same = mailboxOf(asked.email) === mailboxOf(askedIn(visit).email)
    const pause = same ? pauseOf(visit.memory, visit) : 0
    if (pause > 0) return tooSoon(pause)
    const written = await write(visit, asked)
    return 'wait' in written ? tooMany(written.wait) : { kind: 'waiting', ...written }
  }

  /** Agreed to what stands there now: another name would be another child. */
  const agreed = (visit: Here) =>
    visit.memory.agreed === true && visit.memory.about === aboutOf(visit)

  return {
    known: (visit) => (agreed(visit) ? { facts: visit.before } : undefined),

    async enter({ memory }) {
      return memory.linked === true ? { kind: 'waiting' } : undefined
    },

    show(visit) {
      const { memory, step } = visit
      const { name, relation, email } = askedIn(visit)
      if (agreed(visit)) return { locals: { agreed: true, name } }
      if (memory.linked !== true) return { locals: { asked: { name, relation, email } } }
      return {
        locals: {
          waits: true,
          name,
          to: maskMail(email),
          days: step.valid_days,
          pause: pauseOf(memory, visit),
        },
        scripts: ['countdown.js'],
        waits: true,
      }
    },

    async submit(visit, { fields }) {
      const before = askedIn(visit)
      if (agreed(visit)) return { kind: 'done', facts: visit.before }
      if (visit.memory.linked !== true) {
        const { problems, asked } = read(visit, fields)
        return problems.length > 0 ? { kind: 'again', problems } : ask(visit, asked)
      }
      switch (fields.action) {
        case 'resend': {
          const outcome = await ask(visit, before)
          if (outcome.kind !== 'waiting') return outcome
          return { ...outcome, kind: 'again', problems: [], notice: 'joining.guardian.sent' }
        }
        // The link that was sent means nothing from now on; when it was sent still counts.
        case 'change': {
          const { sentAt } = visit.memory
          return { kind: 'again', problems: [], memory: { ...before, sentAt } }
        }
        default:
          return slip('joining.guardian.still')
      }
    },

    link: {
      purpose: 'guardian',
      isGood: ({ memory }) => memory.linked === true,
      show(visit) {
        const { applicant, accepted, language } = visit
        const { name, relation } = askedIn(visit)
        return {
          locals: {
            applicant,
            guardian: { name, relation },
            terms: accepted.flatMap(({ terms: id, version }) => {
              const text = terms.find(id, version)?.texts[language]
              return text ? [{ version, ...text }] : []
            }),
            seen: aboutOf(visit),
          },
        }
      },
      async submit(visit, { fields }, { sameBrowser }) {
        const about = aboutOf(visit)
        if (fields.decision === 'disagree')
          return { kind: 'refused', why: 'joining.guardian.refused' }
        if (fields.decision !== 'agree') return slip('joining.guardian.choose', { at: 'decision' })
        const name = clip(fields.name, longest.name)
        if (name === '') return slip('joining.guardian.sign', { at: 'name' })
        if (fields.seen !== about) return slip('joining.guardian.changed')
        const { relation, email } = askedIn(visit)
        // A family shares a computer and often a mailbox: refusing the applicant's own browser would turn away honest
        // guardians and stop no child, who has another browser at hand. What we can do is write it down.
        const facts = {
          'guardian.name': name,
          'guardian.email': email,
          'guardian.relation': relation,
          'guardian.agreed_at': visit.at,
          'guardian.address': visit.address,
          'guardian.same_browser': sameBrowser,
        }
        const memory = { name, relation, email, agreed: true, about }
        return { kind: 'done', facts, memory, send: lettersAfter(visit, email) }
      },
    },

    summary(visit) {
      const { name, relation, email } = askedIn(visit)
      return [
        { label: 'joining.guardian.summary', value: { text: `${name} (${relation}) ${email}` } },
      ]
    },
  }
}

/** Her copy, and word for the applicant, who is not at her computer any more. */
function lettersAfter(visit: Here, guardian: string): Sending[] {
  const { language, applicant } = visit
  const copy = {
    kind: 'guardian-copy' as const,
    to: guardian,
    language,
    params: { name: calledName(visit) },
  }
  const { mail } = applicant
  if (!mail || !isMailAddress(mail)) return [{ letter: copy }]
  const params = { lasts: resumeSeconds }
  const word = { kind: 'guardian-agreed' as const, to: mail, language, params }
  return [
    { letter: copy },
    { letter: word, link: { purpose: 'resume', validSeconds: resumeSeconds } },
  ]
}

function read(visit: Here, fields: Input['fields']): { problems: FieldProblem[]; asked: Asked } {
  const typed = (field: string) => (fields[`guardian.${field}`] ?? '').trim()
  const asked: Asked = {
    name: clip(typed('name'), longest.name),
    relation: clip(typed('relation'), longest.relation),
    email: typed('email'),
  }
  const problems: FieldProblem[] = []
  const complain = (field: string, problem: Message) =>
    problems.push({ field: `guardian.${field}`, problem })
  if (asked.name === '') complain('name', 'joining.guardian.no-name')
  if (asked.relation === '') complain('relation', 'joining.guardian.no-relation')
  if (!isMailAddress(asked.email)) complain('email', 'joining.guardian.no-email')
  else if (isHerOwn(visit, asked.email)) complain('email', 'joining.guardian.own-email')
  else if (typed('email_again').toLowerCase() !== asked.email.toLowerCase())
    complain('email_again', 'joining.guardian.emails-differ')
  return { problems, asked }
}

/** An address the applicant gave as hers, or the county for her. */
const isHerOwn = ({ facts }: Here, email: string): boolean =>
  Object.entries(facts)
    .filter(([fact]) => !fact.startsWith('guardian.'))
    .some(([, value]) => typeof value === 'string' && mailboxOf(value) === mailboxOf(email))

const askedIn = ({ memory }: Here): Asked => ({
  name: String(memory.name ?? ''),
  relation: String(memory.relation ?? ''),
  email: String(memory.email ?? ''),
})

/** Whom a guardian agrees for. */
const aboutOf = ({ applicant }: Here): string =>
  sha256(JSON.stringify([applicant.name, applicant.account]))

const calledName = ({ applicant }: Here): string => applicant.name ?? applicant.account ?? '?'
