/** The activation mail once more, for somebody who asks for it on a page anybody can open. */
import type { Tables } from '#store/store.ts'
import { type Advance, sendingsOf } from './advance.ts'
import { inTurn, type Joining, type Joinings, type Visitor } from './joinings.ts'

/** The page has counted where she asks from; nothing else of her counts here. */
const nobody = { device: '', source: { name: 'resend', factor: Number.POSITIVE_INFINITY } }

export function openResend(
  joinings: Joinings,
  { stepOf, visitOf, walkOf, apply }: Advance,
  findWaiting: (address: string) => Promise<Joining | undefined>,
) {
  async function send(address: string, take: (tables: Tables) => Promise<boolean>) {
    const joining = await findWaiting(address)
    if (!joining) return false
    const visitor: Visitor = { ...nobody, language: joining.draft.language }
    const { current } = walkOf(joining, visitor)
    // What a guardian was sent is asked for where the application was made: the address is not the applicant's.
    if (current?.step.type !== 'email-link') return false
    const visit = visitOf(joining, current, visitor)
    const input = { fields: { action: 'resend' }, files: {} }
    const outcome = await stepOf(current.step.type).submit(visit, input)
    const applied = apply(joining, current, outcome)
    // Too soon after the last one.
    if (applied.kind !== 'again' || !applied.send) return false
    const also = async (tables: Tables) => {
      if (!(await take(tables))) throw taken
    }
    const sending = { send: sendingsOf(current.step, outcome), state: 'waiting' as const, also }
    await joinings.save(joining, sending)
    return true
  }

  return {
    /**
     * Sends it to whoever waits to be activated at this address, newest application first, if the last one is old
     * enough. `take` takes the request out, in the transaction that sends: false if somebody else has done it.
     * Whether something was sent: for tests and metrics, never for the page.
     */
    async resendWaiting(
      address: string,
      take: (tables: Tables) => Promise<boolean>,
    ): Promise<boolean> {
      try {
        // The applicant may be at work herself: how her application stands now decides.
        return await inTurn(() => send(address, take))
      } catch (error) {
        if (error === taken) return false
        throw error
      }
    },
  }
}

const taken = Symbol('the request is out already')
