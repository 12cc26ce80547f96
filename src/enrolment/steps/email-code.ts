/** Proves that she reads an address: by six digits mailed there. */
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import { isMailAddress } from '#lib/mail.ts'
import { maskMail } from '#lib/mask.ts'
import { afterWait } from '#lib/messages.ts'
import { openMailLimits, pauseOf, tooMany, tooSoon } from '../mail-limits.ts'
import { type Again, slip } from '../slip.ts'
import type { Facts, Memory, Outcome, Step, Visit } from '../step.ts'
import type { StepPorts } from '../step-ports.ts'

type Ports = Pick<StepPorts, 'randomCode' | 'codeKey' | 'counters' | 'isTaken' | 'resetUrl'>
type Here = Visit<'email-code'>

/** The newest code; the ones before it are forgotten, so they are good no more. */
type Sent = { address: string; digest: string; sentAt: number; expiresAt: number; sends: number }

const hour = 60 * 60
/** Wrong codes in an hour from one network, whatever they were for. */
const wrongFromSource = 30

export function openEmailCode(ports: Ports): Step<'email-code'> {
  const { randomCode, codeKey, counters, isTaken, resetUrl } = ports
  const limits = openMailLimits(counters)

  const digestOf = ({ application, step }: Here, address: string, code: string) =>
    hmac(codeKey, JSON.stringify([application, step.id, address, code]))

  /** Sends a new code, if nothing holds it up: else says for how long. */
  async function write(visit: Here, address: string): Promise<Again | { wait: number }> {
    const { step, at, language, memory, source } = visit
    const wait = await limits.spend(address, source)
    if (wait > 0) return { wait }
    const code = randomCode()
    // Somebody’s already: all looks the same, its owner hears of it, and no code is right.
    const taken = step.unique && (await isTaken('email', address, visit.member))
    const before = sentTo(address, memory)
    const sent: Sent = {
      address,
      digest: digestOf(visit, address, taken ? `no ${code}` : code),
      sentAt: at,
      expiresAt: at + step.valid_seconds,
      sends: (before?.sends ?? 0) + 1,
    }
    const to = { to: address, language }
    const params = { lasts: step.valid_seconds }
    const letter = taken
      ? { kind: 'address-taken' as const, ...to, link: resetUrl }
      : { kind: 'code' as const, ...to, code, params }
    return { kind: 'again', problems: [], memory: sent, send: [{ letter }] }
  }

  async function sendOnDemand(visit: Here, address: string): Promise<Outcome> {
    const sent = sentTo(address, visit.memory)
    const pause = sent ? pauseOf(sent, visit) : 0
    if (pause > 0) return tooSoon(pause)
    const outcome = await write(visit, address)
    if ('wait' in outcome) return tooMany(outcome.wait, asked(visit.step))
    return { ...outcome, notice: 'joining.email-code.sent' }
  }

  /**
   * Each guess is counted before it is looked at, and not in the draft: of a hundred at the same moment as many are
   * looked at as of a hundred one after another.
   */
  async function judge(visit: Here, sent: Sent, code: string): Promise<Outcome> {
    const { step, application, at, source } = visit
    if (at >= sent.expiresAt) return slip('joining.email-code.expired', { at: 'code' })
    const ofCode = {
      of: ['joining code', application, step.id, String(sent.sentAt)],
      seconds: step.valid_seconds,
    }
    const ofSource = { of: ['wrong joining codes from', source.name], seconds: hour }
    const [tries, network] = await counters.hit(ofCode, ofSource)
    const forgiven = { ...ofSource, points: -1 }
    if (network.points > wrongFromSource * source.factor) {
      await counters.hit({ ...ofCode, points: -1 }, forgiven)
      const waitSeconds = network.leftSeconds
      return slip(afterWait('joining.email-code.held', waitSeconds), { at: 'code', waitSeconds })
    }
    const left = step.tries - tries.points
    if (left < 0) {
      await counters.hit(forgiven)
      return slip('joining.email-code.spent', { at: 'code' })
    }
    if (!equalInConstantTime(sent.digest, digestOf(visit, sent.address, code))) {
      if (left === 0) return slip('joining.email-code.spent', { at: 'code' })
      return slip({ key: 'joining.email-code.wrong', params: { left } }, { at: 'code' })
    }
    await counters.hit(forgiven)
    return proven(step.fact, sent.address)
  }

  return {
    // Proven once: what changes before it does not make her read another mail, unless the address itself does.
    known(visit) {
      const { step, memory } = visit
      const address = memory.proven
      if (typeof address !== 'string') return undefined
      if (step.address && address !== given(visit)) return undefined
      return { facts: factsOf(step.fact, address) }
    },

    async enter(visit) {
      const { memory, at } = visit
      const address = given(visit)
      if (!isMailAddress(address)) return undefined
      const sent = sentTo(address, memory)
      if (sent && at < sent.expiresAt) return undefined
      if (memory.address === address && Number(memory.heldUntil) > at) return undefined
      const outcome = await write(visit, address)
      if (!('wait' in outcome)) return outcome
      // Also makes a code sent to another address worthless.
      const held = { address, heldUntil: at + outcome.wait }
      return { kind: 'again', problems: [], memory: held }
    },

    show(visit) {
      const { step, memory, before, at } = visit
      const asks = step.address === undefined
      const { proven: provenAddress, address: written } = memory
      const address = asks
        ? String(provenAddress ?? written ?? before[step.fact] ?? '')
        : given(visit)
      const sent = sentTo(address, memory)
      const held = written === address ? Number(memory.heldUntil ?? 0) - at : 0
      return {
        locals: {
          ...(asks ? { field: step.fact, address } : {}),
          to: maskMail(address),
          sent: sent !== undefined,
          sentBefore: (sent?.sends ?? 0) > 1,
          proven: provenAddress !== undefined && provenAddress === address,
          pause: sent ? pauseOf(sent, visit) : 0,
          ...(held > 0 ? { held: afterWait('joining.mail-held', held) } : {}),
          minutes: Math.round(step.valid_seconds / 60),
        },
        scripts: ['countdown.js'],
      }
    },

    async submit(visit, { fields }) {
      const { step, memory } = visit
      const address = step.address ? given(visit) : (fields[step.fact] ?? '').trim()
      if (!isMailAddress(address)) return slip('joining.email-code.no-address', { at: asked(step) })
      const code = digitsOf(fields.code)
      const sent = sentTo(address, memory)
      if (fields.action !== 'send' && memory.proven === address) return proven(step.fact, address)
      // Going on before anything was sent can only mean this.
      if (fields.action === 'send' || (!sent && code === '')) return sendOnDemand(visit, address)
      if (!sent) return slip('joining.email-code.not-sent', { at: asked(step) })
      if (!/^\d{6}$/.test(code)) return slip('joining.email-code.six-digits', { at: 'code' })
      return judge(visit, sent, code)
    },

    summary({ step, before }) {
      const address = before[step.fact]
      if (step.address || typeof address !== 'string') return []
      return [{ label: 'joining.email-code.address', value: { text: address } }]
    },
  }
}

const given = ({ step, facts }: Here): string =>
  step.address === undefined ? '' : String(facts[step.address] ?? '')

/** The field of the address, where the page has one. */
const asked = ({ address, fact }: Here['step']) => (address === undefined ? fact : undefined)

/** The code that was sent to this very address. */
function sentTo(address: string, memory: Memory): Sent | undefined {
  const { digest, sentAt, expiresAt, sends } = memory
  if (typeof digest !== 'string' || memory.address !== address) return undefined
  return {
    address,
    digest,
    sentAt: Number(sentAt),
    expiresAt: Number(expiresAt),
    sends: Number(sends),
  }
}

/** Full-width digits of an input method are digits, too; blanks come along when one copies. */
const digitsOf = (typed = ''): string => typed.normalize('NFKC').replace(/[\s-]/g, '')

const factsOf = (fact: string, address: string): Facts => ({
  [fact]: address,
  [`${fact}_verified`]: true,
})

const proven = (fact: string, address: string): Outcome => ({
  kind: 'done',
  facts: factsOf(fact, address),
  memory: { proven: address },
})
