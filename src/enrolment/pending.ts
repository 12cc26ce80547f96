/** Those who registered and did not finish: they try to sign in, ask for their mail again, or just finished. */
import { seconds } from '#lib/time.ts'
import type { Standing } from './draft.ts'
import type { Joining, JoiningPorts, Joinings, Visitor } from './joinings.ts'

/** How long a finished application signs its browser in without another question, in seconds. */
const freshSeconds = 10 * 60

export type Fresh = {
  accountId: string
  amr: string[]
  federated: boolean
  upstream?: Standing
  /** Seconds since 1970 when she proved herself. */
  at: number
  interaction?: string
}

export function openPending({ store, now }: JoiningPorts, joinings: Joinings) {
  /** The newest application that waits for a mail to this address to be answered. */
  async function findWaiting(address: string): Promise<Joining | undefined> {
    const rows = await store.applications.ofContact(joinings.contactOf(address), seconds(now))
    const row = rows.find(({ state }) => state === 'waiting')
    return row && joinings.read(row)
  }

  return {
    findWaiting,

    /** The password's hash of whoever waits to be activated under this address: checked like an account's. */
    async waitingPassword(address: string): Promise<string | undefined> {
      const joining = await findWaiting(address)
      const name = joining?.rules.creates.password
      if (!joining || !name) return undefined
      const states = Object.values(joining.draft.steps)
      return states.findLast(({ done, held }) => done && held?.[name])?.held?.[name]
    },

    /**
     * Signs in the browser an application was finished in, once and only minutes later: she has just proved herself.
     */
    async takeFresh(application: string, visitor: Visitor): Promise<Fresh | undefined> {
      const found = await joinings.find(application, visitor.device)
      if (found.kind !== 'found' || found.row.state !== 'done') return undefined
      const { row, draft } = found
      const { finished, interaction } = draft
      if (!finished || !row.accountId) return undefined
      if (finished.at + freshSeconds < seconds(now)) return undefined
      if (!(await store.applications.enter(row.id))) return undefined
      const { accountId } = row
      return { accountId, ...finished, ...(interaction ? { interaction } : {}) }
    },
  }
}
