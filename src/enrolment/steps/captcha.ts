/** Makes robots pay: the browser works for some seconds, or whoever sits before it waits. Nobody reads pictures. */
import { spendProof } from '#accounts/proofs.ts'
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import type { Step, Visit } from '../step.ts'
import type { StepPorts } from '../step-ports.ts'

type Ports = Pick<StepPorts, 'proofOfWork' | 'counters' | 'codeKey'>

/**
 * Without JavaScript a browser cannot work for us, and any question a person can read a robot can, too. So the page
 * carries a ticket that is good when it is some seconds old: who posts forms without reading them gets nowhere at once.
 * Waiting costs a robot little, since it waits for many pages at the same time; what holds is that only few get in by
 * waiting from one address in an hour.
 */
const waiting = { seconds: 20, perHour: 3, hour: 60 * 60 }

type Refusal = { problem: Message; waitSeconds?: number }

export function openCaptcha({ proofOfWork, counters, codeKey }: Ports): Step<'captcha'> {
  // Not the application: on the first page there is none. One browser's work is of use to no other.
  const purposeOf = ({ step, browser }: Visit<'captcha'>) =>
    JSON.stringify(['captcha', step.id, browser])

  const ticketOf = (visit: Visit<'captcha'>, at: number) =>
    `${at}.${hmac(codeKey, JSON.stringify([purposeOf(visit), at]))}`

  async function judgeWork(visit: Visit<'captcha'>, payload: string): Promise<Refusal | undefined> {
    const verified = await proofOfWork.verify(payload, purposeOf(visit))
    if (verified.kind !== 'right') return { problem: `joining.captcha.${verified.kind}` }
    const fresh = await spendProof({ counters, now: () => visit.at * 1000 }, verified)
    return fresh ? undefined : { problem: 'joining.captcha.used' }
  }

  async function judgeWait(visit: Visit<'captcha'>, ticket: string): Promise<Refusal | undefined> {
    const { at, source } = visit
    const since = Number(ticket.split('.')[0])
    if (!Number.isSafeInteger(since) || !equalInConstantTime(ticket, ticketOf(visit, since)))
      return { problem: 'joining.captcha.wrong' }
    const { seconds, hour } = waiting
    const left = since + seconds - at
    if (left > 0) return { problem: { key: 'joining.captcha.wait', params: { seconds: left } } }
    if (at >= since + hour) return { problem: 'joining.captcha.expired' }
    const [once, here] = await counters.hit(
      { of: ['captcha ticket', ticket], seconds: hour },
      { of: ['captcha waited', source.name], seconds: hour },
    )
    if (once.points > 1) return { problem: 'joining.captcha.used' }
    if (here.points <= waiting.perHour * source.factor) return undefined
    const params = { minutes: Math.ceil(here.leftSeconds / 60) }
    return { problem: { key: 'joining.captcha.too-many', params }, waitSeconds: here.leftSeconds }
  }

  return {
    // Paid for once: what changes before it does not make her pay again.
    known: ({ memory }) => (memory.passed === true ? { facts: {} } : undefined),
    async show(visit) {
      if (visit.memory.passed === true) return { locals: { passed: true } }
      const challenge = JSON.stringify(await proofOfWork.challenge(purposeOf(visit)))
      return {
        locals: { challenge, ticket: ticketOf(visit, visit.at), seconds: waiting.seconds },
        scripts: ['proof-of-work.js'],
        worker: true,
      }
    },
    async submit(visit, { fields }) {
      const { proof, ticket = '' } = fields
      const passed = visit.memory.passed === true
      const refusal = passed
        ? undefined
        : await (proof ? judgeWork(visit, proof) : judgeWait(visit, ticket))
      if (!refusal) return { kind: 'done', memory: { passed: true } }
      const { problem, waitSeconds } = refusal
      const again = { kind: 'again' as const, problems: [{ field: 'proof', problem }] }
      return waitSeconds ? { ...again, waitSeconds } : again
    },
  }
}
