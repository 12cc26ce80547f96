/** An authenticator app that is being set up: its secret, sealed, until she has typed a code the app made of it. */
import { randomUUID } from 'node:crypto'
import { seal, unseal } from '#lib/crypto.ts'
import type { FactorRow } from '#store/store.ts'
import { newTotpSecret, sealTotp, stepOf } from './totp.ts'

/** Seconds the page is good for. */
const lasts = 30 * 60

/** For whom, and in which browser. */
type Whom = { accountId: string; device: string }

export type SetUp = {
  /** Becomes the factor's: confirmed twice, it is one all the same. */
  id: string
  secret: string
  until: number
}

const context = ({ accountId, device }: Whom) => `second_factor.set-up.${accountId}.${device}`

/** A new secret, not kept anywhere yet. */
export const beginSetUp = async (at: number): Promise<SetUp> => ({
  id: randomUUID(),
  secret: await newTotpSecret(),
  until: at + lasts,
})

/** As it goes into the page's form. */
export const sealSetUp = (dataKey: Buffer, whom: Whom, setUp: SetUp): string =>
  seal(dataKey, JSON.stringify(setUp), context(whom))

/** Undefined for one that is over, or was not made for her in this browser. */
export function openSetUp(
  dataKey: Buffer,
  whom: Whom,
  sealed: string,
  at: number,
): SetUp | undefined {
  try {
    const setUp: SetUp = JSON.parse(unseal(dataKey, sealed, context(whom)))
    return at < setUp.until ? setUp : undefined
  } catch {
    return undefined
  }
}

export type NewFactor = Omit<FactorRow, 'accountId' | 'createdAt' | 'usedAt'>

/** The factor it becomes; undefined where the code is not of it. That code is used up by this. */
export async function confirmSetUp(
  dataKey: Buffer,
  { id, secret }: Pick<SetUp, 'id' | 'secret'>,
  { code, label }: { code: string; label: string },
  at: number,
): Promise<NewFactor | undefined> {
  const step = await stepOf(secret, code, at)
  if (step === undefined) return undefined
  return { id, type: 'totp', label, secret: sealTotp(dataKey, id, secret), counter: step }
}
