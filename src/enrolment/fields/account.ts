/** The name she will sign in with, chosen here: whether somebody has it is told at once, who has it never. */
import type { Message } from '#lib/messages.ts'
import type { FieldKind, FieldOf, FieldPorts, Reading } from './field.ts'
import { line, slip, words } from './field.ts'
import { isReserved } from './reserved-accounts.ts'
import { tidy } from './typed.ts'

type Rules = FieldOf<'account'>

/** What a chosen name must be, and what is said when it is not. */
const rules: [
  problem: (rules: Rules) => Message,
  holds: (local: string, rules: Rules) => boolean,
][] = [
  [() => words('account.letters'), (local) => /^[a-z0-9._-]+$/.test(local)],
  [() => words('account.begins'), (local) => /^[a-z]/.test(local)],
  [() => words('account.ends'), (local) => /[a-z0-9]$/.test(local)],
  [() => words('account.dots'), (local) => !local.includes('..')],
  [
    ({ min_length: min }) => words('account.short', { min }),
    (local, { min_length: min }) => local.length >= min,
  ],
  [
    ({ max_length: max }) => words('account.long', { max }),
    (local, { max_length: max }) => local.length <= max,
  ],
  [() => words('account.reserved'), (local, { reserved }) => !isReserved(local, reserved)],
]

const base = line<'account'>({
  control: 'account',
  attributes: ({ domain, min_length: min, max_length: max }) => ({
    type: 'text',
    minlength: min,
    maxlength: max + (domain ? domain.length + 1 : 0),
    pattern: `\\s*[A-Za-z][A-Za-z0-9._\\-]*${domain ? `(?:@${insensitive(domain)})?` : ''}\\s*`,
    inputmode: 'email',
    autocomplete: 'username',
    autocapitalize: 'none',
    autocorrect: 'off',
    spellcheck: 'false',
  }),
  hint: ({ min_length: min, max_length: max }) => words('account.hint', { min, max }),
  normal(field, said) {
    const { domain } = field
    const typed = tidy(said, 'NFKC').toLowerCase()
    const at = domain ? typed.lastIndexOf('@') : -1
    const local = at < 0 ? typed : typed.slice(0, at)
    if (domain && at >= 0 && typed.slice(at + 1) !== domain)
      return { problem: words('account.domain', { domain }) }
    const broken = rules.find(([, holds]) => !holds(local, field))
    if (broken) return { problem: broken[0](field) }
    return { value: domain ? `${local}@${domain}` : local }
  },
})

export const account: FieldKind<'account'> = {
  ...base,
  async read(field, posted, reading, ports) {
    const read = await base.read(field, posted, reading, ports)
    const value = read.facts?.[field.id]
    if (typeof value !== 'string') return read
    const checked = await checkAccount(field, value, ports, reading.source)
    if (checked.kind === 'free') return read
    const { message, waitSeconds } = checked
    return { ...slip(field.id, message), ...(waitSeconds ? { waitSeconds } : {}) }
  },
}

export type AccountCheck = {
  kind: 'free' | 'taken' | 'not-allowed' | 'wait'
  message: Message
  waitSeconds?: number
}

/** How many taken names one source may find in a window of so many seconds. */
const listing = { most: 30, seconds: 10 * 60 }

/**
 * What may be said of a name as it was typed. Only names somebody has are counted, so that a class that registers
 * together does not lock itself out, while whoever collects names gets thirty. Counted first and given back: a hundred
 * questions at the same moment are no better than one after another.
 */
export async function checkAccount(
  field: Rules,
  typed: string,
  { isTaken, counters }: Pick<FieldPorts, 'isTaken' | 'counters'>,
  source: Reading['source'],
): Promise<AccountCheck> {
  const normal = base.normal(field, typed, 0)
  if ('problem' in normal) return { kind: 'not-allowed', message: normal.problem }
  const { value } = normal
  const hit = { of: ['taken accounts', source.name], seconds: listing.seconds }
  const [count] = await counters.hit(hit)
  const giveBack = () => counters.hit({ ...hit, points: -1 })
  if (count.points > listing.most * source.factor) {
    await giveBack()
    const { leftSeconds: waitSeconds } = count
    const message = words('account.wait', { minutes: Math.ceil(waitSeconds / 60) })
    return { kind: 'wait', message, waitSeconds }
  }
  const taken = await isTaken(field.domain ? 'email' : 'username', value)
  if (!taken) await giveBack()
  const kind = taken ? 'taken' : 'free'
  return { kind, message: words(`account.${kind}`, { account: value }) }
}

/** A pattern has no flag for it. */
const insensitive = (domain: string) =>
  domain.replace(/[a-z]/g, (one) => `[${one}${one.toUpperCase()}]`).replaceAll('.', '\\.')
