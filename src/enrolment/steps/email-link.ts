/** Proves that she reads an address: by a link mailed there, and a button on the page it opens. */
import { normalName } from '#accounts/local.ts'
import { isMailAddress } from '#lib/mail.ts'
import { maskMail } from '#lib/mask.ts'
import { afterWait } from '#lib/messages.ts'
import { openMailLimits, pauseOf, tooMany, tooSoon } from '../mail-limits.ts'
import { type Again, slip } from '../slip.ts'
import type { Facts, Opened, Sending, Step, Visit } from '../step.ts'
import type { StepPorts } from '../step-ports.ts'

type Ports = Pick<StepPorts, 'counters' | 'isTaken' | 'passwords' | 'resetUrl'>
type Here = Visit<'email-link'>

/** Wrong passwords a link takes before another mail has to be asked for. */
const mostTries = 5
const hour = 60 * 60

export function openEmailLink(ports: Ports): Step<'email-link'> {
  const { counters, isTaken, passwords, resetUrl } = ports
  const limits = openMailLimits(counters)

  type Written = { memory: Here['memory']; send: Sending[] }

  async function write(visit: Here, address: string): Promise<Written | { wait: number }> {
    const { step, at, language, source, member } = visit
    const wait = await limits.spend(address, source)
    if (wait > 0) return { wait }
    const taken = await isTaken('email', address, member)
    const validSeconds = step.valid_hours * hour
    const link = { purpose: 'activate' as const, validSeconds }
    const to = { to: address, language }
    const params = { account: address, lasts: validSeconds }
    const sending: Sending = taken
      ? { letter: { kind: 'address-taken', ...to, link: resetUrl }, blank: link }
      : { letter: { kind: 'activate', ...to, params }, link }
    return { memory: { address, sentAt: at, linked: !taken }, send: [sending] }
  }

  /**
   * Elsewhere whoever opens the link must know the password that was chosen with the application: else who fills in
   * somebody's address and a password of his own has an account as soon as she presses the button in her mail.
   *
   * Where no password was chosen there is nothing to ask for: typing the address again proves nothing, the mail says
   * it. So the link is good only in the browser that will be signed in by it; such enrolments had better use a code.
   */
  async function judge(
    { application, step, memory }: Here,
    typed: string,
    hash: string | undefined,
  ): Promise<Again | undefined> {
    if (!hash) return slip('joining.email-link.other-browser')
    if (typed === '') return slip('joining.email-link.no-password', { at: 'password' })
    const tries = {
      of: ['activation', application, step.id, String(memory.sentAt)],
      seconds: step.valid_hours * hour,
    }
    const [{ points }] = await counters.hit(tries)
    const left = mostTries - points
    if (left < 0) return slip('joining.email-link.spent', { at: 'password' })
    const right = await passwords.verify(hash, typed).catch(async (error: unknown) => {
      await counters.hit({ ...tries, points: -1 })
      throw error
    })
    if (right) return undefined
    if (left === 0) return slip('joining.email-link.spent', { at: 'password' })
    return slip({ key: 'joining.email-link.wrong', params: { left } }, { at: 'password' })
  }

  return {
    known(visit) {
      const { memory, step } = visit
      if (memory.proven === undefined || memory.proven !== given(visit)) return undefined
      return { facts: factsOf(step.address) }
    },

    async enter(visit) {
      const { memory, at, step } = visit
      const address = given(visit)
      if (!isMailAddress(address)) return undefined
      const waiting = { kind: 'waiting' as const, contact: normalName(address) }
      const here = memory.address === address
      const isFresh = Number(memory.sentAt) + step.valid_hours * hour > at
      if (here && (isFresh || Number(memory.heldUntil) > at)) return waiting
      const written = await write(visit, address)
      if (!('wait' in written)) return { ...waiting, ...written }
      // Also makes a link sent to another address worthless.
      return { ...waiting, memory: { address, heldUntil: at + written.wait } }
    },

    show(visit) {
      const { memory, at, step } = visit
      const address = given(visit)
      const held = Number(memory.heldUntil ?? 0) - at
      return {
        locals: {
          to: maskMail(address),
          hours: step.valid_hours,
          pause: pauseOf(memory, visit),
          ...(held > 0 ? { held: afterWait('joining.mail-held', held) } : {}),
          sent: memory.sentAt !== undefined,
        },
        scripts: ['countdown.js'],
        waits: true,
      }
    },

    async submit(visit, { fields }) {
      if (fields.action !== 'resend') return slip('joining.email-link.still')
      const address = given(visit)
      if (!isMailAddress(address)) return slip('joining.email-link.no-address')
      const pause = pauseOf(visit.memory, visit)
      if (pause > 0) return tooSoon(pause)
      const written = await write(visit, address)
      if ('wait' in written) return tooMany(written.wait)
      return { kind: 'again', problems: [], notice: 'joining.email-link.sent', ...written }
    },

    link: {
      purpose: 'activate',
      isGood: (visit) => visit.memory.linked === true && visit.memory.address === given(visit),
      show(visit, opened) {
        const { sameBrowser } = opened
        const asks = !sameBrowser && hashIn(opened) !== undefined
        return { locals: { account: given(visit), sameBrowser, asks } }
      },
      async submit(visit, { fields }, opened) {
        if (fields.action === 'deny') return { kind: 'refused', why: 'joining.email-link.denied' }
        const problem = opened.sameBrowser
          ? undefined
          : await judge(visit, fields.password ?? '', hashIn(opened))
        if (problem) return problem
        const { step } = visit
        return { kind: 'done', facts: factsOf(step.address), memory: { proven: given(visit) } }
      },
    },
  }
}

const given = ({ step, facts }: Here): string => String(facts[step.address] ?? '')

const factsOf = (address: string): Facts => ({ [`${address}_verified`]: true })

/** The hash of the password she chose, whatever its field was called. */
const hashIn = ({ held }: Opened): string | undefined =>
  Object.values(held).find((value) => value.startsWith('$argon2'))
