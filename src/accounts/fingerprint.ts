/** A login that is somebody else's now, told by what its upstream says of the person and never changes. */
import { hmac, sha256 } from '#lib/crypto.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { day } from '#lib/time.ts'
import type { Circumstances, IdentityRow, Store } from '#store/store.ts'
import { queueMail } from './mail.ts'

/** How an upstream's value is kept, and compared. */
export type Fingerprints = (connector: string, value: string) => string

const markLength = 6

/**
 * The claim it was read from is marked: after an operator chose another claim everybody's value differs, and nobody's
 * login is somebody else's by that.
 */
export const openFingerprints =
  (key: Buffer, claimOf: (connector: string) => string | undefined): Fingerprints =>
  (connector, value) =>
    sha256(claimOf(connector) ?? '').slice(0, markLength) + hmac(key, value).slice(markLength)

/** Both are known, of the same claim, and differ. */
export const isSomebodyElse = (known: string | undefined, said: string | undefined): boolean =>
  known !== undefined &&
  said !== undefined &&
  known !== said &&
  known.slice(0, markLength) === said.slice(0, markLength)

/** Whom of the staff it is told. */
export type StaffAlerts = {
  addresses: string[]
  language: string
  writeLetter: WriteLetter
  labelOf: (connector: string) => string
}

/** Puts down that a sign-in was stopped, and tells staff: of one identity once a day. */
export async function reportReused(
  store: Store,
  { id, accountId, connector }: Pick<IdentityRow, 'id' | 'accountId' | 'connector'>,
  { at, address, ref }: Circumstances & { at: number },
  staff: StaffAlerts | undefined,
): Promise<void> {
  await store.transaction(async (tables) => {
    await tables.audit.record({
      at,
      actor: 'unknown',
      action: 'identity.reused',
      target: accountId,
      outcome: 'stopped',
      address,
      ref,
      details: { connector, identity: id },
    })
    if (!staff?.addresses.length) return
    const today = sha256(`reused\n${id}\n${Math.floor(at / day)}`)
    if (!(await tables.usedOnce.use(today, at + day))) return
    const { language, labelOf, writeLetter } = staff
    const params = { county: labelOf(connector), identity: id }
    for (const to of staff.addresses)
      await queueMail(tables, writeLetter({ kind: 'staff-reused-login', to, language, params }), {
        at,
      })
  })
}
