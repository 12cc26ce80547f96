/** How often applications may write to one mailbox, and to anybody from one network. */
import type { Counters } from '#accounts/counters.ts'
import { normalName } from '#accounts/local.ts'
import { afterWait } from '#lib/messages.ts'
import { type Again, slip } from './slip.ts'
import type { Memory } from './step.ts'

const hour = 60 * 60
const mostInAnHour = { toMailbox: 5, fromSource: 20 }

/** `wang+school@…` is read by whoever reads `wang@…`: to be compared, never to be written to. */
export function mailboxOf(address: string): string {
  const [, user = '', domain = ''] = /^(.*)@(.*)$/.exec(normalName(address)) ?? []
  return `${user.replace(/(?<=.)\+.*$/, '')}@${domain}`
}

export function openMailLimits(counters: Counters) {
  return {
    /** Counts a mail about to be sent. Seconds to wait instead, or zero. */
    async spend(to: string, source: { name: string; factor: number }): Promise<number> {
      const ofMailbox = { of: ['joining mails to', mailboxOf(to)], seconds: hour }
      const ofSource = { of: ['joining mails from', source.name], seconds: hour }
      const [there, here] = await counters.hit(ofMailbox, ofSource)
      const waits = [
        there.points > mostInAnHour.toMailbox ? there.leftSeconds : 0,
        here.points > mostInAnHour.fromSource * source.factor ? here.leftSeconds : 0,
      ]
      const wait = Math.max(...waits)
      // What was not sent does not count.
      if (wait > 0) await counters.hit({ ...ofMailbox, points: -1 }, { ...ofSource, points: -1 })
      return wait
    },
  }
}

/** Seconds until the mail may be sent again: `sentAt` is when it was sent last. */
export const pauseOf = (
  { sentAt }: Memory,
  { step, at }: { step: { resend_seconds: number }; at: number },
): number => (sentAt === undefined ? 0 : Math.max(0, Number(sentAt) + step.resend_seconds - at))

export const tooSoon = (pause: number): Again =>
  slip(afterWait('joining.mail-pause', pause), { waitSeconds: pause })

export const tooMany = (wait: number, at?: string): Again =>
  slip(afterWait('joining.mail-held', wait), { at, waitSeconds: wait })
