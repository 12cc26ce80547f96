/** Going on later, in another browser: by a link mailed to where the applicant says. */
import { sha256 } from '#lib/crypto.ts'
import { isMailAddress } from '#lib/mail.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import type { Tables } from '#store/store.ts'
import type { AdvancePorts } from './advance.ts'
import { inTurn, type Joining, type Joinings, lostRace, stateOf, type Visitor } from './joinings.ts'
import { openMailLimits } from './mail-limits.ts'
import { withoutProofs } from './proofs.ts'

const hour = 60 * 60
/** Letters an application may ask for in an hour, beside what one mailbox and one network may. */
const mostOfApplication = 3

export function openResume({ now, counters }: AdvancePorts, joinings: Joinings) {
  const limits = openMailLimits(counters)

  const find = async (token: string) => (await joinings.ofLink('resume', token))?.joining

  return {
    /** Mails the link. What is wrong with the address, or nothing. */
    async mailResume(
      { row, rules }: Joining,
      address: string,
      { device, language, source }: Visitor,
    ): Promise<Message | undefined> {
      if (!isMailAddress(address.trim())) return 'joining.later.no-address'
      const [mine] = await counters.hit({ of: ['resume', row.id], seconds: hour })
      const wait = mine.points > mostOfApplication ? 1 : await limits.spend(address.trim(), source)
      if (wait > 0) return 'joining.later.too-many'
      const validSeconds = rules.expires_days * 24 * hour
      const letter = {
        kind: 'resume' as const,
        to: address.trim(),
        language,
        params: { lasts: validSeconds },
      }
      const link = { purpose: 'resume' as const, validSeconds }
      const send = [{ step: '', sending: { letter, link } }]
      await inTurn(async () => {
        const now = await joinings.find(row.id, device)
        if (now.kind !== 'found' || joinings.isOver(now.row)) return
        await joinings.save(now, { send, state: stateOf(now.row) })
      })
      return undefined
    },

    /** What the link is about. Changes nothing. */
    async showResume(token: string) {
      const joining = await find(token)
      return joining && { title: joining.rules.title }
    },

    /**
     * The application belongs to this browser from now on. Its id, or nothing for a link that is not good. Who reads a
     * mail has not signed in at a county, and does not know the password: both are asked for again. Else whoever fills
     * in somebody’s address and mails her the link would know the password of the account she activates.
     */
    async takeOver(token: string, visitor: Visitor): Promise<string | undefined> {
      const joining = await find(token)
      if (!joining) return undefined
      const { row, rules, draft } = joining
      const also = async ({ mailLinks }: Tables) => {
        if (!(await mailLinks.use(sha256(token), 'resume', seconds(now)))) throw lostRace
      }
      const unproven = row.device === visitor.device ? draft : withoutProofs(draft)
      const { device } = visitor
      try {
        await joinings.save({ row, rules, draft: unproven }, { also, state: stateOf(row), device })
        return row.id
      } catch (error) {
        if (error === lostRace) return undefined
        throw error
      }
    },
  }
}
